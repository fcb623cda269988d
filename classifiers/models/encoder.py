"""Sentence encoders behind one protocol: the packaged model on ONNX Runtime or torch, or any named model."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.models.adaptation import Adaptation, load_adaptation
from classifiers.models.memory import RowMemory
from classifiers.models.onnx_export import VOCABULARY
from classifiers.models.packaged import MODEL_NAME
from classifiers.models.prepare import PACKAGED_SHA256, SERVING_MODEL, prepare_models
from classifiers.models.prepared import ModelFilesError, sha256_of
from classifiers.models.tokens import length_sorted_batches, packaged_tokenizer, pad, truncate
from classifiers.models.turkmen import respelt

Backend = Literal["onnx", "torch"]
QUERY = "query: "
PASSAGE = "passage: "


class Encoder(Protocol):
    """Texts in, unit vectors out."""

    @property
    def model_id(self) -> str:
        """Name and content hash of the weights; vectors of different ids must not be compared."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Longest input in tokens, special tokens included; longer texts are cut."""
        ...

    def encode(
        self, texts: Sequence[str], *, prompt: str = QUERY, progress: bool = False
    ) -> NDArray[np.float32]:
        """Embed ``prompt + text`` for each text: shape (texts, dimension), rows of unit length."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens per text, special tokens included and nothing cut."""
        ...


def load_encoder(
    name: str | None = None,
    *,
    backend: Backend = "onnx",
    threads: int | None = None,
    adapted: bool = True,
    on_batch: Callable[[int], None] | None = None,
    remember: int = 0,
) -> Encoder:
    """Load the packaged encoder, or the sentence-transformers model or folder called ``name``.

    Args:
        backend: ``onnx`` serves (int8), ``torch`` is the float32 reference. A named model
            always runs on torch.
        threads: CPU threads for one call; default: all cores.
        adapted: whether the packaged model is brought to the nine languages
            (:mod:`classifiers.models.adaptation`); without, it is as published. A named model is never
            changed.
        on_batch: told the tokens of each batch (rows x longest row) that ``onnx`` computes.
        remember: how many texts keep their vectors, so that they are not computed again.

    Raises:
        ModelFilesError: files are damaged, or the named model cannot be loaded.
    """
    encoder: Encoder
    if name is not None:
        encoder = SentenceTransformerEncoder.named(name, threads=threads)
    else:
        encoder = _packaged(backend, threads, adapted, on_batch)
    return RememberingEncoder(encoder, remember) if remember else encoder


def _packaged(
    backend: Backend, threads: int | None, adapted: bool, on_batch: Callable[[int], None] | None
) -> Encoder:
    encoder: Encoder
    if backend == "torch":
        folder = prepare_models().packaged_folder
        encoder = SentenceTransformerEncoder(str(folder), _published_id(), threads=threads)
    else:
        encoder = OnnxEncoder(threads=threads, on_batch=on_batch)
    return AdaptedEncoder(encoder, load_adaptation()) if adapted else encoder


def packaged_model_id() -> str:
    """Id of the packaged encoder as it serves; both backends share it, their vectors being
    interchangeable.
    """
    return f"{_published_id()}+{load_adaptation().adaptation_id}"


def _published_id() -> str:
    return f"{MODEL_NAME}@{PACKAGED_SHA256[:12]}"


class AdaptedEncoder:
    """The packaged model with Turkmen respelt before it and the adaptation's map after it."""

    def __init__(self, published: Encoder, adaptation: Adaptation) -> None:
        self.published = published
        self.adaptation = adaptation
        self.model_id = f"{published.model_id}+{adaptation.adaptation_id}"
        self.dimension = published.dimension
        self.max_tokens = published.max_tokens

    def encode(
        self, texts: Sequence[str], *, prompt: str = QUERY, progress: bool = False
    ) -> NDArray[np.float32]:
        """See :class:`Encoder`."""
        read = [respelt(text) for text in texts]
        return self.adaptation.apply(self.published.encode(read, prompt=prompt, progress=progress))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See :class:`Encoder`."""
        return self.published.count_tokens([respelt(text) for text in texts])


class RememberingEncoder:
    """Any encoder, with the vectors of the texts that it was given last."""

    def __init__(self, encoder: Encoder, limit: int) -> None:
        self.encoder = encoder
        self.model_id = encoder.model_id
        self.dimension = encoder.dimension
        self.max_tokens = encoder.max_tokens
        self._memory = RowMemory(limit)

    def encode(
        self, texts: Sequence[str], *, prompt: str = QUERY, progress: bool = False
    ) -> NDArray[np.float32]:
        """See :class:`Encoder`."""

        def compute(new: list[int]) -> NDArray[np.float32]:
            return self.encoder.encode([texts[row] for row in new], prompt=prompt, progress=progress)

        rows = self._memory.rows([f"{prompt}\0{text}" for text in texts], compute)
        return np.stack(rows) if rows else np.empty((0, self.dimension), np.float32)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See :class:`Encoder`."""
        return self.encoder.count_tokens(texts)


