"""The one use case: an article in, an Analysis out.

checked input -> language, sentences -> origin (detector, declarations, hidden characters)
              -> sentences embedded once -> check-worthy ones -> matched against the index
              -> article embedded in windows -> related records, near duplicates -> stored, if asked
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from classifiers.text import LANGUAGES, Language, Span, canonicalise, identify_language, split_sentences
from index.articles import Article
from index.passages import PASSAGE_PROMPT, encoder_inputs
from service.analysis_models import (
    Analysis,
    CheckName,
    Claim,
    ClaimsStatus,
    NearDuplicate,
    RelatedRecord,
    TextSpan,
    Truncated,
)
from service.articles import ArticleInput, Submission, read_article
from service.matching import UNSUPPORTED_LANGUAGE, ClaimQuery, base_language
from service.observer import Observer
from service.origin import assess_origin
from service.reviews.cases import case_of_analysis, opinions_wanted
from service.store.review_changes import open_case

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from index.articles import EmbeddedArticle
    from index.search import SearchHit
    from service.runtime import Runtime

ALL_CHECKS: Final[tuple[CheckName, ...]] = ("origin", "claims")

# A text with more sentences than this is a book, not an article; the rest is reported as truncated.
MAX_SENTENCES: Final = 2_000


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """What the caller asks for. `target_fpr` None takes the setting; `as_of` is the day the records must be
    valid on.
    """

    checks: Collection[CheckName] = ALL_CHECKS
    target_fpr: float | None = None
    as_of: date | datetime | None = None
    store: bool = False


class _Stopwatch:
    """Seconds by phase; a phase entered twice adds up. The observer is told of each."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self.seconds: dict[str, float] = {}
        self._started = time.perf_counter()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            with self._observer.phase(name):
                yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started

    def rounded(self) -> dict[str, float]:
        total = time.perf_counter() - self._started
        return {name: round(value, 4) for name, value in {**self.seconds, "total": total}.items()}


