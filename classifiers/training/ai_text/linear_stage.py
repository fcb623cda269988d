"""Fit the linear detectors: the masked one over all languages at once, the paired one per language."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import expit

from classifiers.ai_text.linear import COLUMNS, SHARED, LinearScorer, hash_ngrams, weigh
from classifiers.ai_text.topic_mask import TopicMask, tokens
from classifiers.training.ai_text.crops import Crop, balanced_weights

#: Words per language that the topic mask leaves whole.
COMMON_WORDS: Final = 400
#: Masked words are short: seven characters reach over two of them. Whole ones need no more than five.
MASKED_LONGEST: Final = 7
PAIRED_LONGEST: Final = 5
#: Collections whose machine texts answer their human texts, though no group says which answers which.
PAIRED_SOURCES: Final = frozenset({"detectrl"})
#: Documents from which a language's pairs carry a detector of their own.
_FEWEST_PAIRED: Final = 300
#: Crops from which a source's word counts are taken to mean something.
_TELLING_GROUP: Final = 30


def fit_logistic(
    features: csr_matrix,
    target: NDArray[np.float64],
    sample_weights: NDArray[np.float64],
    *,
    penalty: float,
    offset: NDArray[np.float64] | None = None,
    iterations: int = 60,
) -> tuple[NDArray[np.float32], float]:
    """L2-penalised weighted logistic regression around a fixed ``offset`` (n,), by L-BFGS.

    ``penalty`` multiplies half the squared length of the weights; the loss is the mean over samples. The
    bias is not penalised. Returns weights (columns,) and bias.
    """
    rows, columns = features.shape
    start = np.zeros(rows) if offset is None else offset
    weights = sample_weights / sample_weights.sum()
    transposed = features.T.tocsr()

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        vector, bias = parameters[:-1], parameters[-1]
        logits = start + features @ vector + bias
        value = float(weights @ (np.logaddexp(0.0, logits) - target * logits))
        residual = weights * (expit(logits) - target)
        gradient = np.empty_like(parameters)
        gradient[:-1] = transposed @ residual + penalty * vector
        gradient[-1] = residual.sum()
        return value + 0.5 * penalty * float(vector @ vector), gradient

    found = minimize(
        loss, np.zeros(columns + 1), jac=True, method="L-BFGS-B", options={"maxiter": iterations}
    )
    return found.x[:-1].astype(np.float32), float(found.x[-1])


def inverse_document_frequency(counts: csr_matrix, weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """Smoothed inverse document frequency, shape (COLUMNS,), with documents counted by weight."""
    frequency = np.bincount(
        counts.indices, weights=np.repeat(weights, np.diff(counts.indptr)), minlength=counts.shape[1]
    )
    return np.asarray(np.log((1 + weights.sum()) / (1 + frequency)) + 1.0, dtype=np.float32)


def learn_common_words(crops: Sequence[Crop], count: int = COMMON_WORDS) -> TopicMask:
    """The words of each language that most human texts hold, every source counted alike.

    Machine texts have no say: a word that models are fond of is a topic to be learnt, not grammar.
    """
    groups: dict[str, dict[str, list[Crop]]] = defaultdict(lambda: defaultdict(list))
    for crop in crops:
        if not crop.document.machine:
            groups[crop.document.language][crop.document.source].append(crop)
    common: dict[str, frozenset[str]] = {}
    for language, sources in groups.items():
        largest = max(map(len, sources.values()))
        shares: dict[str, float] = defaultdict(float)
        for members in sources.values():
            if len(members) < min(_TELLING_GROUP, largest):
                continue
            for crop in members:
                for word in {token.lower() for token in tokens(crop.text) if token[0].isalpha()}:
                    shares[word] += 1 / len(members)
        ranked = sorted(shares, key=lambda word: (-shares[word], word))
        common[language] = frozenset(ranked[:count])
    return TopicMask(common)


def fit_linear(
    crops: Sequence[Crop], *, shared_penalty: float = 2e-5, language_penalty: float = 2e-4
) -> LinearScorer:
    """Fit the shared vector on all crops, then each language's correction around its logits."""
    languages = np.array([crop.document.language for crop in crops])
    target = np.array([float(crop.document.machine) for crop in crops])
    weights = balanced_weights(crops)
    # Every language gets the same say in the shared vector, however many texts it has.
    for language in np.unique(languages):
        members = languages == language
        weights[members] /= max(weights[members].sum(), 1e-9)
    weights *= len(crops) / weights.sum()
    topic_mask = learn_common_words(crops)
    counts = hash_ngrams(
        [topic_mask.mask(crop.text, crop.document.language) for crop in crops], MASKED_LONGEST
    )
    inverse = inverse_document_frequency(counts, weights)
    features = weigh(counts, inverse)
    kept = weights > 0
    shared, bias = fit_logistic(features[kept], target[kept], weights[kept], penalty=shared_penalty)
    vectors = {SHARED: shared}
    biases = {SHARED: bias}
    for language in np.unique(languages):
        members = (languages == language) & kept
        if len(np.unique(target[members])) < 2:
            continue
        part = features[members]
        # Only columns this language uses: L-BFGS over 2**18 columns for a few hundred texts wastes minutes.
        used = np.unique(part.indices)
        vector, language_bias = fit_logistic(
            part[:, used],
            target[members],
            weights[members],
            penalty=language_penalty,
            offset=np.asarray(part @ shared).ravel() + bias,
        )
        vectors[str(language)] = np.zeros(COLUMNS, dtype=np.float32)
        vectors[str(language)][used] = vector
        biases[str(language)] = language_bias
    return LinearScorer(topic_mask, MASKED_LONGEST, inverse, vectors, biases)


