"""Train the language classifier: ``python -m classifiers.training.language --data DIR``.

Writes ``classifiers/text/weights/language.npz``. Folds 0 to 7 of ten train the n-gram classifiers, fold 8 and
a further package's catalogues train the judges; fold 9 is the held-out test of ``python -m bench.language``,
which writes the model card.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from classifiers.text import LANGUAGES
from classifiers.text.character_ngrams import hashed_ngrams, letters_only
from classifiers.text.language import (
    OTHER,
    OWN_CLASSES,
    WEIGHTS_FILE,
    NgramClassifier,
    ScriptModel,
    main_script,
    witness_features,
)
from classifiers.training.language_corpus import (
    JUDGE_CATALOGUES,
    TRAINING_CATALOGUES,
    Passage,
    fold_of,
    read_catalogues,
    read_monolingual,
    read_parallel,
)
from classifiers.training.transliteration import (
    KAZAKH_TO_LATIN,
    to_cyrillic,
    transliterate,
    without_diacritics,
)

WEIGHTS = Path(__file__).parent.parent / "text" / "weights"
TEST_FOLD = 9
JUDGE_FOLD = 8

LONGEST = 4
BUCKETS = 1 << 14
SCRIPTS = ("Latn", "Cyrl")

# Sentences of each of the nine languages, of each other language, and of each of the nine in its other
# script.
_NATIVE_LIMIT = 6000
_OTHER_LIMIT = 1200
# A language with fewer messages in a fold set is left out.
_FEWEST_MESSAGES = 20
_SEED = 20240229

Example = tuple[str, str]  # (class, text)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="directory of the corpora (holds ai_text and claims)"
    )
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    passages = [
        *read_parallel(options.data),
        *read_monolingual(options.data, limit=3000),
        *read_catalogues(TRAINING_CATALOGUES),
    ]
    judge_only = list(read_catalogues(JUDGE_CATALOGUES))
    arrays: dict[str, Any] = {}
    facts: dict[str, dict[str, object]] = {}
    for script in SCRIPTS:
        training = examples(passages, script, {*range(10)} - {TEST_FOLD, JUDGE_FOLD})
        print(f"{script}: {len(training)} texts", flush=True)
        ngrams = fit_ngrams(training)
        unseen = examples(passages, script, {JUDGE_FOLD}) + examples(
            judge_only, script, {*range(10)}, other_limit=150
        )
        model = fit_judge(ngrams, unseen)
        arrays |= {
            f"{script}_weights": ngrams.weights,
            f"{script}_scales": ngrams.scales,
            f"{script}_biases": ngrams.biases,
            f"{script}_judge_weights": model.judge_weights,
            f"{script}_judge_biases": model.judge_biases,
        }
        facts[script] = {
            "classes": ngrams.classes,
            "longest": LONGEST,
            "answers": model.answers,
            "texts": len(training),
            "judged": len(unseen),
        }
    arrays["facts"] = np.array(json.dumps({"scripts": facts}))
    WEIGHTS.mkdir(exist_ok=True)
    np.savez_compressed(WEIGHTS / WEIGHTS_FILE, **arrays)
    print(f"wrote {WEIGHTS / WEIGHTS_FILE}: {(WEIGHTS / WEIGHTS_FILE).stat().st_size / 1e6:.2f} MB")


def examples(
    passages: Iterable[Passage], script: str, folds: set[int], *, other_limit: int = _OTHER_LIMIT
) -> list[Example]:
    """Training texts of one script: sentences, short crops of them, their forms in other scripts or plain
    letters.

    Messages of catalogues are mostly shorter than sentences; they come in runs of one to eight, so that
    length does not tell the other languages from the nine.
    """
    source = random.Random(_SEED)  # noqa: S311 - sampling, not security
    sentences: dict[str, list[str]] = defaultdict(list)
    messages: dict[str, list[str]] = defaultdict(list)
    for passage in passages:
        if fold_of(passage.group) not in folds:
            continue
        kept = messages if passage.source in (*TRAINING_CATALOGUES, *JUDGE_CATALOGUES) else sentences
        for name, text in variants(passage, source):
            in_script = class_in_script(name, script)
            if in_script and main_script(text) == script and len(letters_only(text)) >= 3:
                kept[in_script].append(text)
    result: list[Example] = []
    for name in sorted(sentences):
        source.shuffle(sentences[name])
        for text in sentences[name][:_NATIVE_LIMIT]:
            result.append((name, text))
            words = text.split()
            if len(words) > 4:
                start = source.randrange(len(words) - 3)
                result.append((name, " ".join(words[start : start + source.randint(2, 6)])))
    for name in sorted(messages):
        if len(messages[name]) < _FEWEST_MESSAGES:
            continue
        limit = min(other_limit, 4 * len(messages[name])) if _answer(name) == OTHER else other_limit // 2
        for _ in range(limit):
            run = source.sample(messages[name], source.choice((1, 1, 2, 3, 4, 6, 8)))
            result.append((name, " ".join(run)[:400]))
    return result


def class_in_script(name: str, script: str) -> str | None:
    """The class that texts of ``name`` belong to when written in ``script``; None for what no one writes
    so."""
    if _answer(name) == OTHER:
        return name
    if script == "Latn":
        return name if name in ("az", "tr", "uz", "tk", "hu", "en", "kk-latin") else None
    names = {"kk": "kk", "ky": "ky", "ru": "ru", "az": "az-cyrillic", "uz": "uz-cyrillic"}
    return names.get(name.removesuffix("-cyrillic"))


def variants(passage: Passage, source: random.Random) -> list[Example]:
    """``(class, text)`` of a passage as it stands and as its language writes it otherwise."""
    language, text = passage.language, passage.text
    found: list[Example] = [(language, text)]
    if passage.source in (*TRAINING_CATALOGUES, *JUDGE_CATALOGUES):
        return found
    if language in ("az", "uz") and source.random() < 0.5:
        found.append((f"{language}-cyrillic", to_cyrillic(text, language)))
    if language == "kk" and source.random() < 0.6:
        found.append(("kk-latin", transliterate(text.lower(), source.choice(KAZAKH_TO_LATIN))))
    if language in ("tr", "az", "tk", "hu") and source.random() < 0.15:
        found.append((language, without_diacritics(text)))
    if language == "uz" and source.random() < 0.15:
        found.append((language, text.translate({ord(mark): None for mark in "'‘’ʻʼ`"})))
    return found


def feature_matrix(letters: Sequence[str]) -> csr_matrix:
    """Hashed n-gram features, one row for each text, (texts, ``BUCKETS``) float32."""
    indices: list[NDArray[np.int64]] = []
    values: list[NDArray[np.float32]] = []
    for text in tqdm(letters, desc="n-grams", unit="text", disable=None):
        found, counts = hashed_ngrams(text, LONGEST, BUCKETS)
        indices.append(found)
        values.append(counts)
    lengths = np.cumsum([0, *map(len, indices)])
    return csr_matrix(
        (np.concatenate(values), np.concatenate(indices), lengths), shape=(len(letters), BUCKETS)
    )


def fit_ngrams(training: list[Example]) -> NgramClassifier:
    """Fit one script's n-gram classifier."""
    names = [name for name, _ in training]
    sizes = Counter(names)
    classes = sorted(sizes)
    # A language of the nine weighs as much as several others together: it is what the service is asked about.
    weights = {name: (1.0 if name in OWN_CLASSES else 0.5) * 3000 / sizes[name] for name in classes}
    model = LogisticRegression(C=20.0, max_iter=120, tol=1e-3, class_weight=weights)
    model.fit(feature_matrix([letters_only(text) for _, text in training]), names)
    coefficients = np.ascontiguousarray(model.coef_.T, dtype=np.float32)
    scales = (np.abs(coefficients).max(axis=0) / 127).astype(np.float32)
    quantised = np.rint(coefficients / scales).astype(np.int8)
    return NgramClassifier(quantised, scales, model.intercept_.astype(np.float32), tuple(classes), LONGEST)


def fit_judge(ngrams: NgramClassifier, checking: list[Example]) -> ScriptModel:
    """Fit one script's judge on texts that the n-gram classifier did not see."""
    rows = [
        witness_features(ngrams, text) for _, text in tqdm(checking, desc="judge", unit="text", disable=None)
    ]
    names = [_answer(name) for name, _ in checking]
    sizes = Counter(names)
    # All of the nine alike; the other languages together three times as much as one of them.
    weights = {name: (3.0 if name == OTHER else 1.0) * 1000 / sizes[name] for name in sizes}
    model = LogisticRegression(C=0.1, max_iter=3000, class_weight=weights)
    model.fit(np.stack(rows), names)
    return ScriptModel(
        ngrams,
        model.coef_.T.astype(np.float32),
        model.intercept_.astype(np.float32),
        tuple(map(str, model.classes_)),
    )


def _answer(name: str) -> str:
    code = name.split("-")[0]
    return code if code in LANGUAGES else OTHER


if __name__ == "__main__":
    main()
