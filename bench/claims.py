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
    report = ["# Claim check: figures", "", "Written by `python -m bench.claims --data DIR`.", ""]
    for name in options.only:
        title, part = PARTS[name]
        figures[name] = part.measure(options.data, cache)
        report += [f"## {title}", "", part.table(figures[name]), ""]
        print("\n".join(report[-4:]), flush=True)
    write_json(options.json, figures)
    if options.write:
        options.write.write_text("\n".join(report), encoding="utf-8")


if __name__ == "__main__":
    main()
