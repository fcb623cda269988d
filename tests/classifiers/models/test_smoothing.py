from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from classifiers.models.prepare import TOKENIZER, prepare_models
from classifiers.models.smoothing import sample_tokens, smooth

IDS = np.arange(2, 26).reshape(2, 12)
TEXTS = (IDS, np.ones_like(IDS))


class Holder(torch.nn.Module):
    """A model around an encoder, as the project's are."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state


@pytest.fixture
def model() -> Holder:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=40, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64
    )
    encoder = BertModel(config, add_pooling_layer=False).eval()
    with torch.no_grad():  # some channels stand out, as in trained encoders
        encoder.embeddings.LayerNorm.weight[5] = 40.0
        for layer in encoder.encoder.layer:
            layer.intermediate.dense.bias[7] = 30.0
    return Holder(encoder)


def products(model: Holder) -> dict[str, torch.Tensor]:
    """What enters the plain linear layers of the first layer, by their weights' shape and order."""
    seen: dict[str, torch.Tensor] = {}
    layer = model.encoder.encoder.layer[0]
    handles = [
        module.register_forward_pre_hook(lambda _, inputs, name=name: seen.__setitem__(name, inputs[0]))
        for name, module in layer.named_modules()
        if isinstance(module, torch.nn.Linear)
    ]
    with torch.inference_mode():
        model(*map(torch.from_numpy, TEXTS))
    for handle in handles:
        handle.remove()
    return seen


def towering(inputs: torch.Tensor) -> float:
    """The largest channel beside the median one."""
    sizes = inputs.abs().amax(dim=(0, 1))
    return float(sizes.max() / sizes.median())


def test_results_stay_and_no_channel_towers_above_the_others(model: Holder) -> None:
    with torch.inference_mode():
        expected = model(*map(torch.from_numpy, TEXTS)).numpy()
    before = products(model)
    smooth(model, TEXTS)
    with torch.inference_mode():
        np.testing.assert_allclose(model(*map(torch.from_numpy, TEXTS)).numpy(), expected, atol=1e-4)
    after = products(model)
    assert towering(after["attention.self.query.linear"]) < 0.5 * towering(before["attention.self.query"])
    assert towering(before["output.dense"]) > 5
    assert towering(after["output.dense.linear"]) < 0.5 * towering(before["output.dense"])
    # The three products of attention still read one and the same input.
    torch.testing.assert_close(
        after["attention.self.query.linear"], after["attention.self.value.linear"], rtol=0, atol=0
    )


def test_sample_texts_are_whole_sentences() -> None:
    ids, mask = sample_tokens(prepare_models().packaged_folder / TOKENIZER)
    assert len(ids) >= 27
    assert set((ids == 2).sum(axis=1)) == {1}
    assert set((mask == 0).sum(axis=1)) != {0}
