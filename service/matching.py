"""From a claim to quoted records: retrieve, compare, calibrate; or say that the index knows nothing.

Retrieval uses whatever encoder the index was built with. The stance model and the calibration were trained on
the packaged encoder, so where the index uses another one, the similarity they see is computed with the
packaged one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from classifiers.models import Encoder
from classifiers.stance import ClaimEvidence, MatchCalibration, StanceModel, StanceResult
from classifiers.text import LANGUAGES, identify_language
from index.passages import PASSAGE_PROMPT, encoder_inputs
from index.records import VerifiedRecord
from index.search import Question, RecordSearch, SearchHit
from index.times import end_of, start_of
from service.analysis_models import ClaimMatches, ClaimStatus, Evidence, Match, Mismatch

UNSUPPORTED_LANGUAGE = "unsupported_language"
EMPTY_INDEX = "empty_index"
NOTHING_FOUND = "nothing_found"
BELOW_THRESHOLD = "below_threshold"


@dataclass(frozen=True, slots=True)
class ClaimQuery:
    """One statement to look up.

    `language` is one of the nine codes or "other"; None lets it be identified. `published_at` gives words
    such as "yesterday" their date.
    """

    text: str
    language: str | None = None
    published_at: date | datetime | None = None


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A record found for the claim with number `owner`, and its words that the claim is held against."""

    owner: int
    record: VerifiedRecord
    evidence: Evidence
    language: str
    replaces_title: bool


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
    ) -> list[ClaimMatches]:
        """The best `top_k` records for each claim, most probable first, with a status for the whole.

        `vectors` (n, d) are the claims' unit vectors by the packaged encoder, if they are there already.
        `as_of` asks for what was valid then. All candidates are returned, also improbable ones; the status
        says what they amount to.
        """
        if not claims:
            return []
        inputs = encoder_inputs([claim.text for claim in claims])
        shared = self._search_encoder is self._heads_encoder
        if vectors is None:
            vectors = self._heads_encoder.encode(inputs, prompt=PASSAGE_PROMPT)
        queries = vectors if shared else self._search_encoder.encode(inputs, prompt=PASSAGE_PROMPT)
        spoken = [claim.language or identify_language(claim.text).code for claim in claims]
        found = self._search.search(
            queries,
            top_k,
            questions=[Question(claim.text, code) for claim, code in zip(claims, spoken, strict=True)],
            as_of=as_of,
            languages=languages,
            publishers=publishers,
        )
        candidates = [_candidate(owner, hit) for owner, hits in enumerate(found) for hit in hits]
        scores = [hit.cosine for hits in found for hit in hits]
        cosines = self._cosines(vectors, candidates, scores, shared=shared)
        stances = self._stance.compare(
            [
                ClaimEvidence(
                    claims[candidate.owner].text,
                    candidate.evidence.text,
                    spoken[candidate.owner],
                    candidate.language,
                    _day(claims[candidate.owner].published_at),
                    _day(candidate.record.published_at),
                )
                for candidate in candidates
            ],
            cosines,
        )
        matches: list[list[Match]] = [[] for _ in claims]
        for candidate, cosine, stance in zip(candidates, cosines, stances, strict=True):
            owner = candidate.owner
            probability = self._calibration.probability(cosine[None], spoken[owner], candidate.language)
            matches[owner].append(_match(candidate, float(cosine), float(probability[0]), stance, as_of))
        for found_matches in matches:
            found_matches.sort(key=lambda match: (-match.probability, -match.score, match.record_id))
        return [
            self._verdict(language, found_matches)
            for language, found_matches in zip(spoken, matches, strict=True)
        ]

    def linked(self, matches: ClaimMatches) -> ClaimMatches:
        """The matches that are probable enough to show beside an article's sentence."""
        shown = [
            match for match in matches.matches if match.probability >= self._calibration.suggest_threshold
        ]
        return matches.model_copy(update={"matches": shown})

    def _cosines(
        self,
        vectors: NDArray[np.float32],
        candidates: Sequence[_Candidate],
        scores: Sequence[float],
        *,
        shared: bool,
    ) -> NDArray[np.float32]:
        """Similarity of each candidate's evidence with its claim by the packaged encoder: the score of the
        search where that is what was compared, computed here otherwise.
        """
        cosines = np.array(scores, np.float32)
        missing = [row for row, candidate in enumerate(candidates) if not shared or candidate.replaces_title]
        if missing:
            texts = encoder_inputs([candidates[row].evidence.text for row in missing])
            passages = self._heads_encoder.encode(texts, prompt=PASSAGE_PROMPT)
            owners = [candidates[row].owner for row in missing]
            cosines[missing] = np.einsum("nd,nd->n", vectors[owners], passages)
        return cosines

    def _verdict(self, language: str, matches: list[Match]) -> ClaimMatches:
        status: ClaimStatus = "no_match"
        reason: str | None = None
        best = max((match.probability for match in matches), default=None)
        if best is None:
            # An index without records and a filter that lets none through are different findings.
            reason = EMPTY_INDEX if len(self._search) == 0 else NOTHING_FOUND
        elif language not in LANGUAGES:
            status, reason = "abstained", UNSUPPORTED_LANGUAGE
        elif best >= self._calibration.link_threshold:
            status = "matched"
        elif best >= self._calibration.suggest_threshold:
            status = "related"
        else:
            reason = BELOW_THRESHOLD
        return ClaimMatches(status=status, reason=reason, matches=matches)


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


def _candidate(owner: int, hit: SearchHit) -> _Candidate:
    record = hit.record
    # A headline finds the record but states too little to be held against a claim: its numbers are missing.
    by_title = hit.field == "title"
    evidence = (
        Evidence(text=record.claim, start=0, end=len(record.claim), field="claim")
        if by_title
        else Evidence(text=hit.passage, start=hit.passage_start, end=hit.passage_end, field=hit.field)
    )
    language = base_language(record.language) or identify_language(evidence.text).code
    return _Candidate(owner, record, evidence, language, by_title)


def _match(
    candidate: _Candidate,
    cosine: float,
    probability: float,
    stance: StanceResult,
    as_of: date | datetime | None,
) -> Match:
    record = candidate.record
    return Match(
        record_id=record.id,
        score=round(cosine, 6),
        probability=round(probability, 6),
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
        warnings=_warnings(record, as_of),
    )


def _day(moment: date | datetime | None) -> date | None:
    return moment.date() if isinstance(moment, datetime) else moment


def _warnings(record: VerifiedRecord, as_of: date | datetime | None) -> list[str]:
    """What a reader must know before trusting the match. The stance is towards the quoted words: where these
    are a claim that its publisher rated false, repeating them is no confirmation.
    """
    warnings = []
    if record.superseded_by is not None:
        warnings.append("superseded")
    if (
        as_of is not None
        and record.published_at is not None
        and start_of(record.published_at) > end_of(as_of)
    ):
        warnings.append("published_later")
    if as_of is None and not record.valid_at(datetime.now().astimezone()):
        warnings.append("not_valid_now")
    if record.rating_normalised in ("false", "mostly_false"):
        warnings.append("rated_false")
    return warnings
