"""Which of the nine languages a text is in, or that it is in another, and in which script.

A linear classifier over character n-grams for each of the two scripts tells the nine languages, in their usual and their
other scripts (Cyrillic Azerbaijani, Uzbek and Turkmen, Latin Kazakh), from each other and from some ninety others. Text in any
further script is in another language. ``MODEL_CARD.md`` beside the weights has the figures.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import regex
from numpy.typing import NDArray

from classifiers.text.character_ngrams import hashed_ngrams, letters_only
from classifiers.text.hidden_characters import find_hidden
from classifiers.text.homoglyphs import find_homoglyphs
from classifiers.text.mapped import MappedText

LANGUAGES = ("az", "kk", "ky", "tr", "uz", "tk", "hu", "ru", "en")
OTHER = "other"

WEIGHTS_FILE = "language.npz"

# A long text is judged by its beginning, middle and end, this many characters each.
_SAMPLE = 1200

_SCRIPTS = {
    "Latn": regex.compile(r"\p{Latin}"),
    "Cyrl": regex.compile(r"\p{Cyrillic}"),
    "Arab": regex.compile(r"\p{Arabic}"),
}
_LETTER = regex.compile(r"\p{L}")
UNKNOWN_SCRIPT = "Zyyy"


@dataclass(frozen=True, slots=True)
class Language:
    """``code`` is one of ``LANGUAGES`` or "other"; ``script`` is "Latn", "Cyrl", "Arab" or "Zyyy" (another, or no letters).

    ``confidence`` is the probability of ``code``, calibrated on held-out texts; it is lower for short texts.
    """

    code: str
    script: str
    confidence: float


@dataclass(frozen=True)
class ScriptModel:
    """Softmax regression over hashed n-grams for the languages of one script.

    ``weights`` is (buckets, classes) int8, multiplied by ``scales`` (classes); ``biases`` is (classes). Several classes may
    stand for one language code.
    """

    weights: NDArray[np.int8]
    scales: NDArray[np.float32]
    biases: NDArray[np.float32]
    classes: tuple[str, ...]
    longest: int
    temperature: float

    def probabilities(self, letters: str) -> dict[str, float]:
        """Probability of each of the nine languages and of ``OTHER`` for text as ``letters_only`` gives it."""
        buckets, values = hashed_ngrams(letters, self.longest, len(self.weights))
        logits = (values @ self.weights[buckets].astype(np.float32)) * self.scales + self.biases
        logits = logits / self.temperature
        exponentials = np.exp(logits - logits.max())
        shares = exponentials / exponentials.sum()
        summed = dict.fromkeys((*LANGUAGES, OTHER), 0.0)
        for name, share in zip(self.classes, shares.tolist(), strict=True):
            code = name.split("-")[0]
            summed[code if code in LANGUAGES else OTHER] += share
        return summed


@cache
def load_script_models() -> dict[str, ScriptModel]:
    """The packaged classifiers by script."""
    models: dict[str, ScriptModel] = {}
    with resources.files("classifiers.text").joinpath("weights", WEIGHTS_FILE).open("rb") as stream:
        arrays = np.load(stream, allow_pickle=False)
        facts = json.loads(str(arrays["facts"]))
        for script, fact in facts["scripts"].items():
            models[script] = ScriptModel(
                weights=arrays[f"{script}_weights"],
                scales=arrays[f"{script}_scales"],
                biases=arrays[f"{script}_biases"],
                classes=tuple(fact["classes"]),
                longest=fact["longest"],
                temperature=fact["temperature"],
            )
    return models


def identify_language(text: str) -> Language:
    """Identify the language and script of ``text``; text without letters is ``Language("other", "Zyyy", 0.0)``."""
    sample = visible_sample(text)
    script = main_script(sample)
    model = load_script_models().get(script)
    letters = letters_only(sample)
    if model is None:
        return Language(OTHER, script, 1.0 if _LETTER.search(sample) else 0.0)
    probabilities = model.probabilities(letters)
    code = max(probabilities, key=probabilities.__getitem__)
    return Language(code, script, float(probabilities[code]))


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
    """The script of most letters of ``text``; ``UNKNOWN_SCRIPT`` for other scripts and for text without letters."""
    counts = {script: len(pattern.findall(text)) for script, pattern in _SCRIPTS.items()}
    script = max(counts, key=counts.__getitem__)
    if counts[script] == 0 or 2 * counts[script] < len(_LETTER.findall(text)):
        return UNKNOWN_SCRIPT
    return script
