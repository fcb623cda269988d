"""Claims against records, with the packaged models: order, evidence, groups, newer records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from index.records import VerifiedRecord
from service.matching import ClaimMatcher, ClaimQuery
from service.runtime import Runtime
from service.settings import Settings

FERRY = "The night ferry between the two ports carries at most 417 passengers and sixty cars."
BODY = (
    "The harbour office spoke to reporters on Friday. "
    + FERRY
    + " A second ship is planned. "
    + "The old terminal stays closed until the summer, the office said, and tickets are sold at the pier. "
    * 8
)
STATION = "In 2019 the old railway station of Kentau was turned into a museum with 1,200 exhibits."
RECORDS: list[dict[str, Any]] = [
    {"id": "ferry", "claim": "The harbour gets a new timetable.", "text": BODY, "language": "en"},
    {"id": "station-1", "claim": STATION, "language": "en", "publisher": "Kabar",
     "published_at": "2020-02-01"},
    {"id": "station-2", "claim": f"“{STATION}”", "language": "en", "publisher": "Desk", "rating": "True",
     "published_at": "2022-02-01"},
    {"id": "lake", "claim": "Tuzkol is the deepest lake.", "language": "en"},
    {"id": "school", "claim": "Қалада биыл он екі жаңа мектеп ашылды.", "language": "kk"},
]  # fmt: skip


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClaimMatcher]:
    runtime = Runtime(Settings(home=tmp_path_factory.mktemp("home")))
    list(runtime.library.ingest.add(VerifiedRecord.model_validate(record) for record in RECORDS))
    yield runtime.matcher
    runtime.close()


def test_the_sentence_of_the_text_is_quoted_with_its_place(matcher: ClaimMatcher) -> None:
    (result,) = matcher.match([ClaimQuery("The ferry takes 417 passengers and 60 cars.", "en")], top_k=2)
    best = result.matches[0]
    assert best.record_id == "ferry"
    assert (best.evidence.field, best.evidence.text) == ("text", FERRY)
    assert BODY[best.evidence.start : best.evidence.end] == FERRY
    assert (best.stance, best.mismatches) == ("supports", [])


def test_a_changed_number_is_named(matcher: ClaimMatcher) -> None:
    (result,) = matcher.match([ClaimQuery(STATION.replace("1,200", "3,400"), "en")], top_k=1)
    assert result.matches[0].stance == "contradicts"
    assert ("number", "3,400", "1,200") in [
        (item.type, item.claim_value, item.source_value) for item in result.matches[0].mismatches
    ]


def test_records_of_one_claim_follow_each_other_and_say_so(matcher: ClaimMatcher) -> None:
    (result,) = matcher.match([ClaimQuery(STATION, "en")], top_k=3)
    first, second, third = result.matches
    assert {first.record_id, second.record_id} == {"station-1", "station-2"}
    assert (first.duplicate_of, second.duplicate_of, third.duplicate_of) == (None, first.record_id, None)
    older = first if first.record_id == "station-1" else second
    assert older.newer_record_id == "station-2"
    assert "newer_record" in older.warnings


def test_grouped_one_stands_for_all(matcher: ClaimMatcher) -> None:
    (result,) = matcher.match([ClaimQuery(STATION, "en")], top_k=3, group=True)
    assert len(result.matches) == 3
    first = result.matches[0]
    assert {first.record_id, *(other.record_id for other in first.other_records)} == {
        "station-1",
        "station-2",
    }
    assert all(match.duplicate_of is None for match in result.matches)


def test_another_lake_is_not_linked(matcher: ClaimMatcher) -> None:
    (own, other) = matcher.match(
        [ClaimQuery("Tuzkol is the deepest lake.", "en"), ClaimQuery("Sarykol is the deepest lake.", "en")],
        top_k=1,
    )
    assert own.status == "matched"
    assert other.status != "matched"
    assert other.matches[0].record_id == "lake"


def test_a_claim_in_the_other_script(matcher: ClaimMatcher) -> None:
    (result,) = matcher.match([ClaimQuery("Qalada biyl on eki jaña mektep aşyldy.", "kk")], top_k=1)
    assert result.matches[0].record_id == "school"


def test_every_pair_of_an_article_goes_to_the_model_at_once(
    matcher: ClaimMatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    compare = type(matcher._stance).compare

    def counted(self: Any, pairs: Any, cosines: Any = None) -> Any:
        sizes.append(len(pairs))
        return compare(self, pairs, cosines)

    monkeypatch.setattr(type(matcher._stance), "compare", counted)
    matcher.match([ClaimQuery(STATION, "en"), ClaimQuery(FERRY, "en")], top_k=3)
    assert sizes == [6]


def test_what_is_shown_is_what_is_left_of_everything(
    matcher: ClaimMatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = [
        ClaimQuery(STATION.replace("1,200", "3,400"), "en"),
        ClaimQuery("Sarykol is the deepest lake.", "en"),
        ClaimQuery("A comet was seen from the northern islands in spring.", "en"),
        ClaimQuery("Kentu dzijali na mulembe.", "other"),
    ]
    everything = matcher.match(claims, top_k=3, group=True)
    pairs: list[Any] = []
    compare = type(matcher._stance).compare

    def counted(self: Any, asked: Any, cosines: Any = None) -> Any:
        pairs.extend(asked)
        return compare(self, asked, cosines)

    monkeypatch.setattr(type(matcher._stance), "compare", counted)
    shown = matcher.match(claims, top_k=3, group=True, shown_only=True)
    assert 0 < len(pairs) == sum(len(answer.matches) for answer in shown) < 12
    for answer, whole in zip(shown, everything, strict=True):
        assert (answer.status, answer.reason) == (whole.status, whole.reason)
        kept = [match for match in whole.matches if match.level != "none"]
        assert [match.record_id for match in answer.matches] == [match.record_id for match in kept]
        for match, same in zip(answer.matches, kept, strict=True):
            assert (match.stance, match.level, match.mismatches) == (same.stance, same.level, same.mismatches)
            assert match.stance_scores == pytest.approx(same.stance_scores, abs=0.001)


def test_filters_reach_the_words_too(matcher: ClaimMatcher) -> None:
    (result,) = matcher.match([ClaimQuery(STATION, "en")], top_k=5, publishers=["Desk"])
    assert [match.record_id for match in result.matches] == ["station-2"]
    (result,) = matcher.match([ClaimQuery(STATION, "en")], top_k=5, languages=["kk"])
    assert [match.record_id for match in result.matches] == ["school"]


def test_home_of_words_is_in_the_index_folder(tmp_path: Path) -> None:
    runtime = Runtime(Settings(home=tmp_path))
    assert runtime.library.records.notices == ()
    runtime.close()
    assert (tmp_path / "index" / "records-words" / "lock").exists()
