"""Half human, half machine: are the parts found, and where does the seam fall?"""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence

from bench.ai_text.held_out import table
from classifiers.ai_text import Detector
from classifiers.text import split_sentences
from classifiers.training.ai_text.corpus import Document
from classifiers.training.ai_text.crops import cut
from classifiers.training.ai_text.splits import select

_PART_WORDS = 170


def splices(
    documents: Sequence[Document], detector: Detector, per_language: int = 24
) -> dict[str, tuple[float, float]]:
    """Segment F1 by words (machine part as the positive class) and the median seam error in sentences.

    A segment counts as machine where its score is above one half; the F1 by verdicts, which are bounded,
    stands beside.
    """
    rows = []
    found: dict[str, tuple[float, float]] = {}
    for language in sorted({document.language for document in documents}):
        generator = random.Random(f"splice:{language}")
        test = [
            d for d in select(documents, "test") if d.language == language and not d.attack and d.words >= 100
        ]
        human = [d for d in test if d.label == "human"]
        machine = [d for d in test if d.label == "ai"]
        if not human or not machine:
            continue
        scored = [0, 0, 0]
        bounded = [0, 0, 0]
        errors: list[int] = []
        for _ in range(per_language):
            first, second = generator.choice(human), generator.choice(machine)
            machine_first = generator.random() < 0.5
            parts = [cut(first, _PART_WORDS, generator).text, cut(second, _PART_WORDS, generator).text]
            if machine_first:
                parts.reverse()
            text = " ".join(parts)
            seam = len(parts[0]) + 1
            assessment = detector.assess(text, language=language, target_fpr=0.05)
            spans = split_sentences(text, language)
            truth = [(span.start < seam) == machine_first for span in spans]
            for counts, machine_like in (
                (scored, [s for s in assessment.segments if s.score > 0.5]),
                (bounded, [s for s in assessment.segments if s.verdict == "likely_ai_unconfirmed"]),
            ):
                for span, is_machine in zip(spans, truth, strict=True):
                    said = any(s.start <= span.start and span.end <= s.end for s in machine_like)
                    words = len(text[span.start : span.end].split())
                    counts[0] += words * (said and is_machine)
                    counts[1] += words * (said and not is_machine)
                    counts[2] += words * (is_machine and not said)
            cuts = [s.start for s in assessment.segments[1:]]
            true_index = sum(span.start < seam for span in spans)
            if cuts:
                errors.append(min(abs(sum(span.start < c for span in spans) - true_index) for c in cuts))
            else:
                errors.append(min(true_index, len(spans) - true_index))
        f1 = [2 * c[0] / max(1, 2 * c[0] + c[1] + c[2]) for c in (scored, bounded)]
        found[language] = (f1[0], statistics.median(errors))
        rows.append((language, per_language, f"{f1[0]:.2f}", f"{f1[1]:.2f}", statistics.median(errors)))
    table(
        "Spliced texts",
        ("language", "texts", "F1 by score", "F1 by verdict at 5%", "median seam error, sentences"),
        rows,
    )
    return found