class OnnxEncoder:
    """The packaged model as int8 on ONNX Runtime: the serving backend, as published.

    Texts are sorted by length and batched under a token budget, so that little padding is computed. On few
    cores large batches gain nothing (docs/adr/0002); the budget keeps memory flat.
    """

    TOKENS_PER_BATCH = 1024

    def __init__(self, *, threads: int | None = None, on_batch: Callable[[int], None] | None = None) -> None:
        files = prepare_models().serving.verified(SERVING_MODEL, VOCABULARY)
        self.model_id = _published_id()
        self.max_tokens = 512
        self._on_batch = on_batch or (lambda tokens: None)
        self._session = inference_session(files.path / SERVING_MODEL, threads=threads)
        self.dimension = int(self._session.get_outputs()[0].shape[1])
        self._tokenizer = packaged_tokenizer()

    def encode(
        self, texts: Sequence[str], *, prompt: str = QUERY, progress: bool = False
    ) -> NDArray[np.float32]:
        """See :class:`Encoder`."""
        from tqdm import tqdm

        vectors = np.empty((len(texts), self.dimension), np.float32)
        encoded = self._tokenizer.encode_batch_fast([prompt + text for text in texts])
        ids = [truncate(encoding.ids, self.max_tokens) for encoding in encoded]
        with tqdm(total=len(texts), desc="embedding", unit="text", disable=not progress) as bar:
            for batch in length_sorted_batches([len(row) for row in ids], self.TOKENS_PER_BATCH):
                input_ids, attention_mask = pad([ids[row] for row in batch])
                feed = {"input_ids": input_ids, "attention_mask": attention_mask}
                self._on_batch(input_ids.size)
                vectors[batch] = self._session.run(None, feed)[0]
                bar.update(len(batch))
        return vectors

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See :class:`Encoder`."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts))]


class SentenceTransformerEncoder:
    """Any sentence-transformers model on torch: the reference backend, and what ``TAMGA_ENCODER`` names."""

    def __init__(self, path: str, model_id: str, *, threads: int | None = None) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        if threads:
            torch.set_num_threads(threads)
        self._model = SentenceTransformer(path, device="cpu")
        self.model_id = model_id
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.max_tokens = int(self._model.max_seq_length or 512)

    @classmethod
    def named(cls, name: str, *, threads: int | None = None) -> SentenceTransformerEncoder:
        """Load a folder, or a model of that name from the local cache or a hub the user can reach.

        Raises:
            ModelFilesError: there is no such model here, or it cannot be fetched.
        """
        try:
            return cls(name, _named_model_id(name), threads=threads)
        except (OSError, ValueError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ModelFilesError(
                f"TAMGA_ENCODER names {name!r}, which cannot be loaded: {reason}"
            ) from error

    def encode(
        self, texts: Sequence[str], *, prompt: str = QUERY, progress: bool = False
    ) -> NDArray[np.float32]:
        """See :class:`Encoder`. A model that defines its own prompts is given those instead."""
        arguments: dict[str, Any] = {"prompt": prompt}
        own_prompt = prompt.strip(" :")
        if self._model.prompts.get(own_prompt):
            arguments = {"prompt_name": own_prompt}
        vectors = self._model.encode(
            list(texts),
            normalize_embeddings=True,
            show_progress_bar=progress,
            convert_to_numpy=True,
            **arguments,
        )
        return np.asarray(vectors, np.float32).reshape(len(texts), self.dimension)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See :class:`Encoder`."""
        return (
            [len(ids) for ids in self._model.tokenizer(list(texts), verbose=False)["input_ids"]]
            if texts
            else []
        )


def inference_session(path: Path, *, threads: int | None = None) -> Any:
    """An ONNX Runtime CPU session that sleeps, rather than spins, while it waits for work.

    Spinning threads of one session starve every other on a small machine.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or os.cpu_count() or 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _named_model_id(name: str) -> str:
    """Folders are identified by their files' hashes, hub models by name."""
    folder = Path(name)
    if not folder.is_dir():
        return name
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.safetensors")) + sorted(folder.rglob("*.json")):
        digest.update(f"{path.relative_to(folder)} {sha256_of(path)}\n".encode())
    return f"{folder.name}@{digest.hexdigest()[:12]}"