def paired_crops(crops: Sequence[Crop]) -> list[Crop]:
    """The crops with a counterpart of the other class on the same subject, of languages with enough of them.

    The counterpart stands in the same group, or in a collection built of such pairs.
    """
    classes: dict[tuple[str, str], set[bool]] = defaultdict(set)
    for crop in crops:
        classes[(crop.document.language, crop.document.group)].add(crop.document.machine)
    found = [
        crop
        for crop in crops
        if not crop.document.attack
        and (
            len(classes[(crop.document.language, crop.document.group)]) == 2
            or crop.document.source in PAIRED_SOURCES
        )
    ]
    documents: dict[str, set[str]] = defaultdict(set)
    for crop in found:
        documents[crop.document.language].add(crop.document.id)
    return [crop for crop in found if len(documents[crop.document.language]) >= _FEWEST_PAIRED]


def fit_paired(crops: Sequence[Crop], *, penalty: float = 5e-5) -> LinearScorer:
    """Fit a detector of whole texts on pairs, all groups of a class and both classes weighing alike.

    A language with few pairs gets no weights, and the scorer does not list it.
    """
    crops = paired_crops(crops)
    languages = np.array([crop.document.language for crop in crops])
    target = np.array([float(crop.document.machine) for crop in crops])
    members = [(crop.document.language, crop.document.group, crop.document.machine) for crop in crops]
    sizes = Counter(members)
    weights = np.array([1 / sizes[key] for key in members])
    for language in np.unique(languages):
        for kind in (0.0, 1.0):
            own = (languages == language) & (target == kind)
            weights[own] *= own.sum() / weights[own].sum() if own.any() else 1.0
    counts = hash_ngrams([crop.text for crop in crops], PAIRED_LONGEST)
    inverse = inverse_document_frequency(counts, weights)
    features = weigh(counts, inverse)
    vectors = {SHARED: np.zeros(COLUMNS, dtype=np.float32)}
    biases = {SHARED: 0.0}
    for language in np.unique(languages):
        own = languages == language
        vectors[str(language)], biases[str(language)] = fit_logistic(
            features[own], target[own], weights[own], penalty=penalty
        )
    return LinearScorer(None, PAIRED_LONGEST, inverse, vectors, biases)
