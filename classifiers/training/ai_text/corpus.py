"""Reading the detector's corpora: repair what a source did to its texts, then join what must not be
separated.

Every repair undoes a property of the *collection* (annotation instead of text, blanks before commas, headings
that only one class carries), because a detector trained on such a property scores perfectly and knows
nothing.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final, Literal

import regex

from classifiers.ai_text.view import detector_view
from classifiers.text import canonicalise, count_words, split_sentences
from classifiers.training.ai_text.further_sources import human_passages, written_texts
from classifiers.training.ai_text.splits import part_of

Label = Literal["human", "ai", "ai_rewritten", "ai_translated"]
LABELS: Final[tuple[Label, ...]] = ("human", "ai", "ai_rewritten", "ai_translated")

#: Sources whose texts are runs of unrelated sentences: usable as hard negatives, not as articles.
SHUFFLED_SOURCES: Final = frozenset(
    {
        "kaznerd-kk",
        "nerkor-hu",
        "apertium-kdt-kk",
        "climate-fever-en",
        "healthver-en",
        "fm2-en",
        "posts-en",
        "posts-tr",
    }
)
#: Those of them that stand in pieces far shorter than an article.
_SHORT_RUNS: Final = frozenset({"kaznerd-kk", "apertium-kdt-kk"})
_JOINED_WORDS: Final = 110
#: Sources of professional translations.
TRANSLATED_SOURCES: Final = frozenset({"ntrex", "xwmt"})

_LABEL_PREFIX: Final = regex.compile(
    r"^\W*(?:Başlıq|Məzmun|İçərik|Mətn|Xəbər|Title|Headline|Content|Article|Заголовок|Текст|Cím|Başlık)\s*:\W*",
    regex.IGNORECASE | regex.MULTILINE,
)
_CG3_SURFACE: Final = regex.compile(r'^"<(.*)>"$', regex.MULTILINE)
_TERMINAL: Final = regex.compile(r"[.!?…:;][\"”»'’)*_\]]*$")
_SHINGLE_WORDS: Final = 12
#: A rewrite that keeps so many of its original's word triples is the original.
_COPIED_SHARE: Final = 0.7
#: A sentence that stands in so many texts is the outlet's ("click the picture to watch"), not the author's.
_BOILERPLATE_TEXTS: Final = 5


@dataclass(frozen=True, slots=True)
class Document:
    """One text with its origin.

    ``sentences`` are detector views, in order; ``group`` names the documents that must stay on one side of
    every split; ``attack`` names how the text was attacked by its source, empty for untouched texts.
    """

    id: str
    language: str
    label: Label
    generator: str
    domain: str
    source: str
    group: str
    attack: str
    sentences: tuple[str, ...]
    words: int

    @property
    def machine(self) -> bool:
        return self.label != "human"

    @property
    def view(self) -> str:
        return " ".join(self.sentences)


def languages_in(folder: Path) -> list[str]:
    """Language codes that have a corpus file in ``folder/ai_text``, in code order.

    Raises:
        FileNotFoundError: the folder holds no such file.
    """
    found = sorted(path.name.split(".")[0] for path in (folder / "ai_text").glob("*.jsonl.gz"))
    if not found:
        raise FileNotFoundError(f"no LANG.jsonl.gz under {folder / 'ai_text'}")
    return found


def read_rows(folder: Path, language: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of one language's corpus file as they stand."""
    with gzip.open(folder / "ai_text" / f"{language}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def repair(text: str, source: str) -> str:
    """Undo what the collection did to a text: annotation, field names, heading lines."""
    if source == "apertium-kdt-kk":
        return " ".join(_CG3_SURFACE.findall(text))
    text = _LABEL_PREFIX.sub("", text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 1:
        prose = [line for line in lines if len(line.split()) > 14 or _TERMINAL.search(line)]
        # A text of nothing but short lines is verse or a list: keep it as it is rather than losing it.
        text = "\n".join(prose if prose else lines)
    return text


def _attack_of(domain: str) -> str:
    """Name the attack a DetectRL domain stands for; empty for plain generations and plain human texts."""
    parts = domain.split("/")
    if len(parts) > 1:
        return parts[-1]
    return parts[0] if parts[0].startswith(("paraphrase_", "adversarial_", "prompt_")) else ""


def _mislabelled(row: dict[str, Any]) -> bool:
    """Texts of mixed authorship under one label, and human texts that a model paraphrased (DetectRL)."""
    domain = row["domain"]
    return "Data_Mixing" in domain or (
        row["label"] == "human" and "paraphrase" in domain and "human" in domain
    )


def _join_short_runs(rows: list[dict[str, Any]], at_least: int) -> list[dict[str, Any]]:
    """Concatenate runs of unrelated sentences, in order of their groups, to ``at_least`` words and more.

    No joined text crosses a split: a run ends where the part of its groups does.
    """
    joined: list[dict[str, Any]] = []
    for part in ("train", "calibration", "test"):
        pending: list[dict[str, Any]] = []
        for row in sorted(rows, key=lambda row: str(row["group"])):
            if part_of(row["group"]) != part:
                continue
            pending.append(row)
            if sum(len(item["text"].split()) for item in pending) >= at_least:
                text = " ".join(item["text"] for item in pending)
                joined.append({**pending[0], "text": text})
                pending = []
    return joined


def _repaired_rows(folder: Path, language: str) -> list[dict[str, Any]]:
    read = chain(read_rows(folder, language), human_passages(folder, language))
    rows = [{**row, "text": repair(row["text"], row["source"])} for row in read]
    short = [row for row in rows if row["source"] in _SHORT_RUNS]
    return [row for row in rows if row["source"] not in _SHORT_RUNS] + [
        joined
        for source in sorted({row["source"] for row in short})
        for joined in _join_short_runs([row for row in short if row["source"] == source], _JOINED_WORDS)
    ]


def load_documents(folder: Path, language: str, *, at_least_words: int = 40) -> list[Document]:
    """Load one language's documents through the canonical form and the detector view.

    Left out are texts whose label does not fit (:func:`_mislabelled`), sentences that recur across texts (an
    outlet's furniture) and documents shorter than ``at_least_words``.
    """
    rows = [row for row in _repaired_rows(folder, language) if not _mislabelled(row)]
    return _documents(rows, language, at_least_words)


def load_written(language: str) -> list[Document]:
    """The project's own machine-written texts of one language, as :func:`load_documents` gives others."""
    return _documents(list(written_texts(language)), language, at_least_words=40)


def _documents(rows: list[dict[str, Any]], language: str, at_least_words: int) -> list[Document]:
    texts = [_sentence_views(row["text"], language) for row in rows]
    seen = Counter(sentence.lower() for sentences in texts for sentence in set(sentences))
    documents: list[Document] = []
    for row, all_sentences in zip(rows, texts, strict=True):
        sentences = tuple(
            sentence for sentence in all_sentences if seen[sentence.lower()] < _BOILERPLATE_TEXTS
        )
        words = sum(count_words(sentence) for sentence in sentences)
        if words < at_least_words:
            continue
        documents.append(
            Document(
                id=row["id"],
                language=language,
                label=row["label"],
                generator=row["generator"] or "",
                domain=row["domain"],
                source=row["source"],
                group=row["group"],
                attack=_attack_of(row["domain"]) if row["source"] == "detectrl" else "",
                sentences=sentences,
                words=words,
            )
        )
    return documents


def _sentence_views(text: str, language: str) -> list[str]:
    canonical = canonicalise(text).text
    views = (detector_view(canonical[s.start : s.end]) for s in split_sentences(canonical, language))
    return [view for view in views if view]


def _shingles(document: Document) -> set[int]:
    """Hashes of every eighth (by hash) 12-word shingle: enough to find copies, cheap to hold."""
    words = regex.findall(r"\w+", document.view.lower())
    found = set()
    for start in range(len(words) - _SHINGLE_WORDS + 1):
        digest = hashlib.blake2b(
            " ".join(words[start : start + _SHINGLE_WORDS]).encode(), digest_size=8
        ).digest()
        value = int.from_bytes(digest, "big")
        if value % 8 == 0:
            found.add(value)
    return found


def join_near_duplicates(documents: Iterable[Document]) -> list[Document]:
    """Give documents that share a 12-word shingle one group, so that no copy crosses a split."""
    documents = list(documents)
    parent: dict[str, str] = {document.group: document.group for document in documents}

    def root(group: str) -> str:
        while parent[group] != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    owner: dict[int, str] = {}
    for document in documents:
        for shingle in _shingles(document):
            other = owner.setdefault(shingle, document.group)
            first, second = sorted((root(other), root(document.group)))
            parent[second] = first
    return [replace(document, group=root(document.group)) for document in documents]


def drop_copies(documents: Sequence[Document]) -> list[Document]:
    """Leave out rewrites that took most of their word triples from a human text of their group.

    A quarter of the Azerbaijani rewrites return the article as it was. To call those machine-written would
    teach a detector to flag the article.
    """
    human: dict[tuple[str, str], list[set[tuple[str, ...]]]] = {}
    for document in documents:
        if not document.machine:
            human.setdefault((document.language, document.group), []).append(_triples(document))
    kept = []
    for document in documents:
        originals = human.get((document.language, document.group), [])
        if document.label == "ai_rewritten" and originals:
            own = _triples(document)
            if max(len(own & original) for original in originals) >= _COPIED_SHARE * max(1, len(own)):
                continue
        kept.append(document)
    return kept


def _triples(document: Document) -> set[tuple[str, ...]]:
    words = document.view.lower().split()
    return set(zip(words, words[1:], words[2:], strict=False))
