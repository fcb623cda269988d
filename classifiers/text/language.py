"""Which of the nine languages a text is in, or that it is in another, and in which script.

Two witnesses and a judge for each of the two scripts. Our own linear classifier over character n-grams knows
the nine languages in their usual and their other scripts (Cyrillic Azerbaijani and Uzbek, Latin Kazakh) and
typed without diacritics; the library py3langid knows 140 languages in their usual script. A
logistic regression over both gives the answer. Text in any further script is in another language.
``MODEL_CARD.md`` beside the weights has the figures.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import regex
from numpy.typing import NDArray
from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

from classifiers.text.character_ngrams import hashed_ngrams, letters_only
from classifiers.text.hidden_characters import find_hidden
from classifiers.text.homoglyphs import find_homoglyphs
from classifiers.text.mapped import MappedText

LANGUAGES = ("az", "kk", "ky", "tr", "uz", "tk", "hu", "ru", "en")
OTHER = "other"

WEIGHTS_FILE = "language.npz"

# Classes of the n-gram classifier and of py3langid that the judge sees; all their other classes count for
# OTHER.
OWN_CLASSES = (*LANGUAGES, "az-cyrillic", "uz-cyrillic", "kk-latin", OTHER)
LIBRARY_CLASSES = (*LANGUAGES, "crh", "tt", "ba", OTHER)
_FLOOR = 1e-6
_LIBRARY_SURE = 0.97

# A long text is judged by its beginning, middle and end, this many characters each.
_SAMPLE = 1200

_SCRIPTS = {
    "Latn": regex.compile(r"\p{Latin}"),
    "Cyrl": regex.compile(r"\p{Cyrillic}"),
    "Arab": regex.compile(r"\p{Arabic}"),
}
_LETTER = regex.compile(r"\p{L}")
UNKNOWN_SCRIPT = "Zyyy"


# Letters that settle what n-grams alone confuse: close relatives of the nine that were scarce in training.
# The language writes one of these every few words (or, in Latin script, no diacritics at all); Tatar, Bashkir
# and Crimean Tatar never do.
_NEEDED_LETTERS = {("az", "Cyrl"): "јҝҹ", ("kk", "Cyrl"): "қғұі", ("uz", "Cyrl"): "ўқғҳ", ("az", "Latn"): "ə"}
# Letters that the language does not have and its relatives (Crimean Tatar, Tatar, Bashkir, Karakalpak,
# Ukrainian) do.
_FOREIGN_LETTERS = {
    ("kk", "Latn"): "çâ",
    ("az", "Latn"): "ñňý",
    ("tr", "Latn"): "əñňý",
    ("tk", "Latn"): "ğıñqxâə",
    ("uz", "Latn"): "ğışçñəý",
    ("uz", "Cyrl"): "ыщңөүәҙҫ",
    ("kk", "Cyrl"): "җҙҫҡҹҝјҳўҥ",
    ("ky", "Cyrl"): "җҙҫҡҹҝјҳўәқғұіҕҥ",
    ("ru", "Cyrl"): "ңөүәқғһўҳјїєґљњђћќѓҙҫҡ",
}
_FOREIGN_SHARE = 0.013
# In shorter texts the absence of a letter proves nothing.
_FEWEST_LETTERS = 30


@dataclass(frozen=True, slots=True)
class Language:
    """``code`` is one of ``LANGUAGES`` or "other"; ``script`` is "Latn", "Cyrl", "Arab" or "Zyyy" (another,
    or no letters).

    ``confidence`` is the probability of ``code``, calibrated on held-out texts; it is lower for short texts.
    """

    code: str
    script: str
    confidence: float


@dataclass(frozen=True)
class NgramClassifier:
    """Softmax regression over hashed n-grams for the languages of one script.

    ``weights`` is (buckets, classes) int8, multiplied by ``scales`` (classes); ``biases`` is (classes).
    """

    weights: NDArray[np.int8]
    scales: NDArray[np.float32]
    biases: NDArray[np.float32]
    classes: tuple[str, ...]
    longest: int

    def probabilities(self, letters: str) -> dict[str, float]:
        """Probability of each of ``OWN_CLASSES`` for text as ``letters_only`` gives it."""
        buckets, values = hashed_ngrams(letters, self.longest, len(self.weights))
        logits = (values @ self.weights[buckets].astype(np.float32)) * self.scales + self.biases
        exponentials = np.exp(logits - logits.max())
        shares = exponentials / exponentials.sum()
        return _grouped(zip(self.classes, shares.tolist(), strict=True), OWN_CLASSES)


@dataclass(frozen=True)
class ScriptModel:
    """The judge of one script: ``judge_weights`` is (witnessed classes, answers), ``answers`` are language
    codes."""

    ngrams: NgramClassifier
    judge_weights: NDArray[np.float32]
    judge_biases: NDArray[np.float32]
    answers: tuple[str, ...]

    def probabilities(self, features: NDArray[np.float32]) -> dict[str, float]:
        """Probability of each of ``answers``, from the ``witness_features`` of a text."""
        logits = features @ self.judge_weights + self.judge_biases
        exponentials = np.exp(logits - logits.max())
        return dict(zip(self.answers, (exponentials / exponentials.sum()).tolist(), strict=True))


def witness_features(ngrams: NgramClassifier, sample: str) -> NDArray[np.float32]:
    """Log probabilities of ``OWN_CLASSES`` and ``LIBRARY_CLASSES`` for one text, floored so that no witness
    has a veto."""
    own = ngrams.probabilities(letters_only(sample))
    library = _grouped(_library_identifier().rank(sample), LIBRARY_CLASSES)
    return np.log(np.maximum([*own.values(), *library.values()], _FLOOR)).astype(np.float32)


def _grouped(shares: Iterable[tuple[str, float]], classes: tuple[str, ...]) -> dict[str, float]:
    """Shares summed by class; what is in none of ``classes`` counts for ``OTHER``."""
    summed = dict.fromkeys(classes, 0.0)
    for name, share in shares:
        summed[name if name in summed else OTHER] += share
    return summed


@cache
def _library_identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@cache
def load_script_models() -> dict[str, ScriptModel]:
    """The packaged classifiers by script; loads the library's model too."""
    _library_identifier()
    models: dict[str, ScriptModel] = {}
    with resources.files("classifiers.text").joinpath("weights", WEIGHTS_FILE).open("rb") as stream:
        arrays = np.load(stream, allow_pickle=False)
        facts = json.loads(str(arrays["facts"]))
        for script, fact in facts["scripts"].items():
            ngrams = NgramClassifier(
                weights=arrays[f"{script}_weights"],
                scales=arrays[f"{script}_scales"],
                biases=arrays[f"{script}_biases"],
                classes=tuple(fact["classes"]),
                longest=fact["longest"],
            )
            models[script] = ScriptModel(
                ngrams,
                arrays[f"{script}_judge_weights"],
                arrays[f"{script}_judge_biases"],
                tuple(fact["answers"]),
            )
    return models


