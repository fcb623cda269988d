"""Encoder runtimes against each other: tokens per second on sentences and on 512-token windows.

Each runtime lives in its own process and works only when it is its turn; rounds alternate, and the figure
is the median over rounds of the ratio to torch float32 in the same round. The same texts go through the
same tokenizer, one at a time. Agreement is the cosine to torch float32, lowest and mean per language.
Run: ``python -m bench.encoder --data DIR [--rounds 7] [--all] [--json FILE]``; ``--all`` adds the
alternatives that docs/adr/0002 weighs (needs the ``train`` extra).
"""

from __future__ import annotations

import multiprocessing as mp
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.corpus import arguments, read_jsonl, write_json
from classifiers.models.encoder import QUERY, inference_session
from classifiers.models.prepare import SERVING_MODEL, mean_pooled, prepare_models
from classifiers.models.tokens import packaged_tokenizer, truncate
from classifiers.text import LANGUAGES

SENTENCES_PER_LANGUAGE = 6
WINDOWS = 3
TARGETS = {"sentences": 2.0, "windows": 1.6, "cosine": 0.999}
Embed = Callable[[list[int]], NDArray[np.float32]]


def torch_fp32() -> Embed:
    """The reference: transformers on torch in float32, attention as it comes (SDPA)."""
    import torch
    from transformers import AutoModel

    return _torch_embed(
        mean_pooled(AutoModel.from_pretrained(prepare_models(False).packaged_folder)).eval(), torch
    )


def torch_int8() -> Embed:
    """torch's dynamic quantisation of every linear layer."""
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(prepare_models(False).packaged_folder)
    quantised = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)
    return _torch_embed(mean_pooled(quantised).eval(), torch)


def torch_bf16() -> Embed:
    """torch under bfloat16 autocast."""
    import torch
    from transformers import AutoModel

    embed = _torch_embed(
        mean_pooled(AutoModel.from_pretrained(prepare_models(False).packaged_folder)).eval(), torch
    )

    def autocast(ids: list[int]) -> NDArray[np.float32]:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return embed(ids)

    return autocast


def _torch_embed(model: Any, torch: Any) -> Embed:
    def embed(ids: list[int]) -> NDArray[np.float32]:
        with torch.inference_mode():
            row = torch.tensor([ids])
            return model(row, torch.ones_like(row))[0].float().numpy()

    return embed


def onnx_int8() -> Embed:
    """What Tamga serves with: ONNX Runtime, int8 products, 4-bit vocabulary."""
    return _onnx_embed(prepare_models(False).serving.path / SERVING_MODEL)


def onnx_int8_plain() -> Embed:
    """int8 without the large channels divided or set apart first."""
    from classifiers.models.onnx_export import quantise_onnx

    traced = _traced()
    quantise_onnx(traced, traced.with_name("encoder-int8.onnx"))
    return _onnx_embed(traced.with_name("encoder-int8.onnx"))


def onnx_fp32() -> Embed:
    """ONNX Runtime in float32."""
    return _onnx_embed(_traced())


def _onnx_embed(path: Path) -> Embed:
    session = inference_session(path)

    def embed(ids: list[int]) -> NDArray[np.float32]:
        feed = {"input_ids": np.array([ids]), "attention_mask": np.ones((1, len(ids)), np.int64)}
        return session.run(None, feed)[0][0]

    return embed


def openvino_int8() -> Embed:
    """OpenVINO with int8 weights (NNCF) and its dynamic quantisation of activations."""
    import nncf
    import openvino

    core = openvino.Core()
    model = nncf.compress_weights(core.read_model(_traced()), mode=nncf.CompressWeightsMode.INT8_SYM)
    hints = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": os.cpu_count() or 1,
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": 32,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    return _openvino_embed(core.compile_model(model, "CPU", hints))


def openvino_fp32() -> Embed:
    """OpenVINO in float32."""
    import openvino

    core = openvino.Core()
    hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    return _openvino_embed(core.compile_model(core.read_model(_traced()), "CPU", hints))


def _openvino_embed(compiled: Any) -> Embed:
    def embed(ids: list[int]) -> NDArray[np.float32]:
        return compiled([np.array([ids]), np.ones((1, len(ids)), np.int64)])[0][0]

    return embed


def _traced() -> Path:
    """A float32 ONNX file, traced for this run."""
    from transformers import AutoModel

    from classifiers.models.onnx_export import export_onnx

    path = Path(tempfile.mkdtemp()) / "encoder-f32.onnx"
    folder = prepare_models(False).packaged_folder
    export_onnx(
        mean_pooled(AutoModel.from_pretrained(folder, attn_implementation="eager")),
        path,
        ["sentence_embedding"],
    )
    return path


REFERENCE = "torch fp32"
SERVING = "onnx int8"
ALWAYS: dict[str, Callable[[], Embed]] = {REFERENCE: torch_fp32, SERVING: onnx_int8}
ALTERNATIVES: dict[str, Callable[[], Embed]] = {
    "onnx int8, large channels left": onnx_int8_plain,
    "onnx fp32": onnx_fp32,
    "torch int8": torch_int8,
    "torch bf16": torch_bf16,
    "openvino fp32": openvino_fp32,
    "openvino int8": openvino_int8,
}


