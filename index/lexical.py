"""Finding records by their words, in any of the scripts that a language is written in.

Two fields, both scored by BM25 (tantivy): *words* in the lower case of their language, and *letters*, groups
of four letters of every word after all scripts are brought to one Latin spelling by sound. Letter groups
survive case endings and spelling, and a word in Uzbek Cyrillic meets the same word in Uzbek Latin there.

The index is derived from the database, like the vectors: it lies in one folder that all processes share, says
in the same commit which revision it holds, and is built again where it is missing, of another database or
unreadable. A commit replaces one small file at its end, so a killed writer leaves the state before.
"""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tantivy
from tqdm import tqdm

from classifiers.stance.latin import sound_key, to_latin
from classifiers.text import canonicalise, fold_case
from index.passage_ids import ORDINAL_BITS
from index.ports import RecordRepository, StoredRecord

GROUP_LETTERS = 4

_FORMAT = 2
_STATE_ID = -1
_WORD = re.compile(r"\w+")
_DIGIT = re.compile(r"\d")
_DOCUMENTS_AT_ONCE = 512
_COMMIT_DOCUMENTS = 20_000
_WRITER_BYTES = 32_000_000
# A question longer than this is an article; its first words are enough to look for.
_REMOVAL_SECONDS = 5.0
_MAX_QUERY_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class LexicalScores:
    """What a question's words found: BM25 by document number, the best passage of each, best first."""

    words: dict[int, float]
    letters: dict[int, float]


@dataclass(frozen=True, slots=True)
class _State:
    store_id: str
    revision: int


