"""Texts for the language classifier: the parallel corpora for the nine languages, translated interfaces for
the others.

The others come from the message catalogues of two packages of the Python Package Index that carry
translations into many languages: ``django`` (BSD-3-Clause) and ``pycountry`` (LGPL-2.1, names of countries,
languages and currencies). Their texts in the nine languages are used too: otherwise "looks like an interface"
would pass for "another language". A third package, ``wagtail`` (BSD-3-Clause), trains the judge, which must
weigh the classifier on texts foreign to it; a fourth, ``sphinx`` (BSD-2-Clause), is kept for testing.
"""

from __future__ import annotations

import gettext
import gzip
import hashlib
import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import regex

from classifiers.text import LANGUAGES

TRAINING_CATALOGUES = ("django", "pycountry")
JUDGE_CATALOGUES = ("wagtail",)
TEST_CATALOGUES = ("sphinx",)

# Rows of the monolingual corpora that hold annotation or the parallel corpora again.
_SKIPPED_SOURCES = frozenset({"apertium-kdt-kk", "ntrex", "xwmt"})
_PLACEHOLDER = regex.compile(r"%\([^)]{0,40}\)[a-z]|%[a-z]|\{[^}]{0,40}\}|<[^>]{0,200}>|&\w{1,10};|\\n")
_SENTENCE = regex.compile(r"(?<=[.!?…])\s+(?=[\p{Lu}\"«“—])|\n+")


@dataclass(frozen=True, slots=True)
class Passage:
    """One text of known language. ``group`` is what must not fall on both sides of a split."""

    language: str
    text: str
    source: str
    group: str


def fold_of(group: str, folds: int = 10) -> int:
    """The fold of a group, the same in every run and on every machine."""
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") % folds


def read_parallel(data: Path) -> Iterator[Passage]:
    """News sentences of ``claims/parallel`` in the nine languages, each text once; NTREX documents and blocks
    of 25 rows of X-WMT are the groups."""
    seen: set[tuple[str, str]] = set()
    for path in sorted((data / "claims" / "parallel").glob("*.jsonl.gz")):
        source = "ntrex" if path.name.startswith("ntrex") else "xwmt"
        for number, row in enumerate(_rows(path)):
            group = f"ntrex-{row['doc']}" if source == "ntrex" else f"xwmt-{number // 25}"
            for language in LANGUAGES:
                text = str(row.get(language, "")).strip()
                if text and (language, text) not in seen:
                    seen.add((language, text))
                    yield Passage(language, text, source, group)


def read_monolingual(data: Path, limit: int) -> Iterator[Passage]:
    """Up to ``limit`` human-written sentences for each language out of ``ai_text``, the parallel corpora left
    out."""
    for language in LANGUAGES:
        count = 0
        for row in _rows(data / "ai_text" / f"{language}.jsonl.gz"):
            if row["source"] in _SKIPPED_SOURCES or (row["label"] != "human" and row["source"] != "mirrors"):
                continue
            if str(row["group"]).startswith("ntrex"):
                continue
            for sentence in _SENTENCE.split(str(row["text"])):
                if len(sentence) >= 20 and count < limit:
                    count += 1
                    yield Passage(language, sentence.strip(), str(row["source"]), str(row["group"]))


def read_catalogues(packages: tuple[str, ...]) -> Iterator[Passage]:
    """Translated messages of installed packages. Raises ``ModuleNotFoundError`` naming a package that is
    missing."""
    for package in packages:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError(
                f"Install the package {package!r}: its message catalogues hold training texts."
            )
        root = Path(next(iter(spec.submodule_search_locations)))
        for path in sorted(root.rglob("*.mo")):
            locale = path.parent.parent.name
            language = _language_of(locale)
            with path.open("rb") as stream:
                try:
                    catalogue = gettext.GNUTranslations(stream)._catalog  # type: ignore[attr-defined]
                except UnicodeDecodeError:
                    continue
            originals = {source if isinstance(source, str) else source[0] for source in catalogue}
            for source, translated in catalogue.items():
                original = source if isinstance(source, str) else source[0]
                text = _PLACEHOLDER.sub(" ", str(translated)).replace("_", " ").strip()
                # A message left in English, or a name that is the same in English, is no text in its
                # language.
                foreign = translated not in originals and not set(text.split()) <= set(original.split())
                if original and (foreign or language == "en") and len(text) >= 4:
                    yield Passage(language, text, package, f"{package}-{original[:80]}")


def _language_of(locale: str) -> str:
    language = locale.split("@")[0].replace("-", "_").split("_")[0]
    return {"no": "nb", "mo": "ro", "kmr": "ku"}.get(language, language)


def _rows(path: Path) -> Iterator[dict[str, object]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
