"""``python -m bench.ai_text --data DIR``: the origin detector on a development test no model saw.

Sections: headline, baseline, kinds, targets, margins, lengths, attacks, edits, splices, shortcuts,
generators, languages, outlets, peers, speed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.ai_text import baseline, edits, held_out, leave_out, peers, sections, splices
from bench.corpus import arguments, write_json
from classifiers.ai_text import Detector
from classifiers.ai_text.detector import WEIGHTS
from classifiers.training.ai_text.corpus import Document, languages_in
from classifiers.training.ai_text.held_out import held_out_scores
from classifiers.training.ai_text.splits import select

SECTIONS = (
    "headline", "baseline", "kinds", "targets", "margins", "lengths", "attacks", "edits", "splices",
    "shortcuts", "generators", "languages", "outlets", "peers", "speed",
)  # fmt: skip

_JUDGED = {"headline", "baseline", "targets", "margins", "lengths", "attacks", "peers"}


def speed(documents: Sequence[Document], detector: Detector) -> float:
    """Median milliseconds for one article of about 400 words."""
    articles = [d for d in select(documents, "test") if 350 <= d.words <= 450][:40]
    times = []
    for article in articles:
        started = time.perf_counter()
        detector.assess(article.view, language=article.language)
        times.append(1000 * (time.perf_counter() - started))
    median = statistics.median(times)
    print(f"\nOne article of about 400 words: {median:.0f} ms (median of {len(times)})")
    return median


def main() -> None:
    """Run the chosen sections."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--fpr", type=float, default=0.01)
    parser.add_argument("--sections", default=",".join(SECTIONS))
    parser.add_argument("--work", type=Path, help="folder of the prepared documents")
    parser.add_argument("--fresh", action="store_true", help="read the corpora anew")
    options = parser.parse_args()
    chosen = set(options.sections.split(","))
    if unknown := chosen - set(SECTIONS):
        parser.error(f"unknown sections: {', '.join(sorted(unknown))}")
    documents = held_out.read_documents(options)
    detector = Detector.load()
    print(f"# Origin detector {detector.model_version}")
    report: dict[str, object] = {"model": detector.model_version, "target_fpr": options.fpr}
    if chosen & _JUDGED:
        scored = held_out_scores(documents, WEIGHTS, held_out.work_folder(options))[0]
        judged = held_out.judge_all(scored, options.fpr)
        actions: dict[str, Callable[[], object]] = {
            "headline": lambda: sections.headline(judged, options.fpr),
            "baseline": lambda: baseline.against_linear(judged, detector, options.fpr),
            "targets": lambda: sections.targets(scored),
            "margins": lambda: sections.margins(scored, options.fpr),
            "lengths": lambda: sections.lengths(judged),
            "attacks": lambda: sections.attacks(judged),
            "peers": lambda: peers.lmscan(judged),
        }
        report |= {name: action() for name, action in actions.items() if name in chosen}
    actions = {
        "kinds": lambda: baseline.kinds(documents, detector),
        "edits": lambda: edits.edits(documents, detector, options.fpr),
        "splices": lambda: splices.splices(documents, detector),
        "shortcuts": lambda: sections.shortcuts(options.data, languages_in(options.data)),
        "generators": lambda: leave_out.generators(documents),
        "languages": lambda: leave_out.languages(documents),
        "outlets": lambda: leave_out.outlets(documents),
        "speed": lambda: speed(documents, detector),
    }
    report |= {name: action() for name, action in actions.items() if name in chosen}
    write_json(options.json, {name: value for name, value in report.items() if value is not None})


if __name__ == "__main__":
    main()