def _worker(name: str, pipe: Connection) -> None:
    """Load one runtime, then embed whatever arrives and answer (seconds, vectors)."""
    import transformers

    transformers.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()
    embed = {**ALWAYS, **ALTERNATIVES}[name]()
    embed([0, 5, 2])
    pipe.send("ready")
    while (rows := pipe.recv()) is not None:
        started = time.perf_counter()
        vectors = [embed(ids) for ids in rows]
        pipe.send((time.perf_counter() - started, np.array(vectors)))


def texts(data: Path) -> tuple[dict[str, list[list[int]]], list[list[int]]]:
    """Token ids: sentences by language, and windows of exactly 512 tokens."""
    tokenizer = packaged_tokenizer()
    rows = list(read_jsonl(data / "claims" / "parallel" / "ntrex.jsonl.gz"))
    sentences = {
        code: [tokenizer.encode(QUERY + row[code]).ids for row in rows[: SENTENCES_PER_LANGUAGE * 20 : 20]]
        for code in LANGUAGES
    }
    joined = {code: QUERY + " ".join(row[code] for row in rows[:60]) for code in LANGUAGES}
    return sentences, [truncate(tokenizer.encode(text).ids, 512) for text in joined.values()]


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--all", action="store_true", help="also the runtimes that were weighed and not chosen"
    )
    options = parser.parse_args()
    sentences, windows = texts(options.data)
    work = {"sentences": [ids for rows in sentences.values() for ids in rows], "windows": windows[:WINDOWS]}
    agreement_rows = work["sentences"] + windows

    context = mp.get_context("spawn")
    pipes: dict[str, Connection] = {}
    for name in [*ALWAYS, *(ALTERNATIVES if options.all else {})]:
        pipes[name], theirs = context.Pipe()
        context.Process(target=_worker, args=(name, theirs), daemon=True).start()
        pipes[name].recv()

    def turn(name: str, rows: list[list[int]]) -> tuple[float, NDArray[np.float32]]:
        pipes[name].send(rows)
        return pipes[name].recv()

    vectors = {name: turn(name, agreement_rows)[1] for name in pipes}
    seconds: dict[str, dict[str, list[float]]] = {name: {kind: [] for kind in work} for name in pipes}
    for number in range(options.rounds):
        order = list(pipes) if number % 2 == 0 else list(reversed(pipes))
        for kind, rows in work.items():
            for name in order:
                seconds[name][kind].append(turn(name, rows)[0])
    for pipe in pipes.values():
        pipe.send(None)

    figures = {name: _figures(name, seconds, vectors, work) for name in pipes}
    _print(figures, options.rounds)
    by_language = _cosines_by_language(vectors, sentences)
    print(
        "\nlowest cosine of the serving backend per language: "
        + ", ".join(f"{code} {value:.4f}" for code, value in by_language.items())
    )
    write_json(
        options.json,
        {
            "rounds": options.rounds,
            "cpus": os.cpu_count(),
            "load": os.getloadavg(),
            "seconds": seconds,
            "figures": figures,
            "lowest_cosine_by_language": by_language,
        },
    )
    served = figures[SERVING]
    if (
        served["sentences"]["ratio"] < TARGETS["sentences"]
        or served["windows"]["ratio"] < TARGETS["windows"]
        or served["mean_cosine"] < TARGETS["cosine"]
    ):
        raise SystemExit(1)


def _figures(
    name: str,
    seconds: dict[str, dict[str, list[float]]],
    vectors: dict[str, NDArray[np.float32]],
    work: dict[str, list[list[int]]],
) -> dict[str, Any]:
    cosines = np.sum(vectors[name] * vectors[REFERENCE], axis=1)
    figures: dict[str, Any] = {"mean_cosine": float(cosines.mean()), "lowest_cosine": float(cosines.min())}
    for kind, rows in work.items():
        ratios = [
            theirs / ours for theirs, ours in zip(seconds[REFERENCE][kind], seconds[name][kind], strict=True)
        ]
        figures[kind] = {
            "tokens_per_second": sum(map(len, rows)) / statistics.median(seconds[name][kind]),
            "ratio": statistics.median(ratios),
            "ratio_range": [min(ratios), max(ratios)],
        }
    return figures


def _cosines_by_language(
    vectors: dict[str, NDArray[np.float32]], sentences: dict[str, list[list[int]]]
) -> dict[str, float]:
    cosines = np.sum(vectors[SERVING] * vectors[REFERENCE], axis=1)
    lowest, start = {}, 0
    for code, rows in sentences.items():
        lowest[code] = float(cosines[start : start + len(rows)].min())
        start += len(rows)
    return lowest


def _print(figures: dict[str, dict[str, Any]], rounds: int) -> None:
    print(
        f"median of {rounds} alternating rounds, one text at a time; ratio to {REFERENCE} in the same round\n"
    )
    print(
        "| runtime | sentences tok/s | ratio (range) | windows tok/s | ratio (range) | cosine mean / lowest |"
    )
    print("|---|---:|---:|---:|---:|---:|")
    for name, row in figures.items():
        cells = [
            f"{row[kind]['tokens_per_second']:.0f} | {row[kind]['ratio']:.2f} "
            f"({row[kind]['ratio_range'][0]:.2f}–{row[kind]['ratio_range'][1]:.2f})"
            for kind in ("sentences", "windows")
        ]
        print(f"| {name} | {cells[0]} | {cells[1]} | {row['mean_cosine']:.4f} / {row['lowest_cosine']:.4f} |")


if __name__ == "__main__":
    main()