class LexicalIndex:
    """The words of one collection of records, equal to the database up to `revision`.

    Safe to use from threads, and from several processes on one folder. `load` comes first; then `refresh`
    before each search takes in what was committed.
    """

    def __init__(self, repository: RecordRepository, folder: Path) -> None:
        self._repository = repository
        self._folder = folder
        self._changing = threading.Lock()
        self._index: tantivy.Index | None = None
        self._searcher: tantivy.Searcher | None = None
        self._revision = 0
        self.notices: list[str] = []
        """What a person should know about how the index came up, in sentences."""

    @property
    def revision(self) -> int:
        """Revision of the database that this index equals."""
        return self._revision

    def __len__(self) -> int:
        """Number of passages held."""
        return max(0, self._searcher.num_docs - 1) if self._searcher is not None else 0

    def load(self, *, progress: bool = False) -> None:
        """Open the folder and catch up with the database; build anew what cannot be used."""
        with self._changing, self._locked():
            problem = self._open()
            if problem is not None:
                if problem:
                    self.notices.append(f"words of the records: {problem}; rebuilt from the database")
                self._create()
            self._follow(progress=progress)

    def refresh(self) -> None:
        """Take in everything committed before this call, by this or another process."""
        if self._repository.revision() == self._revision:
            return
        with self._changing:
            if self._reloaded() and self._repository.revision() == self._revision:
                return
            with self._locked():
                # Another process may have caught up for all of us, or begun anew, while this one waited.
                found = self._reloaded() and self._state() is not None
                if not found or self._repository.revision() < self._revision:
                    self._create()
                self._follow(progress=False)

    def rebuild(self, *, progress: bool = False) -> None:
        """Build the index anew from the database."""
        with self._changing, self._locked():
            self._create()
            self._follow(progress=progress)

    def scores(
        self, text: str, language: str, limit: int, *, among: Collection[int] | None = None
    ) -> LexicalScores:
        """The BM25 scores of the `limit` best passages for the words, and for the letters, of a question; of
        the documents numbered in `among` alone where given.
        """
        searcher = self._searcher
        if searcher is None:
            return LexicalScores({}, {})
        words = words_of(text[:_MAX_QUERY_CHARS], language)
        return LexicalScores(
            self._best(searcher, "words", words, limit, among),
            self._best(searcher, "letters", letter_groups(words, language), limit, among),
        )

    def _best(
        self,
        searcher: tantivy.Searcher,
        field: str,
        terms: Sequence[str],
        limit: int,
        among: Collection[int] | None,
    ) -> dict[int, float]:
        if not terms:
            return {}
        query = tantivy.Query.boolean_query(
            [
                (tantivy.Occur.Should, tantivy.Query.term_query(_SCHEMA, field, term, "freq"))
                for term in sorted(set(terms))
            ]
        )
        if among is not None:
            numbered = tantivy.Query.term_set_query(_SCHEMA, "number", sorted(among))
            unscored = tantivy.Query.const_score_query(numbered, 0.0)
            query = tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, unscored)])
        hits = searcher.search(query, limit, count=False).hits
        ids = searcher.fast_field_values("id", [address for _, address in hits])
        found: dict[int, float] = {}
        for (score, _), passage in zip(hits, ids, strict=True):
            found.setdefault(int(passage or 0) >> ORDINAL_BITS, float(score))
        return found

    def _follow(self, *, progress: bool) -> None:
        """Apply all changes after the revision held; the caller holds both locks."""
        since, store_id = self._revision, self._repository.store_id()
        if self._repository.revision() == since:
            return
        assert self._index is not None
        writer = self._index.writer(_WRITER_BYTES, 1)
        # What a process wrote that was killed before its commit lies in the way of the same commit.
        writer.garbage_collect_files()
        written = 0
        with tqdm(desc="index words", unit="record", disable=not progress, leave=False) as bar:
            while changed := self._repository.changed(since, _DOCUMENTS_AT_ONCE):
                stored = self._repository.fetch([number for number, _ in changed])
                for number, revision in changed:
                    writer.delete_documents_by_term("number", number)
                    for document in _documents(stored[number]) if number in stored else ():
                        writer.add_document(document)
                    since = revision
                written += len(changed)
                bar.update(len(changed))
                if written >= _COMMIT_DOCUMENTS:
                    self._commit(writer, _State(store_id, since))
                    written = 0
        self._commit(writer, _State(store_id, since))
        writer.wait_merging_threads()
        self._reload()

    @staticmethod
    def _commit(writer: tantivy.IndexWriter, state: _State) -> None:
        # Words and revision change in one commit: no crash can part them.
        writer.delete_documents_by_term("id", _STATE_ID)
        content = json.dumps({"format": _FORMAT, "store_id": state.store_id, "revision": state.revision})
        writer.add_document(tantivy.Document(id=_STATE_ID, state=content))
        writer.commit()

    def _open(self) -> str | None:
        """Take the folder's index over; returns why not, in words, or "" where there is none yet."""
        path = self._folder / "words"
        if not (path / "meta.json").exists():
            return ""
        try:
            self._index = tantivy.Index(_SCHEMA, str(path))
            self._reload()
            state = self._state()
        except (ValueError, OSError) as error:
            return f"the index cannot be read: {str(error).splitlines()[0]}"
        if state is None:
            # Nothing in it at all: whoever began it was killed before the first commit.
            assert self._searcher is not None
            return "the index is of another version" if self._searcher.num_docs else ""
        if state.store_id != self._repository.store_id():
            return "the index belongs to another database"
        if state.revision > self._repository.revision():
            return "the index is newer than the database"
        return None

    def _create(self) -> None:
        path = self._folder / "words"
        # First what makes it an index: whoever is killed here leaves none, not a damaged one.
        (path / "meta.json").unlink(missing_ok=True)
        # Readers of the old index keep their open files.
        deadline = time.monotonic() + _REMOVAL_SECONDS
        shutil.rmtree(path, ignore_errors=True)
        while path.exists() and time.monotonic() < deadline:
            time.sleep(0.02)  # another process was just writing a file into it
            shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        self._index = tantivy.Index(_SCHEMA, str(path))
        self._reload()

    def _reloaded(self) -> bool:
        """Take over what another process has written; says whether it can be read. It cannot while that one
        builds the folder anew, or was killed doing so.
        """
        try:
            self._reload()
        except (ValueError, OSError):
            return False
        return True

    def _reload(self) -> None:
        assert self._index is not None
        try:
            self._index.reload()
        except ValueError:  # another process has built the folder anew
            self._index = tantivy.Index.open(str(self._folder / "words"))
            self._index.reload()
        self._searcher = self._index.searcher()
        state = self._state()
        self._revision = state.revision if state is not None else 0

    def _state(self) -> _State | None:
        assert self._searcher is not None
        hits = self._searcher.search(tantivy.Query.term_query(_SCHEMA, "id", _STATE_ID), 1).hits
        if not hits:
            return None
        content = json.loads(self._searcher.doc(hits[0][1]).get_first("state") or "{}")
        if content.get("format") != _FORMAT:
            return None
        return _State(content["store_id"], content["revision"])

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("ab") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield  # closing the file releases the lock, and so does the death of the process


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("id", indexed=True, fast=True)
    builder.add_integer_field("number", indexed=True)
    builder.add_text_field("words", tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("letters", tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("state", stored=True, tokenizer_name="raw", index_option="basic")
    return builder.build()


_SCHEMA = _schema()


def _documents(stored: StoredRecord) -> Iterator[tantivy.Document]:
    """Claim and headline together, then each window of the text: lengths that BM25 can compare."""
    record = stored.record
    language = (record.language or "other").partition("-")[0]
    heading = record.claim if record.title in (None, record.claim) else f"{record.claim} {record.title}"
    yield _document(stored.number, 0, heading, language)
    for ordinal, passage in enumerate(stored.passages):
        if passage.field == "text" and record.text is not None:
            yield _document(stored.number, ordinal, record.text[passage.start : passage.end], language)


def _document(number: int, ordinal: int, text: str, language: str) -> tantivy.Document:
    words = words_of(text, language)
    return tantivy.Document(
        id=(number << ORDINAL_BITS) + ordinal,
        number=number,
        words=" ".join(words),
        letters=" ".join(letter_groups(words, language)),
    )


def words_of(text: str, language: str) -> list[str]:
    """The words of a text in canonical form and lower case, dotted and dotless i as its language has them."""
    folded = fold_case(canonicalise(text).text or text, language)
    if language == "uz":  # the apostrophe is part of the letters o' and g', which Cyrillic writes as one
        folded = folded.replace("'", "")
    return _WORD.findall(folded)


def spelling(word: str, language: str) -> str:
    """A word in its Latin spelling by sound; one with digits without the sounds, by which 11 would be 1."""
    return to_latin(word, language) if _DIGIT.search(word) else sound_key(word, language)


def letter_groups(words: Sequence[str], language: str) -> list[str]:
    """Every four letters in a row of each word in its Latin spelling by sound, its edges marked with _."""
    groups = []
    for word in words:
        key = spelling(word, language)
        if key:
            marked = f"_{key}_"
            last = max(1, len(marked) - GROUP_LETTERS + 1)
            groups += [marked[first : first + GROUP_LETTERS] for first in range(last)]
    return groups