def identify_language(text: str) -> Language:
    """Identify the language and script of ``text``; text without letters is ``Language("other", "Zyyy",
    0.0)``."""
    sample = visible_sample(text)
    script = main_script(sample)
    model = load_script_models().get(script)
    if model is None:
        return Language(OTHER, script, 1.0 if _LETTER.search(sample) else 0.0)
    features = witness_features(model.ngrams, sample)
    if _library_rules_out(features):
        return Language(OTHER, script, float(np.exp(features[-1])))
    shares = model.probabilities(features)
    letters = letters_only(sample)
    allowed = {code: share for code, share in shares.items() if _spelling_allows(letters, code, script)}
    code = max(allowed, key=allowed.__getitem__)
    return Language(code, script, allowed[code] / sum(allowed.values()))


def _library_rules_out(features: NDArray[np.float32]) -> bool:
    """Whether the library is sure of another language, and the text in no script form that only we know."""
    own_forms = np.exp(features[len(LANGUAGES) : len(OWN_CLASSES) - 1]).sum()
    return bool(np.exp(features[-1]) > _LIBRARY_SURE and own_forms < 0.5)


def _spelling_allows(letters: str, code: str, script: str) -> bool:
    """Whether the letters of a text can be those of a language; ``OTHER`` can have any."""
    if len(letters) < _FEWEST_LETTERS:
        return True
    needed = _NEEDED_LETTERS.get((code, script), "")
    if needed and not letters.isascii() and not any(letter in letters for letter in needed):
        return False
    foreign = sum(map(letters.count, _FOREIGN_LETTERS.get((code, script), "")))
    # Latin-script news holds names in the spelling of neighbours; Cyrillic news respells them.
    return foreign <= max(1.0 if script == "Latn" else 0.0, _FOREIGN_SHARE * len(letters))


def visible_sample(text: str) -> str:
    """Up to three pieces of ``text``, without hidden characters and with look-alike letters folded back."""
    if len(text) > 3 * _SAMPLE:
        middle = (len(text) - _SAMPLE) // 2
        text = f"{text[:_SAMPLE]} {text[middle : middle + _SAMPLE]} {text[-_SAMPLE:]}"
    mapped = MappedText(text)
    mapped.delete((position, position + 1) for position, _ in find_hidden(text))
    mapped.substitute(find_homoglyphs(mapped.text)[0])
    return mapped.text


def main_script(text: str) -> str:
    """The script of most letters of ``text``; ``UNKNOWN_SCRIPT`` for other scripts and for text without
    letters."""
    counts = {script: len(pattern.findall(text)) for script, pattern in _SCRIPTS.items()}
    script = max(counts, key=counts.__getitem__)
    if counts[script] == 0 or 2 * counts[script] < len(_LETTER.findall(text)):
        return UNKNOWN_SCRIPT
    return script
