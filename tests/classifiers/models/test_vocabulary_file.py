"""All models read the vocabulary from a mapped file, and say what they said with a table inside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from classifiers.ai_text.detector import ENCODER_FILE, WEIGHTS
from classifiers.ai_text.encoder import SERVING_MODEL as DETECTOR
from classifiers.ai_text.encoder import EncoderScorer, prepare_encoder
from classifiers.models import load_encoder, prepare_models
from classifiers.models.encoder import inference_session
from classifiers.models.onnx_export import VOCABULARY
from classifiers.models.prepare import SERVING_MODEL
from classifiers.models.prepared import sha256_of
from classifiers.stance.cross_encoder import CrossEncoder, prepare_cross_encoder

ROWS = {
    "input_ids": np.array([[0, 41, 2045, 31_000, 249_000, 2], [0, 5, 77_777, 2, 1, 1]]),
    "attention_mask": np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]]),
}


def model_files() -> dict[str, Path]:
    return {
        "encoder": prepare_models().serving.path / SERVING_MODEL,
        "detector": prepare_encoder(WEIGHTS / ENCODER_FILE).path / DETECTOR,
        "stance": prepare_cross_encoder().path / "stance.onnx",
    }


@pytest.mark.parametrize("name", ["encoder", "detector", "stance"])
def test_the_mapped_table_gives_the_outputs_of_a_table_inside_the_model(name: str) -> None:
    path = model_files()[name]
    whole = onnx.load(str(path)).SerializeToString()
    # Both on one thread: products in single precision may differ in their last bit when they are shared out.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    inside = onnxruntime.InferenceSession(whole, options, providers=["CPUExecutionProvider"])
    mapped = inference_session(path, threads=1)
    for one, other in zip(inside.run(None, ROWS), mapped.run(None, ROWS), strict=True):
        np.testing.assert_array_equal(one, other)


def test_all_models_have_the_same_table_outside() -> None:
    paths = model_files().values()
    assert len({sha256_of(path.with_name(VOCABULARY)) for path in paths}) == 1
    # The table inside would take 60 MB more; the stance model's products are in single precision.
    largest = {"encoder": 40_000_000, "detector": 40_000_000, "stance": 100_000_000}
    assert {name for name, path in model_files().items() if path.stat().st_size > largest[name]} == set()


def test_all_models_share_one_tokenizer() -> None:
    encoder = load_encoder(adapted=False)
    tokenizers = {
        id(model._tokenizer)  # type: ignore[attr-defined]
        for model in (encoder, CrossEncoder.load(threads=1), EncoderScorer(WEIGHTS / ENCODER_FILE, threads=1))
    }
    assert len(tokenizers) == 1
