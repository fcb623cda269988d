"""The linear detector learns, adds a language's correction to the shared weights, and survives its file."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer

from classifiers.ai_text.linear import COLUMNS, SHARED, LinearScorer, hash_ngrams
from classifiers.training.ai_text.corpus import Document
from classifiers.training.ai_text.crops import cut_all
from classifiers.training.ai_text.linear_stage import fit_linear, fit_logistic, fit_paired, paired_crops

PLAIN = ("rain", "bread", "the tram", "my aunt", "a dog", "the kettle", "a fence", "old boots")
GRAND = ("development", "significance", "transformation", "sustainability", "engagement", "innovation")


def document(index: int, language: str, machine: bool) -> Document:
    generator = random.Random(f"{index}{language}{machine}")
    words = GRAND if machine else PLAIN
    sentences = tuple(
        f"{generator.choice(words).capitalize()} met {generator.choice(words)}, "
        f"and {generator.choice(words)} stayed near {generator.choice(words)} until evening."
        for _ in range(14)
    )
    count = sum(len(sentence.split()) for sentence in sentences)
    return Document(
        f"{language}-{machine}-{index}", language, "ai" if machine else "human", "", "news",
        "model" if machine else "paper", f"g{index}", "", sentences, count,
    )  # fmt: skip


@pytest.fixture(scope="module")
def scorer() -> LinearScorer:
    documents = [
        document(i, lang, machine) for i in range(12) for lang in ("en", "tr") for machine in (False, True)
    ]
    return fit_linear(cut_all(documents, per_document=1, seed=1))


@given(st.lists(st.text(max_size=60), max_size=4), st.integers(2, 6))
def test_columns_are_those_that_the_weights_were_trained_on(texts: list[str], longest: int) -> None:
    reference = HashingVectorizer(
        analyzer="char",
        ngram_range=(2, longest),
        n_features=COLUMNS,
        lowercase=False,
        alternate_sign=False,
        norm=None,
    )
    counts = hash_ngrams(texts, longest)
    expected = reference.transform(texts) if texts else csr_matrix((0, COLUMNS))
    assert counts.shape == expected.shape
    assert (counts != expected).nnz == 0


def test_machine_words_score_higher(scorer: LinearScorer) -> None:
    human, machine = (document(99, "en", kind).view for kind in (False, True))
    low, high = scorer.score([human, machine], "en")
    assert high > low + 0.5


def test_a_language_adds_its_correction(scorer: LinearScorer) -> None:
    text = [document(98, "tr", True).view]
    features = scorer.features(text, "tr")
    expected = (
        features @ (scorer.weights[SHARED] + scorer.weights["tr"])
        + scorer.biases[SHARED]
        + scorer.biases["tr"]
    )
    assert scorer.score(text, "tr") == pytest.approx(expected, abs=1e-4)
    features = scorer.features(text, "xx")
    assert scorer.score(text, "xx") == pytest.approx(
        features @ scorer.weights[SHARED] + scorer.biases[SHARED], abs=1e-4
    )


def test_eight_bit_weights_score_alike(scorer: LinearScorer, tmp_path: Path) -> None:
    scorer.save(tmp_path / "linear.npz")
    loaded = LinearScorer.load(tmp_path / "linear.npz")
    texts = [document(i, "en", kind).view for i in (50, 51) for kind in (False, True)]
    assert np.allclose(loaded.score(texts, "en"), scorer.score(texts, "en"), atol=0.1)
    assert loaded.languages == ("en", "tr")


def test_no_texts_and_empty_texts_score_without_fuss(scorer: LinearScorer) -> None:
    assert scorer.score([], "en").shape == (0,)
    assert np.isfinite(scorer.score(["", "a"], "en")).all()


def test_another_array_file_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", a=np.zeros(1))
    with pytest.raises(ValueError, match="no linear detector"):
        LinearScorer.load(tmp_path / "other.npz")


def test_the_offset_is_what_the_weights_correct() -> None:
    generator = np.random.default_rng(0)
    features = csr_matrix(generator.standard_normal((200, 3)))
    target = (features @ np.array([2.0, 0.0, 0.0]) > 0).astype(float)
    around_truth, _ = fit_logistic(
        features, target, np.ones(200), penalty=0.1, offset=np.asarray(features @ np.array([8.0, 0.0, 0.0]))
    )
    alone, _ = fit_logistic(features, target, np.ones(200), penalty=0.1)
    assert abs(around_truth[0]) < 0.2 < alone[0]


def test_pairs_alone_teach_the_scorer_of_whole_texts(tmp_path: Path) -> None:
    paired = [document(i, "en", machine) for i in range(160) for machine in (False, True)]
    # Without a partner of the other class, and in too few groups: neither may teach anything.
    alone = [document(i, "en", True) for i in range(200, 260)]
    few = [document(i, "tr", machine) for i in range(10) for machine in (False, True)]
    crops = cut_all([*paired, *alone, *few], per_document=1, seed=1)

    assert {crop.document.id for crop in paired_crops(crops)} == {item.id for item in paired}
    fit_paired(crops).save(tmp_path / "paired.npz")
    scorer = LinearScorer.load(tmp_path / "paired.npz")

    assert scorer.languages == ("en",)
    low, high = scorer.score([document(999, "en", kind).view for kind in (False, True)], "en")
    assert high > low + 0.5