class Analyser:
    """Analyses articles with the models and indexes of one runtime, in the thread of that runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def analyse(self, source: ArticleInput, options: AnalysisOptions | None = None) -> Analysis:
        """Analyse one article, and store article and Analysis if the options ask for it.

        Raises:
            InvalidInput, EmptyText, NulCharacter, TextTooLong: see `service.articles.read_article`.
        """
        options = options or AnalysisOptions()
        settings = self._runtime.settings
        watch = _Stopwatch(self._runtime.observer)
        with watch.phase("text"):
            submission = read_article(source, max_chars=settings.max_text_chars)
            language, confidence = _language(submission)
            sentences = split_sentences(submission.text, language.code)
        models: dict[str, str] = {}
        origin = None
        if "origin" in options.checks:
            with watch.phase("origin"):
                fpr = options.target_fpr
                if fpr is None:
                    fpr = self._runtime.policy.target_fpr()
                origin = assess_origin(
                    self._runtime.detector, self._runtime.label_office.reader, submission, language.code, fpr
                )
                models["ai_text"] = self._runtime.detector.model_version
        claims: list[Claim] = []
        claims_status = _claims_status(options.checks, language.code)
        examined = sentences[:MAX_SENTENCES]
        if claims_status == "done":
            claims = self._claims(submission, examined, language.code, options.as_of, watch)
        if "claims" in options.checks:
            models |= {
                "encoder": self._runtime.encoder.model_id,
                "checkworthy": self._runtime.spotter.model_version,
                "stance": self._runtime.stance.model_version,
            }
        article = _article(submission, language.code)
        embedded: EmbeddedArticle | None = None
        related: list[RelatedRecord] = []
        duplicates: list[NearDuplicate] = []
        generation = 0
        if "claims" in options.checks or options.store:
            models["search_encoder"] = self._runtime.search_encoder.model_id
            library = self._runtime.library
            with watch.phase("embed_article"):
                embedded = library.articles.embed(article)
            with watch.phase("related"):
                related = self._related(embedded, options.as_of)
                duplicates = self._near_duplicates(article, embedded)
            generation = library.records.generation
        analysis = Analysis(
            id=article.id,
            created_at=datetime.now(UTC),
            stored=options.store,
            language=language.code,
            script=language.script,
            language_confidence=confidence,
            text=submission.text if submission.from_html else None,
            title=submission.title,
            sentences=[TextSpan(start=span.start, end=span.end) for span in sentences],
            origin=origin,
            claims=claims,
            claims_status=claims_status,
            claims_reason=UNSUPPORTED_LANGUAGE if claims_status == "abstained" else None,
            related_records=related,
            near_duplicates=duplicates,
            models=models,
            index_generation=generation,
            timings=watch.rounded(),
            truncated=Truncated(
                sentences="claims" in options.checks and len(sentences) > len(examined),
                windows=embedded is not None and _embedded_windows(embedded) < embedded.total_windows,
            ),
        )
        if options.store:
            assert embedded is not None
            with self._runtime.observer.phase("store"):
                self._store(article, embedded, analysis)
        return analysis

    def _claims(
        self,
        submission: Submission,
        sentences: list[Span],
        language: str,
        as_of: date | datetime | None,
        watch: _Stopwatch,
    ) -> list[Claim]:
        runtime = self._runtime
        if not sentences:
            return []
        quoted = [submission.text[span.start : span.end] for span in sentences]
        with watch.phase("embed_sentences"):
            inputs = encoder_inputs(quoted)
            vectors = runtime.encoder.encode(inputs, prompt=PASSAGE_PROMPT)
        with watch.phase("checkworthy"):
            worthiness = runtime.spotter.score(inputs, vectors, language)
            priority = runtime.spotter.priority(inputs, vectors, language)
            chosen = [row for row, value in enumerate(worthiness) if value >= runtime.spotter.threshold]
        if not chosen:
            return []
        with watch.phase("match"):
            # Articles hold many sentences and archives few records of any: most candidates are never shown.
            found = runtime.matcher.match(
                [ClaimQuery(quoted[row], language, submission.published_at) for row in chosen],
                top_k=runtime.settings.record_matches,
                vectors=vectors[chosen],
                as_of=as_of,
                group=True,
                shown_only=True,
            )
        return [
            Claim(
                start=sentences[row].start,
                end=sentences[row].end,
                text=quoted[row],
                worthiness=round(float(worthiness[row]), 4),
                priority=round(float(priority[row]), 4),
                status=matches.status,
                reason=matches.reason,
                matches=matches.matches,
            )
            for row, matches in zip(chosen, found, strict=True)
        ]

    def _related(self, embedded: EmbeddedArticle, as_of: date | datetime | None) -> list[RelatedRecord]:
        top_k = self._runtime.settings.related_records
        hits = self._runtime.library.records.related(embedded.vectors, top_k, as_of=as_of)
        return [_related_record(hit) for hit in hits]

    def _near_duplicates(self, article: Article, embedded: EmbeddedArticle) -> list[NearDuplicate]:
        settings = self._runtime.settings
        found = self._runtime.library.articles.near_duplicates(
            article, embedded, top_k=settings.near_duplicates, min_shared=settings.min_shared_text
        )
        return [
            NearDuplicate(
                article_id=item.article.id,
                similarity=round(item.similarity, 4),
                shared_text=round(item.shared_text, 4),
                title=item.article.title,
                outlet=item.article.outlet,
                published_at=item.article.published_at,
            )
            for item in found
        ]

    def _store(self, article: Article, embedded: EmbeddedArticle, analysis: Analysis) -> None:
        self._runtime.library.store.articles.save(
            article,
            embedded,
            model_id=self._runtime.search_encoder.model_id,
            analysis=analysis.model_dump(mode="json"),
            versions=analysis.models,
            index_generation=analysis.index_generation,
            notice=_notice(article, analysis),
            also=lambda connection: self._open_review(connection, article, analysis),
        )

    def _open_review(self, connection: Connection, article: Article, analysis: Analysis) -> None:
        case = case_of_analysis(article, analysis)
        if case is not None:
            wanted = opinions_wanted(case.subject, self._runtime.settings.review_overlap)
            open_case(connection, case, opinions_wanted=wanted)


def _notice(article: Article, analysis: Analysis) -> dict[str, Any]:
    """What webhooks tell of an analysis: see `service.webhooks.events.ArticleAnalysed`."""
    origin = analysis.origin
    return {
        "article_id": analysis.id,
        "url": article.url,
        "outlet": article.outlet,
        "language": analysis.language,
        "verdict": origin.verdict if origin else None,
        "abstain_reason": origin.abstain_reason if origin else None,
        "p_value": origin.p_value if origin else None,
        "claims": Counter(claim.status for claim in analysis.claims),
    }


def _language(submission: Submission) -> tuple[Language, float | None]:
    """The caller's word, else what the text looks like. The second value is the confidence of the
    identification.
    """
    canonical = canonicalise(submission.text, title=submission.title, outlet=submission.outlet).text
    identified = identify_language(canonical or submission.text)
    stated = base_language(submission.language_hint)
    if stated is None:
        return identified, round(identified.confidence, 4)
    return Language(stated, identified.script, 1.0), None


def _claims_status(checks: Collection[CheckName], language: str) -> ClaimsStatus:
    if "claims" not in checks:
        return "not_requested"
    return "done" if language in LANGUAGES else "abstained"


def _article(submission: Submission, language: str) -> Article:
    return Article(
        id="art_" + secrets.token_hex(12),
        text=submission.text,
        title=submission.title,
        language=language if language in LANGUAGES else None,
        outlet=submission.outlet,
        url=submission.url,
        published_at=submission.published_at,
    )


def _embedded_windows(embedded: EmbeddedArticle) -> int:
    return sum(passage.field == "text" for passage in embedded.passages)


def _related_record(hit: SearchHit) -> RelatedRecord:
    record = hit.record
    return RelatedRecord(
        record_id=record.id,
        score=round(hit.score, 4),
        claim=record.claim,
        title=record.title,
        language=record.language,
        publisher=record.publisher,
        url=record.url,
        published_at=record.published_at,
        sample=record.sample,
    )
