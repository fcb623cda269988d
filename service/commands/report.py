"""An Analysis as a page of text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from service.analysis_models import Analysis, Claim, Match, Origin
from service.claim_wording import claim_words, source_sentence, stance_word

WIDTH: Final = 100


def report(analysis: Analysis) -> str:
    """The report, ending with a newline."""
    return "\n".join(_lines(analysis)) + "\n"


def _lines(analysis: Analysis) -> Iterator[str]:
    by = (
        ""
        if analysis.language_confidence is None
        else f", identified with {analysis.language_confidence:.2f}"
    )
    yield f"Language   {analysis.language} ({analysis.script}{by}), {len(analysis.sentences)} sentences"
    if analysis.origin is not None:
        yield from _origin(analysis.origin)
    yield ""
    if analysis.claims_status == "abstained":
        yield f"Claims     not examined: {_words(analysis.claims_reason)}"
    elif analysis.claims_status == "done":
        yield f"Claims     {len(analysis.claims)} worth checking"
        for claim in analysis.claims:
            yield from _claim(claim)
    if analysis.related_records:
        yield ""
        yield "Related records"
        for record in analysis.related_records:
            source = ", ".join(part for part in (record.publisher, record.record_id) if part)
            yield _wrap(f"{record.score:.2f}  {record.title or record.claim} ({source})", 2)
    if analysis.near_duplicates:
        yield ""
        yield "Seen before"
        for duplicate in analysis.near_duplicates:
            name = duplicate.title or duplicate.article_id
            yield _wrap(f"{duplicate.shared_text:.0%} of the text in: {name} ({duplicate.article_id})", 2)
    left_out = [name for name, cut in analysis.truncated.model_dump().items() if cut]
    if left_out:
        yield ""
        yield f"Truncated  {', '.join(left_out)}: the text is very long; its end was not examined for these"
    if analysis.stored:
        yield ""
        yield f"Stored as  {analysis.id}"


def _origin(origin: Origin) -> Iterator[str]:
    if origin.verdict == "likely_ai_unconfirmed":
        yield "Origin     likely machine-written, unconfirmed: only a declaration or a reviewer confirms"
    elif origin.abstain_reason is not None:
        yield f"Origin     undetermined; the detector abstains: {_words(origin.abstain_reason)}"
    else:
        yield "Origin     undetermined: not unusual enough among human texts to say anything"
    figures = [f"score {origin.score:.3f}"] if origin.score is not None else []
    if origin.p_value is not None:
        figures.append(f"p {origin.p_value:.4f}")
    figures.append(f"accepted false alarms {origin.target_fpr:.2%}")
    if origin.calibration is not None:
        cell = origin.calibration
        figures.append(f"against {cell.n} human texts ({cell.language}, {cell.length_bin} words)")
    yield "           " + ", ".join(figures)
    for signal in origin.signals:
        detail = ", ".join(f"{_words(key)} {value}" for key, value in signal.detail.items())
        yield f"           {_words(signal.type)}: {detail}"


def _claim(claim: Claim) -> Iterator[str]:
    yield ""
    yield _wrap(f"“{claim.text}”", 2)
    reason = f" ({_words(claim.reason)})" if claim.reason else ""
    yield f"  [{claim.start}:{claim.end}] {_words(claim.status)}{reason}"
    for match in claim.matches:
        yield from _match(match)


def _match(match: Match) -> Iterator[str]:
    words = claim_words("en")
    yield _wrap(
        f"{stance_word(match, 'en')} (probability {match.probability:.2f}): {source_sentence(match, 'en')}", 4
    )
    yield _wrap(f"“{match.evidence.text}”", 6)
    for mismatch in match.mismatches:
        yield f"      {mismatch.type}: here {mismatch.claim_value}, there {mismatch.source_value}"
    if match.url:
        yield f"      {match.url}"
    if match.warnings:
        yield _wrap(f"note: {'; '.join(words.warnings[warning] for warning in match.warnings)}", 6)
    if match.other_records:
        others = ", ".join(other.publisher or other.record_id for other in match.other_records)
        yield _wrap(f"the same claim: {others}", 6)


def _words(code: str | None) -> str:
    return (code or "").replace("_", " ")


def _wrap(text: str, indent: int) -> str:
    margin = " " * indent
    return textwrap.fill(
        " ".join(text.split()), WIDTH, initial_indent=margin, subsequent_indent=margin, break_long_words=False
    )
