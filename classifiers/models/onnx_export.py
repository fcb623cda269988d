"""Build the serving form of a BERT-shaped encoder: one ONNX file with int8 matrix products.

Used for the packaged sentence encoder and for fine-tuned heads alike, so that every model of the project
is served by the same runtime. Steps: trace with torch, store the vocabulary table in 4-bit blocks where
the weights were published in 4 bits anyway (exact, and a seventh of the memory), quantise the matrix
products to int8 per output channel. docs/adr/0002 compares the alternatives.

The table lies in a file of its own beside the model: ONNX Runtime maps such files into memory, so that of the
table only what the words of the texts need takes room there.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

OPSET = 21
BLOCK = 32
# The vocabulary table, beside the model files that look words up in it.
VOCABULARY = "vocabulary.bin"
_PARTS = (".codes", ".scales")
# Parts of a mapped file begin where a page of memory may begin, on any machine.
_PAGE = 65_536


def export_onnx(module: torch.nn.Module, path: Path, output_names: list[str]) -> None:
    """Trace ``module(input_ids, attention_mask)`` with free batch and sequence axes into ``path``.

    Args:
        module: takes two int64 tensors of shape (batch, tokens); returns one tensor or a tuple.
        output_names: a name for each output; their first axis is the batch.
    """
    import torch

    input_ids = torch.randint(5, 1000, (2, 16))
    batch_and_tokens = {0: "batch", 1: "tokens"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            (input_ids, torch.ones_like(input_ids)),
            str(path),
            input_names=["input_ids", "attention_mask"],
            output_names=output_names,
            dynamic_axes={
                "input_ids": batch_and_tokens,
                "attention_mask": batch_and_tokens,
                **{name: {0: "batch"} for name in output_names},
            },
            opset_version=OPSET,
            dynamo=False,
        )


def pack_onnx(source: Path, target: Path) -> None:
    """Write ``target``: ``source`` with a 4-bit vocabulary table, its matrix products as they are.

    The table becomes 4-bit only where that loses nothing, as it does for weights published in 4 bits; it then
    lies in :data:`VOCABULARY` beside ``target``.
    """
    import onnx

    model = onnx.load(str(source))
    _pack_vocabulary(model)
    onnx.save(model, str(target))
    _move_vocabulary_out(target)


def quantise_onnx(source: Path, target: Path) -> None:
    """Write ``target``: ``source`` with int8 matrix products and a vocabulary table as :func:`pack_onnx`
    makes it.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(str(source))
    _pack_vocabulary(model)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        packed = Path(scratch) / "packed.onnx"
        onnx.save(model, str(packed))
        quantize_dynamic(
            str(packed),
            str(target),
            per_channel=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul"],
            extra_options={"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT},
        )
    _move_vocabulary_out(target)


def _move_vocabulary_out(path: Path) -> None:
    """Write the parts of the 4-bit table, if the model has one, into a file beside it."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(path))
    parts = [tensor for tensor in model.graph.initializer if tensor.name.endswith(_PARTS)]
    if not parts:
        return
    with (path.parent / VOCABULARY).open("wb") as file:
        for tensor in parts:
            content = numpy_helper.to_array(tensor).tobytes()
            file.write(b"\0" * (-file.tell() % _PAGE))
            place = {"location": VOCABULARY, "offset": file.tell(), "length": len(content)}
            file.write(content)
            tensor.ClearField("raw_data")
            tensor.data_location = onnx.TensorProto.EXTERNAL
            tensor.external_data.extend(
                onnx.StringStringEntryProto(key=key, value=str(value)) for key, value in place.items()
            )
    path.write_bytes(model.SerializeToString())


def _pack_vocabulary(model: Any) -> None:
    """Replace the vocabulary look-up by one over 4-bit blocks, if the table survives that unchanged."""
    import onnx
    from onnx import helper, numpy_helper

    tables = {
        tensor.name: tensor
        for tensor in model.graph.initializer
        if tensor.name.endswith("word_embeddings.weight")
    }
    for position, node in enumerate(model.graph.node):
        if node.op_type != "Gather" or node.input[0] not in tables:
            continue
        table = tables[node.input[0]]
        blocks = pack_4bit(numpy_helper.to_array(table))
        if blocks is None:
            return
        codes, scales = blocks
        packed_name, scales_name = f"{table.name}.codes", f"{table.name}.scales"
        lookup = helper.make_node(
            "GatherBlockQuantized",
            [packed_name, node.input[1], scales_name],
            list(node.output),
            name=node.name,
            domain="com.microsoft",
            gather_axis=0,
            quantize_axis=1,
            block_size=BLOCK,
            bits=4,
        )
        model.graph.initializer.remove(table)
        model.graph.initializer.append(numpy_helper.from_array(codes, packed_name))
        model.graph.initializer.append(numpy_helper.from_array(scales, scales_name))
        model.graph.node.remove(node)
        model.graph.node.insert(position, lookup)
        if not any(domain.domain == "com.microsoft" for domain in model.opset_import):
            model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
        return


def pack_4bit(table: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]] | None:
    """Blocks of 32 weights as 4-bit codes around 8 and one scale each; ``None`` where that is not exact.

    Returns:
        codes, shape (rows, columns / 2), low nibble first; scales, shape (rows, columns / 32).
    """
    rows, columns = table.shape
    if columns % BLOCK:
        return None
    blocks = table.reshape(rows, columns // BLOCK, BLOCK)
    # The packer set scale = (value of largest magnitude) / -8, so that value has code 0.
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2)[:, :, None], axis=2)[:, :, 0]
    scales = (largest / -8).astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        codes = np.where(scales[:, :, None] == 0, 8, np.rint(blocks / scales[:, :, None]) + 8)
    if not np.array_equal((codes - 8).astype(np.float32) * scales[:, :, None], blocks):
        return None
    flat = codes.astype(np.uint8).reshape(rows, columns)
    pairs: NDArray[np.uint8] = flat[:, 0::2] | (flat[:, 1::2] << np.uint8(4))
    return pairs, scales
