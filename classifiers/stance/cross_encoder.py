"""The stance cross-encoder: claim and evidence in one input, read by a fine-tuned copy of the packaged
encoder.

The repository holds only what fine-tuning added, low-rank corrections and a head, in 8 bits. Each machine
joins that to the packaged model once and exports a serving file. Its products stay in single precision: in
int8 one stance in ten moved by more than 0.02, and with the company it was read in (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from classifiers.models import models_home, prepare_models
from classifiers.models.encoder import QUERY, inference_session
from classifiers.models.memory import RowMemory
from classifiers.models.onnx_export import VOCABULARY
from classifiers.models.prepared import prepare_folder, sha256_of
from classifiers.models.tokens import join_pair, length_sorted_batches, packaged_tokenizer, pad
from classifiers.models.turkmen import respelt
from classifiers.stance.evidence import ClaimEvidence
from classifiers.stance.number_form import digits_as_in
from classifiers.stance.relation_words import plain_bounds

if TYPE_CHECKING:
    import torch

    from classifiers.models.prepared import PreparedFolder

WEIGHTS = Path(__file__).with_name("weights") / "cross_encoder.npz"
MAX_TOKENS = 160
# Beside the weights in the file: how long they were trained.
STEPS = "steps"
_MODEL = "stance.onnx"
_TOKENS_PER_BATCH = 1024
# Raise when the way the serving file is built changes.
_FORMAT = 6


class CrossEncoder:
    """Logits of the three stances for claim/evidence pairs, by the fine-tuned encoder on ONNX Runtime."""

    def __init__(self, folder: PreparedFolder, *, threads: int | None = None, remember: int = 0) -> None:
        files = folder.verified(_MODEL, VOCABULARY)
        self._session = inference_session(files.path / _MODEL, threads=threads)
        self._tokenizer = packaged_tokenizer()
        self._memory = RowMemory(remember)
        self.digest = folder.source_sha256
        # Names the weights and the form they are served in.
        self.serving_id = files.path.name

    @classmethod
    def load(
        cls, weights: Path | None = None, *, threads: int | None = None, remember: int = 0
    ) -> CrossEncoder:
        """Load the packaged weights, building the serving file where this machine has none yet.

        ``remember``: how many pairs keep their logits, so that they are not computed again.

        Raises:
            FileNotFoundError: no weights at ``weights``.
            ModelFilesError: the packaged model cannot be prepared, or a built file is damaged.
        """
        return cls(prepare_cross_encoder(weights), threads=threads, remember=remember)

    def logits(self, pairs: Sequence[ClaimEvidence]) -> NDArray[np.float32]:
        """Shape ``(n, 3)`` in the order of ``STANCES``; pairs longer than 160 tokens lose the end of the
        longer text.
        """
        texts = [reading_form(pair) for pair in pairs]
        read = [(QUERY + respelt(claim), respelt(evidence)) for claim, evidence in texts]
        rows = self._memory.rows(
            ["\0".join(pair) for pair in read], lambda new: self._computed([read[row] for row in new])
        )
        return np.stack(rows) if rows else np.empty((0, 3), np.float32)

    def _computed(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """Logits of pairs as they are read. A claim held against several texts is tokenised once."""
        distinct = list(dict.fromkeys(text for pair in pairs for text in pair))
        encoded = self._tokenizer.encode_batch_fast(distinct)
        tokens = {text: encoding.ids for text, encoding in zip(distinct, encoded, strict=True)}
        ids = [join_pair(tokens[claim], tokens[evidence], MAX_TOKENS) for claim, evidence in pairs]
        logits = np.empty((len(pairs), 3), np.float32)
        for batch in length_sorted_batches([len(row) for row in ids], _TOKENS_PER_BATCH):
            input_ids, attention_mask = pad([ids[row] for row in batch])
            logits[batch] = self._session.run(
                None, {"input_ids": input_ids, "attention_mask": attention_mask}
            )[0]
        return logits


def prepare_cross_encoder(weights: Path | None = None) -> PreparedFolder:
    """Build the serving file from the packaged weights, or others; cheap when it is there. Raises what
    :meth:`CrossEncoder.load` raises.
    """
    trained = weights or WEIGHTS
    digest = sha256_of(trained)
    folder = models_home() / f"stance-cross-encoder-{digest[:12]}-v{_FORMAT}"
    return prepare_folder(folder, digest, lambda scratch: _build(trained, scratch))


def reading_form(pair: ClaimEvidence) -> tuple[str, str]:
    """Claim and evidence as the cross-encoder reads them: negated bounds without their negation, a number
    in words in digits where the other text has it so.
    """
    claim = plain_bounds(pair.claim, pair.claim_language)
    evidence = plain_bounds(pair.evidence, pair.evidence_language)
    return (
        digits_as_in(evidence, claim, pair.claim_language),
        digits_as_in(claim, evidence, pair.evidence_language),
    )


def _build(weights: Path, folder: Path) -> None:
    from classifiers.models.onnx_export import export_onnx, pack_onnx

    traced = folder / "traced.onnx"
    export_onnx(joined(weights, prepare_models().packaged_folder), traced, ["stance_logits"])
    pack_onnx(traced, folder / _MODEL)
    traced.unlink()


def joined(weights: Path, reference: Path) -> torch.nn.Module:
    """The packaged encoder with corrections folded in and the head in place.

    Raises:
        ValueError: the weights fit no cross-encoder of this shape.
    """
    import torch

    from classifiers.stance.cross_encoder_model import StanceModule

    with np.load(weights) as stored:
        state = {name: torch.from_numpy(value) for name, value in unpack(dict(stored)).items()}
    downs = [name for name in state if name.endswith(".down")]
    layers = {name.split("encoder.layer.")[1].split(".")[0] for name in downs}
    # Eager attention traces into plain matrix products, which the runtime fuses by itself.
    model = StanceModule(
        reference, adapted=len(layers), rank=min(len(state[name]) for name in downs), attention="eager"
    )
    model.load_trained(state)
    model.merge()
    return model


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
        if not name.endswith(_SCALE) and name != STEPS
    }
