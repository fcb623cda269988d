from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from classifiers.models.smoothing import largest_inputs, smooth

TOKENS = torch.arange(2, 26).reshape(2, 12)


@pytest.fixture
def encoder() -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=40, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64
    )
    return BertModel(config, add_pooling_layer=False).eval()


def states(encoder: BertModel) -> np.ndarray:
    with torch.inference_mode():
        return encoder(input_ids=TOKENS).last_hidden_state.numpy()


def test_smoothing_changes_no_result_and_evens_the_channels_out(encoder: BertModel) -> None:
    layer = encoder.encoder.layer[0]
    with torch.no_grad():  # one channel stands out, as in trained encoders
        encoder.embeddings.LayerNorm.weight[5] = 40.0
    before = states(encoder)
    largest = largest_inputs(encoder, lambda: encoder(input_ids=TOKENS))
    assert set(largest) == {
        f"encoder.layer.{number}.{name}"
        for number in (0, 1)
        for name in ("attention.self.query", "attention.output.dense", "intermediate.dense", "output.dense")
    }
    query = largest["encoder.layer.0.attention.self.query"].astype(np.float32)
    assert query.argmax() == 5
    smooth(encoder, largest)
    np.testing.assert_allclose(states(encoder), before, atol=1e-4)
    divided = query * layer.attention.self.query.divisors.numpy()
    assert divided.max() / np.median(divided) < 0.5 * query.max() / np.median(query)
    # The three products of attention still read one and the same input.
    np.testing.assert_array_equal(
        layer.attention.self.query.divisors.numpy(), layer.attention.self.value.divisors.numpy()
    )


def test_sizes_of_another_encoder_are_refused(encoder: BertModel) -> None:
    with pytest.raises(KeyError, match=r"encoder\.layer\.0"):
        smooth(encoder, {})
