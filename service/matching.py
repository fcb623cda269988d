"""From a claim to quoted records: retrieve, choose the evidence, compare, calibrate; or say that the index
knows nothing.

Retrieval uses whatever encoder the index was built with. The stance model and the calibration were trained on
the packaged encoder, so where the index uses another one, the similarity they see is computed with the
packaged one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from classifiers.models import Encoder
from classifiers.stance import ClaimEvidence, MatchCalibration, StanceModel, StanceResult
from classifiers.text import LANGUAGES, identify_language
from index.passages import PASSAGE_PROMPT, encoder_inputs
from index.questions import question_text
from index.records import VerifiedRecord
from index.search import FUSED_SCALE, Question, RecordSearch, SearchHit
from index.stories import newer_of, story_key
from service.analysis_models import ClaimMatches, Evidence, Match, MatchLevel, Mismatch, OtherRecord
from service.evidence import choose, sentences_of, whole
from service.linking import (
    BELOW_THRESHOLD,
    EMPTY_INDEX,
    NOTHING_FOUND,
    SHORT_CLAIM,
    UNSUPPORTED_LANGUAGE,
    level_of,
    status_of,
    warnings_of,
)

__all__ = [
    "BELOW_THRESHOLD",
    "EMPTY_INDEX",
    "NOTHING_FOUND",
    "SHORT_CLAIM",
    "UNSUPPORTED_LANGUAGE",
    "ClaimMatcher",
    "ClaimQuery",
    "base_language",
    "compare_pairs",
]

# Groups need records behind those asked for: some of these are the same claim again.
_GROUP_OVERFETCH = 2
_READ_CLOSELY = 2


@dataclass(frozen=True, slots=True)
class ClaimQuery:
    """One statement to look up.

    `language` is one of the nine codes or "other"; None lets it be identified. `published_at` gives words
    such as "yesterday" their date.
    """

    text: str
    language: str | None = None
    published_at: date | datetime | None = None


@dataclass(slots=True)
class _Candidate:
    """A record found for the claim with number `owner`, the words that the claim is held against, and their
    cosine by the packaged encoder. `rank` orders the candidates of a claim.
    """

    owner: int
    hit: SearchHit
    evidence: Evidence
    language: str
    cosine: float
    rank: float

    @property
    def record(self) -> VerifiedRecord:
        return self.hit.record


@dataclass(frozen=True, slots=True)
class _Listing:
    """A candidate in its place of the answer; `story` are all records found of its claim."""

    candidate: _Candidate
    story: list[VerifiedRecord]
    duplicate_of: str | None
    others: list[OtherRecord]


def base_language(tag: str | None) -> str | None:
    """ "uz-Cyrl" -> "uz"; "other" for a language outside the nine; None stays None."""
    if tag is None:
        return None
    base = tag.partition("-")[0].lower()
    return base if base in LANGUAGES else "other"


class ClaimMatcher:
    """Looks claims up in the record index.

    `heads_encoder` is the packaged encoder, `search_encoder` the one the index uses: the same object by
    default.
    """

    def __init__(
        self,
        search: RecordSearch,
        *,
        heads_encoder: Encoder,
        search_encoder: Encoder,
        stance: StanceModel,
        calibration: MatchCalibration,
    ) -> None:
        self._search = search
        self._heads_encoder = heads_encoder
        self._search_encoder = search_encoder
        self._stance = stance
        self._calibration = calibration

    def match(
        self,
        claims: Sequence[ClaimQuery],
        *,
        top_k: int,
        vectors: NDArray[np.float32] | None = None,
        as_of: date | datetime | None = None,
        languages: Collection[str] | None = None,
        publishers: Collection[str] | None = None,
        group: bool = False,
        shown_only: bool = False,
    ) -> list[ClaimMatches]:
        """The best `top_k` records for each claim, best first, with a status for the whole.

        `vectors` (n, d) are the claims' unit vectors by the packaged encoder, if they are there already.
        `as_of` asks for what was valid then. All candidates are returned, also improbable ones; the status
        says what they amount to. Records of the same claim stand one after the other; with `group` the first
        stands for all and names the others, and `top_k` counts groups. With `shown_only` the answers leave
        out what is too improbable to be shown beside an article, and no stance is computed for it.
        """
        if not claims:
            return []
        questions = [question_text(claim.text) for claim in claims]
        inputs = encoder_inputs(questions)
        shared = self._search_encoder is self._heads_encoder
        if vectors is None:
            vectors = self._heads_encoder.encode(inputs, prompt=PASSAGE_PROMPT)
        queries = vectors if shared else self._search_encoder.encode(inputs, prompt=PASSAGE_PROMPT)
        spoken = [claim.language or identify_language(claim.text).code for claim in claims]
        found = self._search.search(
            queries,
            top_k * _GROUP_OVERFETCH if group else top_k,
            questions=[Question(text, code) for text, code in zip(questions, spoken, strict=True)],
            as_of=as_of,
            languages=languages,
            publishers=publishers,
        )
        listed = [
            self._listed(owner, hits, spoken[owner], shared=shared, top_k=top_k, group=group)
            for owner, hits in enumerate(found)
        ]
        candidates = [listing.candidate for own in listed for listing in own]
        self._choose_evidence(candidates, vectors, spoken, shared=shared)
        answered = [
            [listing for listing in own if not shown_only or self._probable(listing.candidate, spoken[owner])]
            for owner, own in enumerate(listed)
        ]
        results = iter(
            self._compare(claims, spoken, [listing.candidate for own in answered for listing in own])
        )
        answers = []
        for owner, own in enumerate(answered):
            matches = [
                self._match(claims[owner], spoken[owner], listing, next(results), as_of) for listing in own
            ]
            left_out: list[MatchLevel] = ["none"] * (len(listed[owner]) - len(own))
            status, reason = status_of(
                [*(match.level for match in matches), *left_out],
                spoken[owner],
                held_back=any(
                    self._held_back(match, spoken[owner], listing)
                    for match, listing in zip(matches, own, strict=True)
                ),
                empty=len(self._search) == 0,
            )
            answers.append(ClaimMatches(status=status, reason=reason, matches=matches))
        return answers

    def _listed(
        self, owner: int, hits: Sequence[SearchHit], spoken: str, *, shared: bool, top_k: int, group: bool
    ) -> list[_Listing]:
        """The candidates of one claim in the order of the answer."""
        candidates = [self._candidate(owner, hit, spoken, shared=shared) for hit in hits]
        candidates.sort(key=lambda candidate: (-candidate.rank, -candidate.hit.score, candidate.record.id))
        stories: dict[str, list[_Candidate]] = {}
        for candidate in candidates:
            stories.setdefault(story_key(candidate.record), []).append(candidate)
        listed = []
        for story in stories.values():
            records = [candidate.record for candidate in story]
            first, *others = records
            if group:
                listed.append(_Listing(story[0], records, None, [_other(other) for other in others]))
            else:
                listed.append(_Listing(story[0], records, None, []))
                listed += [_Listing(candidate, records, first.id, []) for candidate in story[1:]]
        return listed[:top_k]

    def _candidate(self, owner: int, hit: SearchHit, spoken: str, *, shared: bool) -> _Candidate:
        evidence = whole(hit)
        language = base_language(hit.record.language) or identify_language(evidence.text).code
        # Cosines mean different things in each pair of languages: the curve of the pair makes them
        # comparable. Another encoder's cosines have no curve.
        rank = hit.score
        if shared:
            lifted = np.array([hit.score * FUSED_SCALE])
            rank = float(self._calibration.probability(lifted, spoken, language)[0])
        return _Candidate(owner, hit, evidence, language, hit.cosine, rank)

    def _choose_evidence(
        self,
        candidates: Sequence[_Candidate],
        vectors: NDArray[np.float32],
        spoken: Sequence[str],
        *,
        shared: bool,
    ) -> None:
        """Find each candidate's best quotation and its cosine; all that must be embedded in one call.

        The sentences of a window are told apart for a claim's first candidates, and where the window may be
        about the claim: every sentence costs a run of the encoder.
        """
        offers: list[list[Evidence]] = []
        rank = Counter[int]()
        for candidate in candidates:
            rank[candidate.owner] += 1
            probability = self._probability(candidate, spoken[candidate.owner])
            near = probability >= self._calibration.suggest_threshold / 2
            near = near or not shared or rank[candidate.owner] <= _READ_CLOSELY
            quoted = sentences_of(candidate.hit, candidate.language) if near else [candidate.evidence]
            known = shared and len(quoted) == 1 and candidate.hit.field != "title"
            offers.append([] if known else quoted)
        texts = [offer.text for own in offers for offer in own]
        # What several candidates offer is embedded once; the encoder remembers what it embedded before.
        distinct = list(dict.fromkeys(texts))
        embedded = self._heads_encoder.encode(encoder_inputs(distinct), prompt=PASSAGE_PROMPT)
        places = {text: row for row, text in enumerate(distinct)}
        passages = embedded[[places[text] for text in texts]]
        first = 0
        for candidate, own in zip(candidates, offers, strict=True):
            if own:
                cosines = passages[first : first + len(own)] @ vectors[candidate.owner]
                first += len(own)
                candidate.evidence, candidate.cosine = choose(own, cosines)

    def _compare(
        self, claims: Sequence[ClaimQuery], spoken: Sequence[str], candidates: Sequence[_Candidate]
    ) -> list[StanceResult]:
        """The stances of all pairs, in one call of the model."""
        pairs = [
            ClaimEvidence(
                claims[candidate.owner].text,
                candidate.evidence.text,
                spoken[candidate.owner],
                candidate.language,
                _day(claims[candidate.owner].published_at),
                _day(candidate.record.published_at),
            )
            for candidate in candidates
        ]
        return self._stance.compare(pairs, np.array([c.cosine for c in candidates], dtype=np.float32))

    def _probability(self, candidate: _Candidate, spoken: str) -> float:
        """That the claim and the words it is held against are about the same."""
        cosines = np.array([candidate.cosine])
        return float(self._calibration.probability(cosines, spoken, candidate.language)[0])

    def _probable(self, candidate: _Candidate, spoken: str) -> bool:
        """Whether `level_of` may say more than "none", whatever the stance."""
        return self._probability(candidate, spoken) >= self._calibration.suggest_threshold

    def _held_back(self, match: Match, spoken: str, listing: _Listing) -> bool:
        enough = self._calibration.link_threshold_of(spoken, listing.candidate.language)
        return match.level == "suggest" and match.probability >= enough

    def _match(
        self,
        claim: ClaimQuery,
        spoken: str,
        listing: _Listing,
        stance: StanceResult,
        as_of: date | datetime | None,
    ) -> Match:
        candidate = listing.candidate
        record = candidate.record
        probability = self._probability(candidate, spoken)
        later = newer_of(record, listing.story)
        newer = record.superseded_by or (None if later is None else later.id)
        level = level_of(
            probability,
            self._calibration,
            claim=claim.text,
            claim_language=spoken,
            evidence=candidate.evidence.text,
            evidence_language=candidate.language,
            stance=stance,
        )
        return Match(
            record_id=record.id,
            score=round(candidate.hit.score, 6),
            similarity=round(candidate.cosine, 6),
            probability=round(probability, 6),
            level=level,
            stance=stance.stance,
            stance_scores={name: round(float(score), 6) for name, score in stance.scores.items()},
            stance_abstained=stance.abstained,
            mismatches=[
                Mismatch(type=item.type, claim_value=item.claim_value, source_value=item.source_value)
                for item in stance.mismatches
            ],
            evidence=candidate.evidence,
            claim=record.claim,
            title=record.title,
            language=record.language,
            publisher=record.publisher,
            url=record.url,
            rating=record.rating,
            published_at=record.published_at,
            sample=record.sample,
            warnings=warnings_of(
                record, stance, newer=newer, claim_published=claim.published_at, as_of=as_of
            ),
            newer_record_id=newer,
            duplicate_of=listing.duplicate_of,
            other_records=listing.others,
        )


def _other(record: VerifiedRecord) -> OtherRecord:
    return OtherRecord(
        record_id=record.id,
        publisher=record.publisher,
        url=record.url,
        rating=record.rating,
        published_at=record.published_at,
    )


def compare_pairs(
    pairs: Sequence[ClaimEvidence], *, encoder: Encoder, stance: StanceModel
) -> list[StanceResult]:
    """Each claim against its own evidence. `encoder` is the packaged one: the stance model was trained on its
    cosines.
    """
    if not pairs:
        return []
    sides = encoder_inputs([pair.claim for pair in pairs] + [pair.evidence for pair in pairs])
    vectors = encoder.encode(sides, prompt=PASSAGE_PROMPT)
    cosines = np.einsum("nd,nd->n", vectors[: len(pairs)], vectors[len(pairs) :]).astype(np.float32)
    return stance.compare(pairs, cosines)


def _day(moment: date | datetime | None) -> date | None:
    return moment.date() if isinstance(moment, datetime) else moment
