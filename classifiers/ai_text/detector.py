"""The detector: a text in, evidence on its origin out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from classifiers.ai_text.assessment import (
    AbstainReason,
    CalibrationCell,
    FeatureEvidence,
    OriginAssessment,
    OriginSegment,
    Verdict,
)
from classifiers.ai_text.calibration import (
    SHORTEST_WORDS,
    ConformalCalibration,
    ScoreScale,
    load_calibration,
    smallest_cell,
)
from classifiers.ai_text.encoder import KINDS, EncoderScorer
from classifiers.ai_text.features import measure
from classifiers.ai_text.fusion import Fusion, Passage, TextScorer, Witnesses
from classifiers.ai_text.linear import LinearScorer
from classifiers.ai_text.norms import FeatureNorms
from classifiers.ai_text.prose import is_prose
from classifiers.ai_text.segments import runs, sentence_windows, smooth
from classifiers.ai_text.view import detector_view
from classifiers.text import CanonicalText, Span, canonicalise, count_words, split_sentences

WEIGHTS: Final = Path(__file__).parent / "weights"
LINEAR_FILE: Final = "linear.npz"
PAIRED_FILE: Final = "paired.npz"
CALIBRATION_FILE: Final = "calibration.npz"
NORMS_FILE: Final = "norms.npz"
ENCODER_FILE: Final = "encoder.safetensors"
FUSION_FILE: Final = "fusion.npz"

#: Hidden characters and mixed-script words per word from which a text is taken as prepared against detection.
TAMPERED_SHARE: Final = 0.03
_FEWEST_TAMPERED: Final = 4
#: The longest texts calibration has seen hold about so many words.
PART_WORDS: Final = 600
_MOST_PARTS: Final = 8
_FEATURES_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class ReadText:
    """A text as the detector reads it: sentences as views, their words, their canonical spans."""

    canonical: CanonicalText
    spans: tuple[Span, ...]
    sentences: tuple[str, ...]
    words: tuple[int, ...]

    @property
    def view(self) -> str:
        return " ".join(self.sentences)

    @property
    def word_count(self) -> int:
        return sum(self.words)


def read_text(canonical: CanonicalText, language: str) -> ReadText:
    """Split a canonical text into sentence views; sentences without words are dropped."""
    spans: list[Span] = []
    sentences: list[str] = []
    words: list[int] = []
    for span in split_sentences(canonical.text, language):
        view = detector_view(canonical.text[span.start : span.end])
        count = count_words(view)
        if count:
            spans.append(span)
            sentences.append(view)
            words.append(count)
    return ReadText(canonical, tuple(spans), tuple(sentences), tuple(words))


def load_scorer(weights: Path, *, threads: int | None = None) -> TextScorer:
    """The masked linear model, and the other witnesses where ``weights`` holds an encoder and a fusion.
    ``threads``: of one call of the encoder; default: all cores.
    """
    linear = LinearScorer.load(weights / LINEAR_FILE)
    if not (weights / ENCODER_FILE).exists() or not (weights / FUSION_FILE).exists():
        return TextScorer(linear)
    paired = LinearScorer.load(weights / PAIRED_FILE)
    encoder = EncoderScorer(weights / ENCODER_FILE, threads=threads)
    return TextScorer(linear, Witnesses(paired, encoder, Fusion.load(weights / FUSION_FILE)))


@dataclass(frozen=True)
class Detector:
    """Scores, calibrates and explains; immutable and safe to share between threads."""

    scorer: TextScorer
    scale: ScoreScale
    conformal: ConformalCalibration
    norms: FeatureNorms
    model_version: str

    @classmethod
    def load(cls, weights: Path = WEIGHTS, *, threads: int | None = None) -> Detector:
        """Load the packaged weights. ``threads``: of one call; default: all cores.

        Raises:
            FileNotFoundError: ``weights`` lacks a file.
            ModelFilesError: the encoder's serving files cannot be built.
        """
        scale, conformal = load_calibration(weights / CALIBRATION_FILE)
        scorer = load_scorer(weights, threads=threads)
        names = [LINEAR_FILE, CALIBRATION_FILE, NORMS_FILE]
        if scorer.others is not None:
            names += [PAIRED_FILE, ENCODER_FILE, FUSION_FILE]
        digest = hashlib.sha256()
        for name in names:
            digest.update((weights / name).read_bytes())
        form = "linear" if scorer.others is None else "fused"
        return cls(
            scorer,
            scale,
            conformal,
            FeatureNorms.load(weights / NORMS_FILE),
            f"tamga-ai-text-{form}-{digest.hexdigest()[:12]}",
        )

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Languages the detector was trained and calibrated for."""
        return self.scorer.linear.languages

    def standardised(
        self, passages: Sequence[Passage], words: Sequence[int], language: str
    ) -> NDArray[np.float64]:
        """Scores in human standard deviations for texts given as sentence views, shape (n,)."""
        return self.scale.standardise(
            self.scorer.raw(passages, language), language, np.asarray(words, dtype=np.int64)
        )

    def assess(
        self,
        text: str,
        *,
        language: str,
        target_fpr: float = 0.01,
        title: str | None = None,
        outlet: str | None = None,
        canonical: CanonicalText | None = None,
    ) -> OriginAssessment:
        """Assess where a text comes from.

        Args:
            text: the text as sent; segment offsets count its code points.
            language: one of the nine codes; any other value abstains.
            target_fpr: the false-alarm rate the verdict may have among human texts, in (0, 1).
            title, outlet: stripped from the text before it is read.
            canonical: ``canonicalise(text, title=..., outlet=...)`` where the caller has it already.

        Raises:
            ValueError: ``target_fpr`` does not lie in (0, 1).
        """
        if not 0 < target_fpr < 1:
            raise ValueError(f"target_fpr must lie between 0 and 1, not {target_fpr}")
        canonical = canonical or canonicalise(text, title=title, outlet=outlet)
        supported = language in self.languages
        read = read_text(canonical, language if supported else "en")
        standard = self._document_score(read, language)
        score = float(self.scale.probability(np.array([standard]), language)[0])
        reason = self._reason(text, read, supported)
        cell: CalibrationCell | None = None
        p_value: float | None = None
        if reason is None:
            cell, p_value = self.conformal.p_value(language, read.word_count, standard, target_fpr)
            if cell.n < smallest_cell(target_fpr):
                reason = "too_few_calibration_texts"
        flagged = reason is None and p_value is not None and p_value <= target_fpr
        segments = self._segments(read, language, target_fpr, reason, standard)
        return OriginAssessment(
            verdict="likely_ai_unconfirmed" if flagged else "undetermined",
            score=score,
            p_value=p_value,
            target_fpr=target_fpr,
            abstain_reason=reason,
            calibration=cell,
            segments=segments,
            fraction_machine=None if reason else _machine_share(read, segments),
            kinds=self._kinds(read) if flagged else None,
            features=self._explain(read, language) if supported and read.sentences else (),
            model_version=self.model_version,
        )

    def _document_score(self, read: ReadText, language: str) -> float:
        """Score of the whole text; a long one is read in parts of the length that calibration knows."""
        parts = _parts(read)
        return float(
            np.mean(
                self.standardised(
                    [read.sentences[first:last] for first, last in parts],
                    [sum(read.words[first:last]) for first, last in parts],
                    language,
                )
            )
        )

    def _kinds(self, read: ReadText) -> dict[str, float] | None:
        """How the machine took part, given that it did."""
        probabilities = self.scorer.kind_probabilities(read.sentences)
        if probabilities is None:
            return None
        return dict(zip(KINDS, probabilities.tolist(), strict=True))

    def _reason(self, text: str, read: ReadText, supported: bool) -> AbstainReason | None:
        """Why not to judge this text, most telling reason first."""
        if not supported:
            return "unsupported_language"
        if read.word_count < SHORTEST_WORDS:
            return "too_short"
        tampered = read.canonical.tampering.total
        if tampered >= _FEWEST_TAMPERED and tampered / read.word_count >= TAMPERED_SHARE:
            return "tampered"
        if not is_prose(text, read.canonical.text):
            return "not_prose"
        return None

    def _segments(
        self,
        read: ReadText,
        language: str,
        target_fpr: float,
        reason: AbstainReason | None,
        document_score: float,
    ) -> tuple[OriginSegment, ...]:
        """Spans of like sentences; each long enough one gets a verdict at its share of ``target_fpr``."""
        if not read.sentences:
            return ()
        spans = self._spans(read, language)
        words = [sum(read.words[first:last]) for first, last in spans]
        if len(spans) == 1:
            standard = np.array([document_score])
        else:
            texts = [read.sentences[first:last] for first, last in spans]
            standard = self.standardised(texts, words, language)
        probability = self.scale.probability(standard, language)
        found = []
        for index, (first, last) in enumerate(spans):
            verdict: Verdict = "undetermined"
            if reason is None and words[index] >= SHORTEST_WORDS:
                # Bonferroni: among all spans of a human text at most target_fpr raise a false alarm.
                share = target_fpr / len(spans)
                if self.conformal.p_value(language, words[index], float(standard[index]), share)[1] <= share:
                    verdict = "likely_ai_unconfirmed"
            start = read.canonical.to_original(read.spans[first].start, read.spans[first].end).start
            end = read.canonical.to_original(read.spans[last - 1].start, read.spans[last - 1].end).end
            found.append(OriginSegment(start, end, float(probability[index]), verdict))
        return tuple(found)

    def _spans(self, read: ReadText, language: str) -> list[tuple[int, int]]:
        """[first, last) sentences of each span, by the linear model: it is quick enough for every window."""
        windows = sentence_windows(read.words)
        distinct = sorted(set(windows))
        others = self.scorer.others
        scale = self.scale if others is None else others.fusion.scales["linear"]
        scores = scale.standardise(
            self.scorer.linear.score([" ".join(read.sentences[a:b]) for a, b in distinct], language),
            language,
            np.array([sum(read.words[a:b]) for a, b in distinct], dtype=np.int64),
        )
        by_window = dict(zip(distinct, scores.tolist(), strict=True))
        standard = np.array([by_window[window] for window in windows])
        evidence = scale.log_odds(standard, language)
        # A window speaks for all its sentences at once: counting it fully for each would multiply the
        # evidence, counting it once in all would let no change of author through.
        return runs(smooth(evidence / np.sqrt([last - first for first, last in windows])))

    def _explain(self, read: ReadText, language: str) -> tuple[FeatureEvidence, ...]:
        """The features that stand out most towards the machine's end of the scale."""
        evidence = self.norms.compare(measure(read.sentences), language, read.word_count)
        return tuple(evidence[:_FEATURES_SHOWN])


def _parts(read: ReadText) -> list[tuple[int, int]]:
    """[first, last) sentences of at most eight evenly spread parts of about :data:`PART_WORDS` words."""
    if read.word_count <= 1.5 * PART_WORDS:
        return [(0, len(read.sentences))]
    parts: list[tuple[int, int]] = []
    first = size = 0
    for index, count in enumerate(read.words):
        size += count
        if size >= PART_WORDS:
            parts.append((first, index + 1))
            first, size = index + 1, 0
    if size >= PART_WORDS / 2:
        parts.append((first, len(read.words)))
    chosen = np.unique(np.linspace(0, len(parts) - 1, _MOST_PARTS).round().astype(int))
    return [parts[index] for index in chosen.tolist()]


def _machine_share(read: ReadText, segments: Sequence[OriginSegment]) -> float:
    """Share of the words that stand in flagged segments."""
    flagged = [segment for segment in segments if segment.verdict == "likely_ai_unconfirmed"]
    if not flagged:
        return 0.0
    words = 0
    for span, count in zip(read.spans, read.words, strict=True):
        place = read.canonical.to_original(span.start, span.end)
        if any(segment.start <= place.start and place.end <= segment.end for segment in flagged):
            words += count
    return words / read.word_count
