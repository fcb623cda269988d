"""Claim check, all figures in one report: ``python -m bench.claims --data DIR``.

Retrieval of verified records, match calibration and false links, stance, check-worthiness, each with
intervals and its baseline beside it. ``--only`` picks parts; ``--write docs/claims-figures.md`` keeps the
report.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench import claims_links, claims_retrieval, claims_stance, claims_worthiness
from bench.corpus import arguments, write_json
from classifiers.models import load_encoder
from classifiers.training.vectors import VectorCache

PARTS: dict[str, tuple[str, Any]] = {
    "retrieval": ("Retrieval", claims_retrieval),
    "links": ("Match probability and false links", claims_links),
    "stance": ("Stance", claims_stance),
    "worthiness": ("Check-worthiness", claims_worthiness),
}


def main() -> None:
    """Measure the chosen parts, print and keep them."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--only", choices=sorted(PARTS), nargs="+", default=list(PARTS))
    parser.add_argument("--write", type=Path, help="also write the report here")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    cache = VectorCache(load_encoder(threads=options.threads))
    figures: dict[str, Any] = {}
    sections = kept_sections(options.write)
    for name in options.only:
        title, part = PARTS[name]
        figures[name] = part.measure(options.data, cache)
        sections[title] = part.table(figures[name])
        print(f"## {title}\n\n{sections[title]}\n", flush=True)
    write_json(options.json, figures)
    if options.write:
        report = ["# Claim check: figures", "", "Written by `python -m bench.claims --data DIR`.", ""]
        for title, _ in PARTS.values():
            if title in sections:
                report += [f"## {title}", "", sections[title], ""]
        options.write.write_text("\n".join(report), encoding="utf-8")


def kept_sections(path: Path | None) -> dict[str, str]:
    """The sections of a report written before, by title: a run of some parts leaves the others alone."""
    if path is None or not path.exists():
        return {}
    _, *parts = path.read_text(encoding="utf-8").split("\n## ")
    return {title: text.strip() for title, _, text in (part.partition("\n") for part in parts)}


if __name__ == "__main__":
    main()
