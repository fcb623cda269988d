"""Cross-language sentence retrieval: S@1 for all 72 ordered language pairs of a nine-way parallel corpus.

For each source sentence the nearest of 1,000 fixed target sentences must be its translation. Only sentences
of documents that the adaptation was not trained on are asked for; all 1,000 are candidates.
Run: ``python -m bench.retrieval --data DIR [--backend onnx|torch] [--published] [--encoder NAME]
[--json FILE]``;
``--published`` takes the packaged encoder as it was before the adaptation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.corpus import arguments, read_jsonl, write_json
from classifiers.models import load_encoder
from classifiers.text import LANGUAGES
from classifiers.training.claims_data import calibration_documents
from classifiers.training.vectors import VectorCache

CANDIDATES = 1000
FLOORS = {"mean": 0.94, "turkmen_mean": 0.80}


def success_at_1(
    queries: NDArray[np.float32], candidates: NDArray[np.float32], own: NDArray[np.int64]
) -> float:
    """Share of queries, (n, dimension), whose nearest of the candidates, (m, dimension), is their own one,
    whose number stands in ``own``, (n,).
    """
    return float(np.mean((queries @ candidates.T).argmax(axis=1) == own))


def interval(share: float, count: int) -> float:
    """Half width of the 95% interval of a share (Wilson, at its centre's scale)."""
    z = 1.96
    return z * float(np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))) / (1 + z * z / count)


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--backend", choices=["onnx", "torch"], default="onnx")
    parser.add_argument(
        "--encoder", help="a sentence-transformers model or folder instead of the packaged one"
    )
    parser.add_argument("--published", action="store_true", help="the packaged encoder without adaptation")
    options = parser.parse_args()
    rows = list(read_jsonl(options.data / "claims" / "parallel" / "ntrex.jsonl.gz"))[:CANDIDATES]
    kept = calibration_documents(options.data)
    asked = np.array([number for number, row in enumerate(rows) if row["doc"] in kept])
    encoder = load_encoder(options.encoder, backend=options.backend, adapted=not options.published)
    cache = VectorCache(encoder)
    vectors = {code: cache.encode([row[code] for row in rows]) for code in LANGUAGES}
    table = {
        source: {
            target: success_at_1(vectors[source][asked], vectors[target], asked)
            for target in LANGUAGES
            if target != source
        }
        for source in LANGUAGES
    }
    print(
        f"S@1 of {len(asked)} queries among {len(rows)} candidates, {encoder.model_id}, "
        f"backend {options.backend}; "
        "a row is a query language\n"
    )
    print("| | " + " | ".join(LANGUAGES) + " |")
    print("|---|" + "---:|" * len(LANGUAGES))
    for source, cells in table.items():
        print(
            f"| **{source}** | "
            + " | ".join(f"{cells[t]:.3f}" if t in cells else "–" for t in LANGUAGES)
            + " |"
        )
    shares = {(source, target): share for source, cells in table.items() for target, share in cells.items()}
    widest = max(interval(share, len(asked)) for share in shares.values())
    means = {
        "mean": float(np.mean(list(shares.values()))),
        "turkmen_mean": float(np.mean([share for pair, share in shares.items() if "tk" in pair])),
    }
    lowest = min(shares, key=shares.__getitem__)
    print(f"\nmean {means['mean']:.3f}, of the pairs with Turkmen {means['turkmen_mean']:.3f}; ", end="")
    print(f"lowest: {lowest[0]} to {lowest[1]} {shares[lowest]:.3f}; ", end="")
    print(f"95% interval of a cell at most ±{widest:.3f}")
    write_json(options.json, {"model": encoder.model_id, "backend": options.backend, "success_at_1": table})
    if not (options.published or options.encoder) and any(means[name] < FLOORS[name] for name in FLOORS):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
