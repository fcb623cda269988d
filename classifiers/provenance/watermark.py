"""Watermarks of the newsroom's own language model: green lists (Kirchenbauer et al. 2023) and SynthID-Text
(Dathathri et al. 2024), by the implementations in transformers.

Detection needs the very keys, settings and tokenizer that the text was generated with; the model itself is
not needed. A text whose mark is not found may have been edited, translated, or made by another model: that
proves nothing. Marks of other companies' models cannot be read, since their keys are theirs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, Literal

from classifiers.provenance.signal import ProvenanceSignal

# From this many scored tokens on a score means something, and from this score on it is a mark. Among unmarked
# texts the score is nearly standard normal: 5 is passed by one in three million.
MIN_TOKENS: Final = 100
MIN_Z: Final = 5.0
# A mark fills an article from its beginning; more text makes it no surer.
MAX_TOKENS: Final = 4_000

Scheme = Literal["green_list", "synthid"]


class WatermarkError(ValueError):
    """The description of a watermark that cannot be used."""


@dataclass(frozen=True, slots=True)
class WatermarkScore:
    """How far a text departs from an unmarked one, in standard deviations; `tokens` were scored."""

    z: float
    tokens: int

    @property
    def enough(self) -> bool:
        """Whether the text is long enough to say anything."""
        return self.tokens >= MIN_TOKENS

    @property
    def found(self) -> bool:
        """Whether the text bears the mark."""
        return self.enough and self.z >= MIN_Z


@dataclass(frozen=True)
class Watermark:
    """One watermark to look for: `options` are those of transformers' `WatermarkingConfig` (green_list, with
    `vocab_size` of the model) or `SynthIDTextWatermarkingConfig` (synthid).
    """

    name: str
    scheme: Scheme
    tokenizer: Path
    options: dict[str, Any]

    def score(self, text: str) -> WatermarkScore:
        """Score a text of any length; raises WatermarkError where keys or tokenizer cannot be used."""
        tokens = self._encoder.encode(text, add_special_tokens=False).ids[:MAX_TOKENS]
        return self.score_tokens(tokens)

    def score_tokens(self, tokens: Sequence[int]) -> WatermarkScore:
        """Score a text that is in tokens already."""
        return self._green_list(tokens) if self.scheme == "green_list" else self._synthid(tokens)

    def read(self, text: str) -> ProvenanceSignal:
        """The score as evidence: that AI took part, or nothing at all."""
        score = self.score(text)
        return ProvenanceSignal(
            type="watermark_green_list" if self.scheme == "green_list" else "watermark_synthid",
            outcome="ai" if score.found else "none" if score.enough else "inconclusive",
            standing="own_key",
            tool=f"transformers/{version('transformers')}",
            detail={"watermark": self.name, "z": round(score.z, 2), "tokens": score.tokens},
        )

    @cached_property
    def _encoder(self) -> Any:
        from tokenizers import Tokenizer

        try:
            return Tokenizer.from_file(str(self.tokenizer))
        except Exception as error:  # the library raises bare exceptions
            raise WatermarkError(f"watermark {self.name}: tokenizer {self.tokenizer}: {error}") from error

    @cached_property
    def _detector(self) -> Any:
        from transformers import WatermarkDetector, WatermarkingConfig

        options = dict(self.options)
        try:
            # All that the detector asks of a model's configuration.
            config: Any = SimpleNamespace(
                vocab_size=options.pop("vocab_size"), bos_token_id=-1, is_encoder_decoder=False
            )
            return WatermarkDetector(
                model_config=config,
                device="cpu",
                watermarking_config=WatermarkingConfig(**options),
                ignore_repeated_ngrams=True,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise WatermarkError(f"watermark {self.name}: {error!r}") from error

    def _green_list(self, tokens: Sequence[int]) -> WatermarkScore:
        import torch

        # The detector refuses texts shorter than its context.
        if len(tokens) < 2 + int(self.options.get("context_width", 1)):
            return WatermarkScore(0.0, 0)
        found = self._detector(torch.tensor([list(tokens)]), return_dict=True)
        return WatermarkScore(float(found.z_score[0]), int(found.num_tokens_scored[0]))

    @cached_property
    def _processor(self) -> Any:
        import torch
        from transformers import SynthIDTextWatermarkLogitsProcessor

        try:
            return SynthIDTextWatermarkLogitsProcessor(
                **{"sampling_table_size": 2**16, "sampling_table_seed": 0, "context_history_size": 1024}
                | self.options,
                device=torch.device("cpu"),
            )
        except (TypeError, ValueError) as error:
            raise WatermarkError(f"watermark {self.name}: {error!r}") from error

    def _synthid(self, tokens: Sequence[int]) -> WatermarkScore:
        """The weighted mean of the g-values (the paper's untrained detector), as a z-score.

        Without a mark each g-value is 0 or 1 with equal chance; earlier layers of the tournament carry more
        of the mark and weigh more.
        """
        import numpy as np
        import torch

        if len(tokens) <= int(self._processor.ngram_len):
            return WatermarkScore(0.0, 0)
        ids = torch.tensor([list(tokens)])
        values = self._processor.compute_g_values(ids)[0].numpy().astype(np.float64)
        fresh = self._processor.compute_context_repetition_mask(ids)[0].numpy().astype(bool)
        values = values[fresh]
        count, depth = values.shape
        if count == 0:
            return WatermarkScore(0.0, 0)
        weights = np.linspace(10.0, 1.0, depth)
        weights /= weights.sum()
        mean = float((values @ weights).mean())
        deviation = math.sqrt(0.25 * float((weights**2).sum()) / count)
        return WatermarkScore((mean - 0.5) / deviation, count)


def load_watermarks(file: Path) -> tuple[Watermark, ...]:
    """The watermarks described in a JSON file: `[{"name", "scheme", "tokenizer", "options"}]`.

    `tokenizer` is a tokenizer.json, its path relative to the file. Raises WatermarkError.
    """
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
        found = []
        for entry in entries:
            if entry["scheme"] not in ("green_list", "synthid"):
                raise WatermarkError(f"watermark {entry['name']}: unknown scheme {entry['scheme']!r}")
            tokenizer = file.parent / entry["tokenizer"]
            if not tokenizer.is_file():
                raise WatermarkError(f"watermark {entry['name']}: there is no tokenizer {tokenizer}")
            found.append(Watermark(entry["name"], entry["scheme"], tokenizer, dict(entry["options"])))
    except OSError as error:
        raise WatermarkError(f"{file}: {error.strerror}") from error
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise WatermarkError(f"{file} describes no watermarks: {error!r}") from error
    return tuple(found)
