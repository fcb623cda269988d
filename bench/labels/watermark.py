"""Watermarks over many texts: marked ones with the right key and with a wrong one, and unmarked ones.

    python -m bench.labels.watermark [--texts 200] [--tokens 210] [--human FILE.txt]

The marked texts come from a tiny untrained model. Texts without a mark: the same model without one, and,
with `--human`, windows of the words of a file (each word stands for the token of its hash).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
from pathlib import Path
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel, SynthIDTextWatermarkingConfig, WatermarkingConfig

from classifiers.provenance.watermark import Scheme, Watermark

VOCABULARY = 600
GREEN: dict[str, Any] = {
    "greenlist_ratio": 0.25,
    "bias": 4.0,
    "hashing_key": 15_485_863,
    "seeding_scheme": "lefthash",
    "context_width": 1,
}


def random_keys(seed: int) -> list[int]:
    """Keys of SynthID must be random: layers of consecutive ones depend on each other."""
    draw = random.Random(seed)
    return [draw.getrandbits(31) for _ in range(30)]


SYNTHID: dict[str, Any] = {"ngram_len": 5, "keys": random_keys(1)}


def tiny_model() -> GPT2LMHeadModel:
    """An untrained model: every word about as likely as any other."""
    torch.manual_seed(7)
    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_embd=32,
        n_layer=1,
        n_head=2,
        n_positions=1_024,
        bos_token_id=0,
        eos_token_id=None,
    )
    return GPT2LMHeadModel(config).eval()


def generate(model: GPT2LMHeadModel, texts: int, tokens: int, config: Any) -> list[list[int]]:
    """`texts` token sequences of this length, with the watermark of `config` or without one."""
    start = torch.randint(1, VOCABULARY, (texts, 1))
    made = model.generate(
        start,
        attention_mask=torch.ones_like(start),
        do_sample=True,
        top_k=0,
        max_new_tokens=tokens - 1,
        min_new_tokens=tokens - 1,
        pad_token_id=0,
        watermarking_config=config,
    )
    sequences: list[list[int]] = made.tolist()
    return sequences


def detector(scheme: Scheme, options: dict[str, Any]) -> Watermark:
    """The detector over tokens."""
    if scheme == "green_list":
        options = {**options, "vocab_size": VOCABULARY}
    return Watermark("bench", scheme, Path("unused"), options)


def human(file: Path, texts: int, tokens: int) -> list[list[int]]:
    """Windows of a text's words, spread over it."""
    words = file.read_text(encoding="utf-8").split()
    ids = [
        1 + int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest()) % (VOCABULARY - 1)
        for word in words
    ]
    if len(ids) < tokens * texts:
        raise SystemExit(f"{file} has {len(ids):,} words; {tokens * texts:,} are needed")
    return [ids[first : first + tokens] for first in range(0, tokens * texts, tokens)]


def measure(watermark: Watermark, sequences: list[list[int]]) -> dict[str, float]:
    """Least, mean and greatest z."""
    scores = [watermark.score_tokens(sequence).z for sequence in sequences]
    return {
        "texts": len(scores),
        "min": round(min(scores), 2),
        "mean": round(sum(scores) / len(scores), 2),
        "max": round(max(scores), 2),
        "over_3": sum(score > 3 for score in scores),
        "over_5": sum(score >= 5 for score in scores),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--texts", type=int, default=200)
    parser.add_argument("--tokens", type=int, default=210)
    parser.add_argument("--human", type=Path)
    arguments = parser.parse_args()
    model = tiny_model()
    found: dict[str, Any] = {}
    cases: list[tuple[Scheme, dict[str, Any], Any, dict[str, Any]]] = [
        ("green_list", GREEN, WatermarkingConfig(**GREEN), {**GREEN, "hashing_key": 32_452_843}),
        ("synthid", SYNTHID, SynthIDTextWatermarkingConfig(**SYNTHID), {**SYNTHID, "keys": random_keys(2)}),
    ]
    plain = generate(model, arguments.texts, arguments.tokens, None)
    for scheme, options, config, wrong in cases:
        marked = generate(model, arguments.texts, arguments.tokens, config)
        right = detector(scheme, options)
        found[scheme] = {
            "marked, right key": measure(right, marked),
            "marked, wrong key": measure(detector(scheme, wrong), marked),
            "unmarked": measure(right, plain),
        }
        if arguments.human:
            texts = human(arguments.human, arguments.texts, arguments.tokens)
            found[scheme]["human"] = measure(right, texts)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
