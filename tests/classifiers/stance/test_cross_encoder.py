from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from transformers import AutoTokenizer

from classifiers.models import prepare_models
from classifiers.stance import ClaimEvidence
from classifiers.stance.cross_encoder import WEIGHTS, CrossEncoder, joined, pack, unpack
from classifiers.training.stance_encoder import stance_loss, tokenise
from classifiers.training.stance_pairs import SUPPORTS, LabelledPair
from classifiers.training.stance_sets import NOT_SUPPORTED

PAIRS = [
    ClaimEvidence("Köprü 1973'te açıldı.", "The bridge was opened in 1973.", "tr", "en"),
    ClaimEvidence("Köpri 1973-nji ýylda açyldy.", "The bridge was opened in 1975.", "tk", "en"),
    ClaimEvidence("The team won the cup.", "Завод былтыр 4 200 трактор шығарды. " * 40, "en", "kk"),
]


@settings(deadline=None)  # machines differ
@given(
    arrays(np.float32, array_shapes(min_dims=1, max_dims=2, max_side=8), elements=st.floats(-8, 8, width=32))
)
def test_packing_keeps_vectors_and_rounds_matrices_by_row(value: np.ndarray) -> None:
    back = unpack(pack({"layer.weight": value}))["layer.weight"]
    assert back.shape == value.shape
    if value.ndim == 1:
        np.testing.assert_array_equal(back, value)
    else:
        step = np.maximum(np.abs(value).max(axis=1, keepdims=True), 1e-12) / 127
        assert (np.abs(back - value) <= step * 0.51).all()


def test_not_supported_is_the_two_other_stances_together() -> None:
    logits = torch.tensor([[0.2, 1.0, -0.5]])
    p = torch.softmax(logits, dim=1)[0]
    assert torch.isclose(stance_loss(logits, torch.tensor([NOT_SUPPORTED])), -torch.log(p[1] + p[2]))
    assert torch.isclose(stance_loss(logits, torch.tensor([1])), -torch.log(p[1]))


@pytest.fixture(scope="module")
def cross_encoder() -> CrossEncoder:
    return CrossEncoder.load(threads=1)


def test_the_serving_file_reads_pairs_as_the_torch_model_does(cross_encoder: CrossEncoder) -> None:
    folder = prepare_models(progress=False).packaged_folder
    tokenizer = AutoTokenizer.from_pretrained(folder)
    inputs = tokenise(tokenizer, [LabelledPair(pair, SUPPORTS, "", "") for pair in PAIRS])
    with torch.inference_mode():
        reference = joined(WEIGHTS, folder).eval()(**inputs).numpy()
    served = cross_encoder.logits(PAIRS)
    np.testing.assert_allclose(served, reference, atol=1e-3)
    assert (served.argmax(axis=1) == reference.argmax(axis=1)).all()


def test_a_reading_depends_on_no_other_pair(cross_encoder: CrossEncoder) -> None:
    together = cross_encoder.logits(PAIRS)
    np.testing.assert_allclose(cross_encoder.logits(PAIRS[::-1])[::-1], together, atol=1e-3)
    alone = np.concatenate([cross_encoder.logits([pair]) for pair in PAIRS])
    np.testing.assert_allclose(alone, together, atol=1e-3)


def test_no_pairs_give_no_logits(cross_encoder: CrossEncoder) -> None:
    assert cross_encoder.logits([]).shape == (0, 3)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    with np.load(WEIGHTS) as stored:
        arrays = dict(stored)
    arrays.pop("head.bias")
    np.savez(tmp_path / "weights.npz", **arrays)
    with pytest.raises(ValueError, match="another shape"):
        joined(tmp_path / "weights.npz", prepare_models(progress=False).packaged_folder)
