"""Batches for the encoder: human and machine side by side, of one length, languages in fixed shares."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from classifiers.training.ai_text.augment import augment
from classifiers.training.ai_text.corpus import SHUFFLED_SOURCES, Document
from classifiers.training.ai_text.crops import cut

#: Chance that a pair comes from one group (a human text and its machine version) where such groups exist.
_SAME_GROUP: Final = 0.5
#: Shuffled sentences differ from articles in cohesion: kept as hard negatives, not as what "human" means.
_SHUFFLED_SHARE: Final = 0.5
#: What a model only rewrote is the hardest to tell and learns slowest.
_REWRITTEN_SHARE: Final = 1.5
#: Languages whose corpora hold several sources and generators carry more of what transfers.
_LANGUAGE_SHARE: Final = {"en": 1.6, "ru": 1.9, "az": 1.5}


@dataclass(frozen=True, slots=True)
class Example:
    """One training text: detector view (perhaps damaged), class, kind, language and group."""

    text: str
    machine: bool
    label: str
    language: str
    group: str


class PairSampler:
    """Draws (human, machine) pairs of one language and about one length, for ever, reproducibly.

    Sources are drawn in proportion to the square root of their size, so that the largest outlet does not
    define its class; translated texts count half.
    """

    def __init__(self, documents: Sequence[Document], *, seed: int) -> None:
        self._generator = random.Random(seed)  # noqa: S311 - sampling, not secrecy
        sources: dict[tuple[str, bool], dict[str, list[Document]]] = defaultdict(lambda: defaultdict(list))
        groups: dict[tuple[str, str, bool], list[Document]] = defaultdict(list)
        for document in documents:
            key = f"{document.source}/{document.label}/{document.generator}"
            sources[(document.language, document.machine)][key].append(document)
            groups[(document.language, document.group, document.machine)].append(document)
        self.languages = sorted({lang for lang, machine in sources if machine and (lang, False) in sources})
        if not self.languages:
            raise ValueError("no language has both human and machine texts")
        self._shares = [_LANGUAGE_SHARE.get(language, 1.0) for language in self.languages]
        self._sources = sources
        self._groups = groups

    def state(self) -> tuple[object, ...]:
        """The generator's state, to resume with :meth:`restore`."""
        return self._generator.getstate()

    def restore(self, state: tuple[object, ...]) -> None:
        self._generator.setstate(state)

    def _draw(self, language: str, machine: bool) -> Document:
        sources = self._sources[(language, machine)]
        names = sorted(sources)
        shares = []
        for name in names:
            share = len(sources[name]) ** 0.5
            if name.split("/")[0] in SHUFFLED_SOURCES:
                share *= _SHUFFLED_SHARE
            if "/ai_translated/" in name:
                share *= 0.5
            if "/ai_rewritten/" in name:
                share *= _REWRITTEN_SHARE
            shares.append(share)
        name = self._generator.choices(names, shares)[0]
        return self._generator.choice(sources[name])

    def _pair(self) -> tuple[Document, Document]:
        language = self._generator.choices(self.languages, self._shares)[0]
        machine = self._draw(language, True)
        mirrors = self._groups.get((language, machine.group, False))
        if mirrors and self._generator.random() < _SAME_GROUP:
            return self._generator.choice(mirrors), machine
        return self._draw(language, False), machine

    def batch(self, pairs: int, *, shortest: int, longest: int) -> list[Example]:
        """Return ``2 * pairs`` examples of about one length (words, log-uniform between the two ends)."""
        target = round(shortest * (longest / shortest) ** self._generator.random())
        examples: list[Example] = []
        for _ in range(pairs):
            for document in self._pair():
                wanted = max(shortest, round(target * self._generator.uniform(0.85, 1.15)))
                crop = cut(document, wanted, self._generator)
                text = augment(crop.text, document.language, self._generator)
                examples.append(
                    Example(text, document.machine, document.label, document.language, document.group)
                )
        return examples
