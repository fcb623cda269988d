"""The words of the records: found across scripts, following every write, surviving restarts and damage."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from index.lexical import LexicalIndex, letter_groups, words_of
from index.passage_index import PassageIndex
from index.records import VerifiedRecord
from index.search import FARTHER_HEADING_WEIGHT, FUSED_SCALE, Found, Question, RecordSearch, fuse
from index.snapshot import SnapshotFolder
from service.records import RecordIngest
from service.store import Store, open_store

CLAIMS = {
    "lake": ("en", "The lake near the old mill is nine metres deep."),
    "bridge": ("en", "The railway bridge over the river opened in 1957."),
    "market": ("uz", "Chorsu bozori yangi qurilgan binoga ko'chirildi."),
    "school": ("kk", "Қаладағы мектептер жаңа оқулықтар алды."),
}


def record(record_id: str, claim: str, language: str = "en", **fields: Any) -> VerifiedRecord:
    return VerifiedRecord.model_validate({"id": record_id, "claim": claim, "language": language, **fields})


Open = Callable[..., LexicalIndex]


@pytest.fixture
def open_words(store: Store, tmp_path: Path) -> Open:
    def opened(at: Store | None = None) -> LexicalIndex:
        words = LexicalIndex((at or store).records, tmp_path / "words")
        words.load()
        return words

    return opened


@pytest.fixture
def filled(ingest: RecordIngest) -> None:
    list(ingest.add(record(name, claim, code) for name, (code, claim) in CLAIMS.items()))


def found(words: LexicalIndex, store: Store, text: str, language: str = "en") -> list[str]:
    words.refresh()
    numbers = words.scores(text, language, 10).letters
    stored = store.records.fetch(list(numbers))
    return [stored[number].record.id for number in numbers if number in stored]


@pytest.mark.usefixtures("filled")
class TestFinding:
    def test_documents_named_are_scored_alone_and_alike(self, open_words: Open, store: Store) -> None:
        words = open_words()
        asked = "The old railway bridge near the mill"
        free = words.scores(asked, "en", 10)
        bridge, lake = list(free.words)[:2]
        for numbers in ({lake}, {lake, bridge}, {lake, 999}):
            among = words.scores(asked, "en", 10, among=numbers)
            for scores, everywhere in ((among.words, free.words), (among.letters, free.letters)):
                known = {number: everywhere[number] for number in numbers if number in everywhere}
                assert scores == pytest.approx(known)
        assert words.scores(asked, "en", 10, among=set()).words == {}

    def test_shared_words_name_the_record(self, open_words: Open, store: Store) -> None:
        assert found(open_words(), store, "When did the railway bridge open?")[0] == "bridge"

    @pytest.mark.parametrize(
        ("question", "language", "record_id"),
        [
            ("Чорсу бозори янги қурилган бинога кўчирилди", "uz", "market"),
            ("Qaladağy mektepter jaña oqulyqtar aldy", "kk", "school"),
        ],
    )
    def test_another_script_of_the_language(
        self, open_words: Open, store: Store, question: str, language: str, record_id: str
    ) -> None:
        words = open_words()
        assert found(words, store, question, language)[0] == record_id
        # The words field alone sees nothing: the letters are what meets across scripts.
        assert words.scores(question, language, 10).words == {}

    def test_case_endings_leave_letters_in_common(self, open_words: Open, store: Store) -> None:
        assert found(open_words(), store, "мектептерге оқулықтары", "kk")[0] == "school"

    def test_nothing_shared(self, open_words: Open) -> None:
        scores = open_words().scores("zzzz", "en", 10)
        assert (scores.words, scores.letters) == ({}, {})

    @pytest.mark.parametrize("text", ["", "?!", '"unbalanced AND (', "a" * 50_000, "\x00"])
    def test_any_text_is_a_question(self, open_words: Open, text: str) -> None:
        open_words().scores(text, "other", 10)

    def test_the_text_of_a_record_is_searched_too(
        self, open_words: Open, ingest: RecordIngest, store: Store
    ) -> None:
        text = "Nothing here. " * 60 + "The ferry carries exactly 417 passengers. " + "Nothing there. " * 60
        list(ingest.add([record("ferry", "About the port.", text=text)]))
        assert found(open_words(), store, "a ferry of 417 passengers")[0] == "ferry"


@pytest.mark.usefixtures("filled")
class TestFollowing:
    def test_added_changed_deleted(self, open_words: Open, ingest: RecordIngest, store: Store) -> None:
        words = open_words()
        list(ingest.add([record("tower", "The television tower is 372 metres high.")]))
        assert found(words, store, "television tower")[0] == "tower"
        list(ingest.add([record("tower", "The water reservoir was emptied.")]))
        assert found(words, store, "reservoir emptied")[0] == "tower"
        assert "tower" not in found(words, store, "television")
        store.records.delete("tower")
        assert "tower" not in found(words, store, "reservoir emptied")
        assert len(words) == len(CLAIMS)

    def test_two_processes_share_the_folder(
        self, open_words: Open, ingest: RecordIngest, store: Store, url: str
    ) -> None:
        here = open_words()
        other = open_store(url)
        there = open_words(other)
        list(ingest.add([record("tower", "The television tower is 372 metres high.")]))
        assert found(there, other, "television tower")[0] == "tower"
        assert found(here, store, "television tower")[0] == "tower"
        assert here.revision == there.revision == store.records.revision()
        here.rebuild()
        list(ingest.add([record("dam", "The dam upstream was finished.")]))
        assert found(there, other, "dam upstream")[0] == "dam"
        other.close()

    def test_a_restart_reads_no_record_again(
        self, open_words: Open, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        open_words()
        monkeypatch.setattr(type(store.records), "fetch", None)
        assert len(open_words()) == len(CLAIMS)


@pytest.mark.usefixtures("filled")
class TestDamage:
    def test_a_missing_folder_is_built_again(self, open_words: Open, store: Store, tmp_path: Path) -> None:
        open_words()
        shutil.rmtree(tmp_path / "words")
        words = open_words()
        assert words.notices == []
        assert found(words, store, "railway bridge")[0] == "bridge"

    @pytest.mark.parametrize("left", ["an empty index", "no index", "no folder"])
    def test_killed_while_it_was_built_anew(
        self, open_words: Open, ingest: RecordIngest, store: Store, tmp_path: Path, left: str
    ) -> None:
        other = open_words()
        open_words()._create()
        if left != "an empty index":
            (tmp_path / "words" / "words" / "meta.json").unlink()
        if left == "no folder":
            shutil.rmtree(tmp_path / "words" / "words")
        # Nothing was lost, so there is nothing to tell.
        words = open_words()
        assert words.notices == []
        assert found(words, store, "railway bridge")[0] == "bridge"
        # Nor does a process that had the old one open stumble over it.
        list(ingest.add([record("tower", "The television tower is 372 metres high.")]))
        assert found(other, store, "television tower")[0] == "tower"

    def test_a_process_meets_what_a_killed_one_has_left(
        self, open_words: Open, ingest: RecordIngest, store: Store, tmp_path: Path
    ) -> None:
        words = open_words()
        shutil.rmtree(tmp_path / "words" / "words")
        list(ingest.add([record("tower", "The television tower is 372 metres high.")]))
        assert found(words, store, "television tower")[0] == "tower"
        assert found(words, store, "railway bridge")[0] == "bridge"

    def test_a_damaged_file_is_said_and_repaired(
        self, open_words: Open, store: Store, tmp_path: Path
    ) -> None:
        open_words()
        (tmp_path / "words" / "words" / "meta.json").write_text("{")
        words = open_words()
        assert "rebuilt from the database" in words.notices[0]
        assert found(words, store, "railway bridge")[0] == "bridge"

    def test_another_database(self, open_words: Open, tmp_path: Path, encoder: Any) -> None:
        open_words()
        other = open_store(f"sqlite:///{tmp_path / 'other.db'}")
        list(RecordIngest(other.records, encoder).add([record(f"x{n}", "Only here.") for n in range(9)]))
        words = open_words(other)
        assert "another database" in words.notices[0]
        assert len(words) == 9
        other.close()


def test_words_decide_between_near_vectors(
    store: Store, ingest: RecordIngest, encoder: Any, tmp_path: Path
) -> None:
    claim = "In the year under review the volume of goods carried by {} grew by a tenth."
    towns = ["Aralsk", "Balkash", "Kentau", "Temirtau", "Zhanaozen"]
    list(ingest.add([record(town, claim.format(town)) for town in towns]))
    index = PassageIndex(store.records, encoder, SnapshotFolder(tmp_path / "vectors"))
    index.load()
    words = LexicalIndex(store.records, tmp_path / "words")
    words.load()
    search = RecordSearch(store.records, index, words)
    for town in towns:
        (hits,) = search.search([f"Goods carried by {town}"], 2)
        assert hits[0].record.id == town
        assert 1 >= hits[0].score >= hits[1].score >= -1
        assert hits[0].cosine == pytest.approx(
            float(encoder.encode([f"Goods carried by {town}"])[0] @ encoder.encode([hits[0].passage])[0]),
            abs=5e-4,
        )


def test_a_claim_repeated_word_for_word_comes_first_whatever_its_headline(
    store: Store, ingest: RecordIngest, encoder: Any, tmp_path: Path
) -> None:
    asked = "The ferry to the island carries four hundred passengers."
    list(
        ingest.add(
            [
                record("repeated", asked, title="Wheat prices fell in the autumn."),
                record("like it", "The ferry to the islands carries four hundred people."),
            ]
        )
    )
    index = PassageIndex(store.records, encoder, SnapshotFolder(tmp_path / "vectors"))
    index.load()
    words = LexicalIndex(store.records, tmp_path / "words")
    words.load()
    search = RecordSearch(store.records, index, words)
    (hits,) = search.search(search.embed([asked]), 2, questions=[Question("?", "en")])
    assert [hit.record.id for hit in hits] == ["repeated", "like it"]
    assert hits[0].score * FUSED_SCALE == pytest.approx(1, abs=5e-4)


def test_a_commit_that_was_cut_off_is_made_again(store: Store, ingest: RecordIngest, tmp_path: Path) -> None:
    """Killed between the files of a commit and the line that names them."""
    list(ingest.add([record(f"r{number}", f"Statement {number}.") for number in range(8)]))
    words = LexicalIndex(store.records, tmp_path / "words")
    words.load()
    named = (tmp_path / "words" / "words" / "meta.json").read_bytes()
    list(ingest.add([record("r3", "Another statement.")]))
    words.refresh()
    (tmp_path / "words" / "words" / "meta.json").write_bytes(named)
    again = LexicalIndex(store.records, tmp_path / "words")
    again.load()
    assert (len(again), again.revision, again.notices) == (8, store.records.revision(), [])
    assert len(again.scores("Another statement", "en", 9).words) == 8


def test_claim_and_headline_count_together(
    store: Store, ingest: RecordIngest, encoder: Any, tmp_path: Path
) -> None:
    """Of two records with the same claim the one whose headline is near as well comes first; a nearer passage
    of the text counts by itself.
    """
    asked = "The ferry to the island carries four hundred passengers."
    near, far = "How many passengers does the ferry carry?", "Wheat prices fell in the autumn."
    list(
        ingest.add(
            [
                record("near", "The ferry carries 400.", title=near),
                record("far", "The ferry carries 400.", title=far),
                record("alone", "The ferry carries 400."),
                record("text", "Port news.", title=far, text=asked),
            ]
        )
    )
    index = PassageIndex(store.records, encoder, SnapshotFolder(tmp_path / "vectors"))
    index.load()
    words = LexicalIndex(store.records, tmp_path / "words")
    words.load()
    search = RecordSearch(store.records, index, words)
    # A question without words: similarity alone.
    (hits,) = search.search(search.embed([asked]), 4, questions=[Question("?", "en")])
    similarity = {hit.record.id: hit.score * FUSED_SCALE for hit in hits}
    vector, *known = encoder.encode([asked, "The ferry carries 400.", near, far])
    claim, first, second = (float(passage @ vector) for passage in known)
    assert similarity == {
        "near": pytest.approx(_together(claim, first), abs=5e-4),
        "far": pytest.approx(_together(claim, second), abs=5e-4),
        "alone": pytest.approx(claim, abs=5e-4),
        "text": pytest.approx(1, abs=5e-4),
    }
    assert similarity["near"] > similarity["far"]
    assert next(hit for hit in hits if hit.record.id == "far").cosine == pytest.approx(claim, abs=5e-4)


def _together(one: float, other: float) -> float:
    nearer, farther = max(one, other), min(one, other)
    return nearer + FARTHER_HEADING_WEIGHT * (farther - nearer)


def test_words_find_what_vectors_leave_behind(
    store: Store, ingest: RecordIngest, encoder: Any, tmp_path: Path
) -> None:
    """The record shares a rare name; hundreds of others lie nearer by vector. Filters hold for it as well."""
    near = "The ministry said on Monday that the plan for the coming year was agreed."
    list(ingest.add([record(f"near{number:03}", f"{near} {number}") for number in range(200)]))
    list(ingest.add([record("far", "Qorgonlitov, 7", publisher="Kabar")]))
    index = PassageIndex(store.records, encoder, SnapshotFolder(tmp_path / "vectors"))
    index.load()
    words = LexicalIndex(store.records, tmp_path / "words")
    words.load()
    search = RecordSearch(store.records, index, words)
    question = Question(f"{near} Qorgonlitov", "en")
    vectors = search.embed([question.text])
    (hits,) = search.search(vectors, 231, questions=[question])
    assert "far" in [hit.record.id for hit in hits]
    (hits,) = search.search(vectors, 5, questions=[question], publishers=["Nobody"])
    assert hits == []


def test_fusing_keeps_the_order_of_equals_and_the_bounds() -> None:
    from index.lexical import LexicalScores

    candidates = [Found(2, 0, 0.9, 0.9), Found(1, 0, 0.9, 0.9), Found(3, 0, 0.89, 0.89)]
    plain = fuse(candidates, LexicalScores({}, {}))
    assert [hit.number for hit in plain] == [1, 2, 3]
    lifted = fuse(candidates, LexicalScores({3: 7.5, 2: 1.0}, {3: 12.0}))
    assert lifted[0].number == 3
    assert lifted[0].cosine == 0.89
    assert fuse([Found(1, 0, 1.0, 1.0)], LexicalScores({1: 3.0}, {1: 9.0}))[0].score == pytest.approx(1)


def test_letters_of_both_scripts_are_the_same() -> None:
    latin = letter_groups(words_of("O'zbekiston choyxonasi", "uz"), "uz")
    assert latin == letter_groups(words_of("Ўзбекистон чойхонаси", "uz"), "uz")
    assert all(len(group) <= 4 for group in latin)
