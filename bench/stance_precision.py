"""What the stance cross-encoder gains and loses in int8: time of a reading, and how far stance scores move.

    python -m bench.stance_precision --data DIR [--pairs 300] [--rounds 7] [--json FILE]

Pairs are news sentences in two languages: translations, and neighbours from the same story. The int8 file is
made as the sentence encoder's is, large channels divided or set apart first. Rounds alternate between them.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.corpus import arguments, read_jsonl, write_json
from classifiers.models import load_encoder, prepare_models
from classifiers.models.encoder import inference_session
from classifiers.models.onnx_export import export_onnx, quantise_onnx
from classifiers.models.prepare import TOKENIZER
from classifiers.models.smoothing import sample_tokens, smooth
from classifiers.stance import STANCES, ClaimEvidence, StanceModel
from classifiers.stance.cross_encoder import WEIGHTS, joined
from classifiers.text import LANGUAGES

SERVED, ROUNDED = "single precision", "int8"
LIMIT = 0.02


def pairs_of(data: Path, count: int) -> list[ClaimEvidence]:
    """Half translations, half neighbours, the languages drawn."""
    rng = random.Random(0)
    rows = list(read_jsonl(data / "claims" / "parallel" / "ntrex.jsonl.gz"))[: count // 2]
    found = []
    for row, after in zip(rows, [*rows[1:], rows[0]], strict=True):
        for evidence in (row, after):
            one, other = rng.sample(LANGUAGES, 2)
            found.append(ClaimEvidence(row[one], evidence[other], one, other))
    return found


def rounded(folder: Path) -> Path:
    """The int8 file of the packaged stance weights."""
    reference = prepare_models(progress=False).packaged_folder
    model = joined(WEIGHTS, reference)
    smooth(model, sample_tokens(reference / TOKENIZER))
    export_onnx(model, folder / "traced.onnx", ["stance_logits"])
    quantise_onnx(folder / "traced.onnx", folder / "int8.onnx")
    return folder / "int8.onnx"


def main() -> None:
    """Measure, print and keep."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--pairs", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    pairs = pairs_of(options.data, options.pairs)
    encoder = load_encoder()
    vectors = [encoder.encode([getattr(pair, side) for pair in pairs]) for side in ("claim", "evidence")]
    cosines = (vectors[0] * vectors[1]).sum(axis=1)
    models = {name: StanceModel.load() for name in (SERVED, ROUNDED)}
    with tempfile.TemporaryDirectory() as folder:
        models[ROUNDED]._cross_encoder._session = inference_session(rounded(Path(folder)))

    def scores(name: str) -> NDArray[np.float64]:
        found = models[name].compare(pairs, cosines)
        return np.array([[result.scores[stance] for stance in STANCES] for result in found])

    said = {name: scores(name) for name in models}
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for number in range(options.rounds):
        for name in models if number % 2 == 0 else reversed(list(models)):
            began = time.perf_counter()
            models[name]._cross_encoder.logits(pairs)
            seconds[name].append(time.perf_counter() - began)
    moved = np.abs(said[SERVED] - said[ROUNDED]).max(axis=1)
    ratios = [one / other for one, other in zip(seconds[SERVED], seconds[ROUNDED], strict=True)]
    figures = {
        "pairs": len(pairs),
        "seconds": seconds,
        "times_as_long": {"median": statistics.median(ratios), "least": min(ratios), "greatest": max(ratios)},
        "scores_moved": {
            "median": float(np.median(moved)),
            "p95": float(np.quantile(moved, 0.95)),
            "greatest": float(moved.max()),
            "within_limit": float(np.mean(moved <= LIMIT)),
        },
        "same_stance": float(np.mean(said[SERVED].argmax(axis=1) == said[ROUNDED].argmax(axis=1))),
    }
    write_json(options.json, figures)
    for name, value in figures.items():
        if name != "seconds":
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
