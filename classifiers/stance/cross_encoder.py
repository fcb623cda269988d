"""The stance cross-encoder: claim and evidence in one input, read by a fine-tuned copy of the packaged
encoder.

The repository holds only what fine-tuning changed, the upper layers and the head, in 8 bits. Each machine
joins that to the packaged model once and exports the same kind of serving file as for the sentence encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from classifiers.models import models_home, prepare_models
from classifiers.models.encoder import QUERY, inference_session, length_sorted_batches, pad
from classifiers.models.prepare import TOKENIZER
from classifiers.models.prepared import prepare_folder, sha256_of
from classifiers.stance.evidence import ClaimEvidence

if TYPE_CHECKING:
    import torch

    from classifiers.models.prepared import PreparedFolder

WEIGHTS = Path(__file__).with_name("weights") / "cross_encoder.npz"
MAX_TOKENS = 160
_MODEL = "stance-int8.onnx"
_TOKENS_PER_BATCH = 1024
# Raise when the way the serving file is built changes.
_FORMAT = 1


class CrossEncoder:
    """Logits of the three stances for claim/evidence pairs, by the fine-tuned encoder on ONNX Runtime."""

    def __init__(self, folder: PreparedFolder, *, threads: int | None = None) -> None:
        from tokenizers import Tokenizer

        files = folder.verified(_MODEL, TOKENIZER)
        self._session = inference_session(files.path / _MODEL, threads=threads)
        self._tokenizer = Tokenizer.from_file(str(files.path / TOKENIZER))
        self._tokenizer.enable_truncation(MAX_TOKENS, strategy="longest_first")
        self._tokenizer.no_padding()

    @classmethod
    def load(cls, weights: Path | None = None, *, threads: int | None = None) -> CrossEncoder:
        """Load the packaged weights, building the serving file where this machine has none yet.

        Raises:
            FileNotFoundError: no weights at ``weights``.
            ModelFilesError: the packaged model cannot be prepared, or a built file is damaged.
        """
        weights = weights or WEIGHTS
        digest = sha256_of(weights)
        folder = models_home() / f"stance-cross-encoder-{digest[:12]}-v{_FORMAT}"
        return cls(prepare_folder(folder, digest, lambda scratch: _build(weights, scratch)), threads=threads)

    def logits(self, pairs: Sequence[ClaimEvidence]) -> NDArray[np.float32]:
        """Shape ``(n, 3)`` in the order of ``STANCES``; pairs longer than 160 tokens lose the end of the
        longer text.
        """
        encoded = self._tokenizer.encode_batch([(QUERY + pair.claim, pair.evidence) for pair in pairs])
        ids = [encoding.ids for encoding in encoded]
        logits = np.empty((len(pairs), 3), np.float32)
        for batch in length_sorted_batches([len(row) for row in ids], _TOKENS_PER_BATCH):
            input_ids, attention_mask = pad([ids[row] for row in batch])
            logits[batch] = self._session.run(
                None, {"input_ids": input_ids, "attention_mask": attention_mask}
            )[0]
        return logits


def _build(weights: Path, folder: Path) -> None:
    import shutil

    from classifiers.models.onnx_export import export_onnx, quantise_onnx

    reference = prepare_models().packaged_folder
    traced = folder / "traced.onnx"
    export_onnx(joined(weights, reference), traced, ["stance_logits"])
    quantise_onnx(traced, folder / _MODEL)
    traced.unlink()
    shutil.copyfile(reference / TOKENIZER, folder / TOKENIZER)


def joined(weights: Path, reference: Path) -> torch.nn.Module:
    """The packaged encoder with the fine-tuned layers and head in place."""
    import torch
    from transformers import AutoModel

    # Eager attention traces into plain matrix products, which the runtime fuses by itself.
    model = stance_module(AutoModel.from_pretrained(reference, attn_implementation="eager"))
    with np.load(weights) as stored:
        state = {name: torch.from_numpy(value) for name, value in unpack(dict(stored)).items()}
    unknown = model.load_state_dict(state, strict=False).unexpected_keys
    if unknown:
        raise ValueError(f"{weights.name} holds weights of another model: {unknown[0]}")
    return model


def stance_module(encoder: Any) -> torch.nn.Module:
    """Encoder, mean and first-token pooling, linear layer to three stances: ids and mask in, logits out."""
    import torch

    class StanceModule(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder
            self.head = torch.nn.Linear(2 * encoder.config.hidden_size, 3)
            self.dropout = torch.nn.Dropout(0.1)

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            states = self.encoder(
                input_ids=input_ids, attention_mask=attention_mask
            ).last_hidden_state.float()
            mask = attention_mask.unsqueeze(-1).float()
            mean = (states * mask).sum(1) / mask.sum(1)
            logits: torch.Tensor = self.head(self.dropout(torch.cat([mean, states[:, 0]], dim=1)))
            return logits

    return StanceModule()


_SCALE = ".scale"


def pack(state: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[Any]]:
    """Matrices as int8 with one scale per row, everything else as it is."""
    packed: dict[str, NDArray[Any]] = {}
    for name, value in state.items():
        if value.ndim != 2:
            packed[name] = value.astype(np.float32)
            continue
        scale = np.maximum(np.abs(value).max(axis=1, keepdims=True), 1e-12) / 127
        packed[name] = np.rint(value / scale).astype(np.int8)
        packed[name + _SCALE] = scale.astype(np.float32)
    return packed


def unpack(packed: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """The reverse of :func:`pack`, up to rounding."""
    return {
        name: np.asarray(value * packed[name + _SCALE] if name + _SCALE in packed else value, np.float32)
        for name, value in packed.items()
        if not name.endswith(_SCALE)
    }
