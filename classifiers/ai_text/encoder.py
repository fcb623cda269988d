"""The fine-tuned encoder as it serves: one int8 session, a text in overlapping windows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifiers.models import models_home, prepare_models
from classifiers.models.encoder import inference_session
from classifiers.models.onnx_export import VOCABULARY
from classifiers.models.prepared import PreparedFolder, prepare_folder, sha256_of
from classifiers.models.tokens import length_sorted_batches, packaged_tokenizer, pad

SERVING_MODEL: Final = "detector-int8.onnx"
#: Raise when the way the serving file is built changes.
_FORMAT: Final = 2
#: What the second head tells apart, in the order of its outputs.
KINDS: Final = ("ai", "ai_rewritten", "ai_translated")
_TOKENS_PER_BATCH: Final = 1024


@dataclass(frozen=True, slots=True)
class TextWindows:
    """What the encoder says about one text.

    ``spans``: (windows, 2) code points [start, end) of each window in the text; ``logits``: (windows,)
    machine log-odds; ``kinds``: (windows, 3) logits of generated, rewritten, translated.
    """

    spans: NDArray[np.int64]
    logits: NDArray[np.float64]
    kinds: NDArray[np.float64]

    @property
    def logit(self) -> float:
        """Log-odds of the whole text: the mean over windows, by their length."""
        return float(np.average(self.logits, weights=self._lengths())) if len(self.logits) else 0.0

    @property
    def kind_logits(self) -> NDArray[np.float64]:
        """Kind logits of the whole text, (3,)."""
        if not len(self.logits):
            return np.zeros(3)
        return np.asarray(np.average(self.kinds, axis=0, weights=self._lengths()))

    def _lengths(self) -> NDArray[np.float64]:
        return np.asarray(np.maximum(self.spans[:, 1] - self.spans[:, 0], 1), dtype=np.float64)


def encoder_plan(weights: Path) -> dict[str, Any]:
    """The plan the weights were trained by, from the file's metadata."""
    from safetensors import safe_open

    with safe_open(str(weights), framework="numpy") as stored:
        metadata: dict[str, Any] = json.loads(stored.metadata()["plan"])
    return metadata


def prepare_encoder(weights: Path, home: Path | None = None) -> PreparedFolder:
    """Build the serving files from trained weights and the packaged model; cheap when they are there.

    Args:
        home: where prepared folders lie; default: :func:`classifiers.models.models_home`.

    Raises:
        ModelFilesError: the packaged model is missing or damaged.
    """
    digest = sha256_of(weights)
    folder = (home or models_home()) / f"ai-text-encoder-{digest[:12]}-v{_FORMAT}"
    return prepare_folder(folder, digest, lambda target: _build(weights, target))


def _build(weights: Path, folder: Path) -> None:
    import torch
    from safetensors.torch import load_file

    from classifiers.ai_text.encoder_model import DetectorEncoder
    from classifiers.models.onnx_export import export_onnx, quantise_onnx

    class Scores(torch.nn.Module):
        """Without the contrastive vector, which only training needs."""

        def __init__(self, model: DetectorEncoder) -> None:
            super().__init__()
            self.model = model

        def forward(
            self, input_ids: torch.Tensor, attention_mask: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            logits, kinds, _ = self.model(input_ids, attention_mask)
            return logits, kinds

    base = prepare_models(progress=False).packaged_folder
    plan = encoder_plan(weights)
    model = DetectorEncoder(
        base,
        layers=plan["layers"],
        adapted=plan["adapted"],
        rank=plan["rank"],
        alpha=plan["alpha"],
        attention="eager",
    )
    model.load_trained({name: value.float() for name, value in load_file(weights).items()})
    model.merge()
    traced = folder / "traced.onnx"
    export_onnx(Scores(model.eval()), traced, ["logit", "kinds"])
    quantise_onnx(traced, folder / SERVING_MODEL)
    traced.unlink()


class EncoderScorer:
    """Scores texts, given as detector views, in windows.

    Args:
        weights: the safetensors file that training wrote.
        threads: processor threads of one call; default: all.
        home: see :func:`prepare_encoder`.
    """

    def __init__(self, weights: Path, *, threads: int | None = None, home: Path | None = None) -> None:
        files = prepare_encoder(weights, home).verified(SERVING_MODEL, VOCABULARY)
        self.window = int(encoder_plan(weights)["max_tokens"])
        self._session = inference_session(files.path / SERVING_MODEL, threads=threads)
        self._tokenizer = packaged_tokenizer()

    def score(self, views: Sequence[str], *, most_windows: int = 24) -> list[TextWindows]:
        """Score each text in windows that overlap by half.

        Args:
            most_windows: a longer text is sampled evenly, so that its cost stays bounded.
        """
        rows: list[list[int]] = []
        owners: list[int] = []
        spans: list[tuple[int, int]] = []
        for owner, encoding in enumerate(self._tokenizer.encode_batch_fast(list(views))):
            # encode_batch_fast leaves offsets out; they are needed only where a text has several windows.
            if len(encoding.ids) <= self.window:
                rows.append(encoding.ids)
                owners.append(owner)
                spans.append((0, len(views[owner])))
                continue
            full = self._tokenizer.encode(views[owner])
            for first, last in window_ranges(len(full.ids) - 2, self.window - 2, most_windows):
                rows.append([full.ids[0], *full.ids[1 + first : 1 + last], full.ids[-1]])
                owners.append(owner)
                spans.append((full.offsets[1 + first][0], full.offsets[last][1]))
        logits = np.zeros(len(rows))
        kinds = np.zeros((len(rows), 3))
        for batch in length_sorted_batches([len(row) for row in rows], _TOKENS_PER_BATCH):
            input_ids, attention_mask = pad([rows[index] for index in batch])
            feed = {"input_ids": input_ids, "attention_mask": attention_mask}
            logits[batch], kinds[batch] = self._session.run(None, feed)
        owner_of = np.array(owners, dtype=np.int64)
        places = np.array(spans, dtype=np.int64).reshape(-1, 2)
        return [
            TextWindows(places[owner_of == owner], logits[owner_of == owner], kinds[owner_of == owner])
            for owner in range(len(views))
        ]


def window_ranges(tokens: int, window: int, most: int) -> list[tuple[int, int]]:
    """[first, last) token ranges of windows that overlap by half and end with the text; at most ``most``."""
    if tokens <= window:
        return [(0, tokens)]
    count = max(2, -(-(tokens - window) // (window // 2)) + 1)
    starts = np.linspace(0, tokens - window, min(count, most)).round().astype(int)
    return [(start, start + window) for start in starts.tolist()]
