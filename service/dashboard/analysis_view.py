"""An Analysis as a page shows it: the text in runs, a group of evidence cards per claim, findings on the
origin. Used wherever an analysis is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from service.analysis_models import Analysis, Claim, Match, Origin
from service.claim_wording import claim_words, source_sentence, stance_word
from service.dashboard.highlight import Mark, Run, highlighted, occurrences


@dataclass(frozen=True, slots=True)
class CardView:
    """One matched record. `quote` is its evidence with the differing words marked; `claim` likewise the
    sentence of the article, None where nothing differs.
    """

    match: Match
    stance: str
    source: str
    quote: list[Run]
    claim: list[Run] | None
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A check-worthy sentence with its cards; `target` is the id of its group on the page."""

    target: str
    claim: Claim
    status: str
    cards: list[CardView]


@dataclass(frozen=True, slots=True)
class AnalysisView:
    """Everything a page shows of an analysis. `runs` is None where the text is not kept."""

    analysis: Analysis
    runs: list[Run] | None
    claims: list[ClaimView]
    machine_like: bool

    @property
    def contradicted(self) -> bool:
        """Does any record contradict a claim?"""
        return any(_worst_stance(view.claim) == "contradicts" for view in self.claims)

    @property
    def origin(self) -> Origin | None:
        return self.analysis.origin


def analysis_view(analysis: Analysis, text: str | None, locale: str) -> AnalysisView:
    """The view of an analysis in a language of the dashboard. `text` is what offsets count in; None where it
    was dropped.
    """
    claims = [_claim(number, claim, locale) for number, claim in enumerate(analysis.claims, 1)]
    marks = [
        Mark(view.claim.start, view.claim.end, _worst_stance(view.claim), view.target) for view in claims
    ]
    machine = [
        Mark(part.start, part.end, "machine")
        for part in (analysis.origin.segments if analysis.origin else [])
        if part.verdict == "likely_ai_unconfirmed"
    ]
    return AnalysisView(
        analysis,
        None if text is None else highlighted(text, [*machine, *marks]),
        claims,
        bool(machine),
    )


def _claim(number: int, claim: Claim, locale: str) -> ClaimView:
    words = claim_words(locale)
    return ClaimView(
        f"claim-{number}",
        claim,
        words.status[claim.status],
        [_card(claim.text, match, locale) for match in claim.matches if match.level != "none"],
    )


def _card(claim: str, match: Match, locale: str) -> CardView:
    words = claim_words(locale)
    here = occurrences(claim, [item.claim_value for item in match.mismatches], "differs")
    there = occurrences(match.evidence.text, [item.source_value for item in match.mismatches], "differs")
    return CardView(
        match,
        stance_word(match, locale),
        source_sentence(match, locale),
        highlighted(match.evidence.text, there),
        highlighted(claim, here) if match.mismatches and claim else None,
        [words.warnings[warning] for warning in match.warnings],
    )


def _worst_stance(claim: Claim) -> str:
    shown = [match for match in claim.matches if match.level != "none" and not match.stance_abstained]
    if any(match.stance == "contradicts" for match in shown):
        return "contradicts"
    return "supports" if any(match.stance == "supports" for match in shown) else "related"
