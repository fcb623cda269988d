from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from classifiers.stance.cross_encoder import pack, unpack
from classifiers.training.stance_encoder import stance_loss
from classifiers.training.stance_sets import NOT_SUPPORTED


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
