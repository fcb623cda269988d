"""Finding records: the index over a real database, through changes, restarts and damage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.passage_index import PassageIndex
from index.passage_vectors import IndexInconsistencyError
from index.records import VerifiedRecord
from index.search import RecordSearch
from index.snapshot import SnapshotFolder
from service.records import RecordIngest
from service.store import Store, open_store

Open = Callable[..., RecordSearch]

CLAIMS = {
    "tower": "The television tower is 372 metres high.",
    "bridge": "The railway bridge over the river opened in 1957.",
    "census": "The census counted nineteen million inhabitants.",
    "alphabet": "The new alphabet has thirty-one letters.",
}


def record(record_id: str, claim: str, **fields: Any) -> VerifiedRecord:
    return VerifiedRecord.model_validate({"id": record_id, "claim": claim, "language": "en", **fields})


@pytest.fixture
def filled(ingest: RecordIngest) -> None:
    list(ingest.add(record(record_id, claim) for record_id, claim in CLAIMS.items()))


def found(search: RecordSearch, claim: str, top_k: int = 3, **filters: Any) -> list[str]:
    return [hit.record.id for hit in search.search([claim], top_k, **filters)[0]]


@pytest.mark.usefixtures("filled")
def test_every_record_is_found_by_its_own_claim(open_search: Open) -> None:
    search = open_search()
    for record_id, hits in zip(CLAIMS, search.search(list(CLAIMS.values()), 2), strict=True):
        assert hits[0].record.id == record_id
        assert hits[0].score == pytest.approx(1, abs=5e-4)
        assert len(hits) == 2
        assert hits[0].score >= hits[1].score


def test_empty_index(open_search: Open) -> None:
    search = open_search()
    assert search.search(["anything"]) == [[]]
    assert search.search([]) == []
    assert search.related(["anything"]) == []
    assert search.generation == 0
    assert search.save() is False


def test_top_k_must_be_positive(open_search: Open) -> None:
    with pytest.raises(ValueError, match="top_k"):
        open_search().search(["x"], 0)


def test_passage_is_quoted_with_its_place(open_search: Open, ingest: RecordIngest) -> None:
    text = (
        "First the mayor spoke. " * 20
        + "The ferry carries 400 passengers. "
        + "Then they left the hall. " * 20
    )
    list(ingest.add([record("ferry", "About the port.", title="Port news", text=text)]))
    (hit,) = open_search().search(["The ferry carries 400 passengers."], 1)[0]
    assert hit.field == "text"
    assert "The ferry carries 400 passengers." in hit.passage
    assert hit.record.text is not None
    assert hit.record.text[hit.passage_start : hit.passage_end] == hit.passage


def test_each_record_once_although_many_passages_are_near(open_search: Open, ingest: RecordIngest) -> None:
    """One record has far more near passages than are fetched at first."""
    long = " ".join(
        f"The tower number {number} is 372 metres high, they say again and again." for number in range(300)
    )
    list(
        ingest.add(
            [record("long", "The tower is high.", text=long), record("other", "A quite unrelated thing.")]
        )
    )
    assert found(open_search(), "The tower number 7 is 372 metres high, they say again and again.", 2) == [
        "long",
        "other",
    ]


def test_related_merges_the_questions(open_search: Open, filled: None) -> None:
    search = open_search()
    hits = search.related([CLAIMS["tower"], CLAIMS["census"], CLAIMS["tower"]], 2)
    assert sorted(hit.record.id for hit in hits) == ["census", "tower"]


@pytest.mark.usefixtures("filled")
def test_vectors_and_texts_search_alike(open_search: Open) -> None:
    search = open_search()
    queries = ["How high is the tower?", "letters"]
    by_vector = search.search(search.embed(queries), 3)
    assert [[hit.record.id for hit in hits] for hits in by_vector] == [
        found(search, query) for query in queries
    ]


class TestFilters:
    @pytest.fixture(autouse=True)
    def _records(self, ingest: RecordIngest) -> None:
        same = "The president of the company is named in the report."
        many = [record(f"en{number:03}", f"{same} {number}", publisher="Daily") for number in range(120)]
        special = [
            record("ky1", same, language="ky", publisher="Kabar"),
            record("uz1", same, language="uz-cyrl", publisher="Daily"),
            record("old", same, valid_to="2019-12-31"),
            record("new", same, valid_from="2020-01-01"),
        ]
        list(ingest.add([*many, *special]))
        self.claim = same

    def test_language(self, open_search: Open) -> None:
        search = open_search()
        # 120 nearer-or-equal English records stand before these: the filter has to reach behind them.
        assert found(search, self.claim, 5, languages=["ky"]) == ["ky1"]
        assert found(search, self.claim, 5, languages=["uz"]) == ["uz1"]
        assert set(found(search, self.claim, 5, languages=["ky", "uz"])) == {"ky1", "uz1"}
        assert found(search, self.claim, 5, languages=[]) == []

    def test_publisher(self, open_search: Open) -> None:
        search = open_search()
        assert found(search, self.claim, 5, publishers=["Kabar"]) == ["ky1"]
        assert found(search, self.claim, 5, publishers=["Nobody"]) == []
        assert len(found(search, self.claim, 200, publishers=["Daily"])) == 121

    def test_as_of(self, open_search: Open) -> None:
        search = open_search()
        then, now = date(2019, 5, 1), date(2024, 5, 1)
        assert {"old", "new"} & set(found(search, self.claim, 200, as_of=then)) == {"old"}
        assert {"old", "new"} & set(found(search, self.claim, 200, as_of=now)) == {"new"}
        assert {"old", "new"} <= set(found(search, self.claim, 200))

    def test_as_of_equals_valid_at(self, open_search: Open, store: Store) -> None:
        search = open_search()
        everything = store.records.list(limit=1_000)
        for moment in (date(2019, 12, 31), date(2020, 1, 1), date(1900, 1, 1)):
            expected = {found.id for found in everything if found.valid_at(moment)}
            assert set(found(search, self.claim, 200, as_of=moment)) == expected


@pytest.mark.usefixtures("filled")
class TestChanges:
    def test_another_process_adds(self, open_search: Open, url: str, encoder: Any) -> None:
        search = open_search()
        before = search.generation
        other = open_store(url)
        list(RecordIngest(other.records, encoder).add([record("dam", "The dam is 120 metres long.")]))
        assert found(search, "The dam is 120 metres long.", 1) == ["dam"]
        assert search.generation == before + 1
        other.records.delete("dam")
        assert "dam" not in found(search, "The dam is 120 metres long.", 5)
        other.close()

    def test_a_corrected_record_is_found_by_its_new_words_only(
        self, open_search: Open, ingest: RecordIngest
    ) -> None:
        search = open_search()
        list(ingest.add([record("tower", "A lake lies north of the town.")]))
        (hit,) = search.search([CLAIMS["tower"]], 1)[0]
        assert hit.record.id != "tower"
        (hit,) = search.search(["A lake lies north of the town."], 1)[0]
        assert (hit.record.id, hit.passage) == ("tower", "A lake lies north of the town.")
        assert len(search) == len(CLAIMS)

    def test_rebuild_equals_what_grew(self, open_search: Open, ingest: RecordIngest, store: Store) -> None:
        search = open_search()
        list(ingest.add([record("tower", "A lake."), record("extra", "An extra.", title="With title")]))
        store.records.delete("census")
        grown = [hits for query in CLAIMS.values() for hits in search.search([query], 5)]
        search.rebuild()
        rebuilt = [hits for query in CLAIMS.values() for hits in search.search([query], 5)]
        assert rebuilt == grown

    def test_snapshot_then_changes_then_restart(
        self, open_search: Open, ingest: RecordIngest, store: Store
    ) -> None:
        first = open_search()
        assert first.save()
        assert not first.save()
        list(ingest.add([record("late", "Added after the snapshot.")]))
        store.records.delete("bridge")
        again = open_search()
        assert again.index.notices == []
        assert found(again, "Added after the snapshot.", 1) == ["late"]
        assert "bridge" not in found(again, CLAIMS["bridge"], 10)
        assert again.generation == store.records.revision()
        assert not again.save(min_changes=100)
        assert again.save(min_changes=2)

    def test_a_restart_reads_the_snapshot_and_not_the_database(
        self, open_search: Open, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        open_search().save()
        asked: list[int] = []
        changes = type(store.records).changes

        def noted(self: Any, since: int, **rest: Any) -> Any:
            asked.append(since)
            return changes(self, since, **rest)

        monkeypatch.setattr(type(store.records), "changes", noted)
        assert len(open_search()) == len(CLAIMS)
        assert asked == [store.records.revision()]


@pytest.mark.usefixtures("filled")
class TestDamage:
    def test_a_flipped_byte_is_said_and_repaired(self, open_search: Open, tmp_path: Path) -> None:
        open_search().save()
        vectors = tmp_path / "index" / "records" / "gen-1" / "vectors.faiss"
        content = bytearray(vectors.read_bytes())
        content[len(content) // 2] ^= 1
        vectors.write_bytes(content)
        search = open_search()
        (notice,) = search.index.notices
        assert "vectors.faiss is damaged" in notice
        assert "rebuilt from the database" in notice
        assert found(search, CLAIMS["alphabet"], 1) == ["alphabet"]
        assert search.save()
        assert open_search().index.notices == []

    def test_another_database(self, open_search: Open, tmp_path: Path, encoder: Any) -> None:
        open_search().save()
        other = open_store(f"sqlite:///{tmp_path / 'other.db'}")
        list(RecordIngest(other.records, encoder).add([record("x", "Only here.") for _ in range(9)]))
        search = open_search(at=other)
        assert "another database" in search.index.notices[0]
        assert found(search, "Only here.", 5) == ["x"]
        other.close()

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    def test_a_restored_older_database(
        self, open_search: Open, store: Store, ingest: RecordIngest, url: str
    ) -> None:
        """The copy's revisions run past the snapshot's again, with other records: only the count gives it
        away.
        """
        store.close()
        path = Path(url.removeprefix("sqlite:///"))
        backup = path.read_bytes()
        list(ingest.add([record("lost", "A title and a claim.", title="Lost title")]))
        open_search().save()
        store.close()
        for file in path.parent.glob("tamga.db*"):
            file.unlink()
        path.write_bytes(backup)
        list(ingest.add([record("kept", "After the restore.")]))
        search = open_search()
        assert "the database 5" in search.index.notices[0]
        assert found(search, "After the restore.", 1) == ["kept"]
        assert "lost" not in found(search, "A title and a claim.", 10)

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    def test_a_database_that_goes_back_while_it_is_served(
        self, open_search: Open, store: Store, ingest: RecordIngest, url: str
    ) -> None:
        store.close()
        path = Path(url.removeprefix("sqlite:///"))
        backup = path.read_bytes()
        list(ingest.add([record("lost", "This will be lost.")]))
        search = open_search()
        store.close()
        for file in path.parent.glob("tamga.db*"):
            file.unlink()
        path.write_bytes(backup)
        assert "lost" not in found(search, "This will be lost.", 10)
        assert "back in time" in search.index.notices[0]


@pytest.mark.usefixtures("filled")
class TestOtherEncoder:
    def test_missing_vectors_are_embedded_and_kept(
        self, open_search: Open, make_encoder: Any, encoder: Any
    ) -> None:
        open_search().save()
        other = make_encoder("trigrams-96", 96)
        search = open_search(other)
        assert "the encoder is now trigrams-96" in search.index.notices[0]
        assert found(search, CLAIMS["bridge"], 1) == ["bridge"]
        embedded = other.encoded
        search.rebuild()
        assert other.encoded == embedded
        # And back: the first encoder's vectors are still there.
        encoder.encoded = 0
        back = open_search()
        assert encoder.encoded == 0
        assert found(back, CLAIMS["bridge"], 1) == ["bridge"]

    def test_a_record_added_by_a_process_with_another_encoder(
        self, open_search: Open, make_encoder: Any, url: str
    ) -> None:
        search = open_search()
        other = open_store(url)
        list(RecordIngest(other.records, make_encoder("other", 20)).add([record("far", "From far away.")]))
        assert found(search, "From far away.", 1) == ["far"]
        other.close()

    def test_endless_work_is_given_up(
        self, store: Store, encoder: Any, make_encoder: Any, tmp_path: Path
    ) -> None:
        class Forgetful(type(store.records)):  # type: ignore[misc]
            def add_vectors(self, model_id: str, vectors: Any) -> None:
                list(vectors)

        repository = Forgetful(store.database)
        index = PassageIndex(repository, make_encoder("other", 20), SnapshotFolder(tmp_path / "x"))
        with pytest.raises(IndexInconsistencyError, match="stay without vectors"):
            index.load()


def test_scores_are_cosines(open_search: Open, filled: None, encoder: Any) -> None:
    question = "How many letters has the alphabet?"
    for hit in open_search().search([question], 4)[0]:
        expected = float(encoder.encode([question])[0] @ encoder.encode([hit.passage])[0])
        assert hit.score == pytest.approx(np.clip(expected, -1, 1), abs=5e-4)
