"""Watermarks over many texts: marked ones with the right key and with a wrong one, and unmarked ones.

    python -m bench.labels.watermark --data DIR [--texts 200] [--tokens 210] [--json FILE]

The marked texts come from a tiny untrained model. Texts without a mark: the same model without one, and what
people wrote, from the rows of DIR/ai_text/*.jsonl.gz whose label is "human"; a word stands for the token of
its hash there.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Iterator
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel, SynthIDTextWatermarkingConfig, WatermarkingConfig

from bench.corpus import arguments, read_jsonl, write_json
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
    # Typed by every kind of output; without more options it is a tensor.
    made: Any = model.generate(
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


def human(data: Path, texts: int, tokens: int) -> list[list[int]]:
    """Texts that people wrote, as many of each language as there are; short rows are joined.

    Raises:
        SystemExit: there are no corpora, or too few words in them.
    """
    files = sorted((data / "ai_text").glob("*.jsonl.gz"))
    if not files:
        print(f"no corpora: {data / 'ai_text'}/*.jsonl.gz; --data names their folder", file=sys.stderr)
        raise SystemExit(2)
    # One text of each language in turn, until there are enough or all are read.
    turns = zip_longest(*(_windows(file, tokens) for file in files))
    found = list(islice((text for turn in turns for text in turn if text is not None), texts))
    if len(found) < texts:
        print(f"the human rows give {len(found)} texts of {tokens} words, not {texts}", file=sys.stderr)
        raise SystemExit(2)
    return found


def _windows(file: Path, tokens: int) -> Iterator[list[int]]:
    ids: list[int] = []
    for row in read_jsonl(file):
        if row["label"] == "human":
            ids += [_token(word) for word in row["text"].split()]
        while len(ids) >= tokens:
            yield ids[:tokens]
            ids = ids[tokens:]


def _token(word: str) -> int:
    return 1 + int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest()) % (VOCABULARY - 1)


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
    parser = arguments("Scores of watermark detection on marked, unmarked and human texts.")
    parser.add_argument("--texts", type=int, default=200, help="texts of each kind")
    parser.add_argument("--tokens", type=int, default=210, help="tokens of each text")
    given = parser.parse_args()
    written = human(given.data, given.texts, given.tokens)
    model = tiny_model()
    found: dict[str, Any] = {}
    cases: list[tuple[Scheme, dict[str, Any], Any, dict[str, Any]]] = [
        ("green_list", GREEN, WatermarkingConfig(**GREEN), {**GREEN, "hashing_key": 32_452_843}),
        ("synthid", SYNTHID, SynthIDTextWatermarkingConfig(**SYNTHID), {**SYNTHID, "keys": random_keys(2)}),
    ]
    plain = generate(model, given.texts, given.tokens, None)
    print("| scheme | texts | z, least | mean | greatest | z > 3 | z >= 5 |")
    print("|---|---|---|---|---|---|---|")
    for scheme, options, config, wrong in cases:
        marked = generate(model, given.texts, given.tokens, config)
        right = detector(scheme, options)
        found[scheme] = {
            "marked, right key": measure(right, marked),
            "marked, wrong key": measure(detector(scheme, wrong), marked),
            "unmarked": measure(right, plain),
            "human": measure(right, written),
        }
        for kind, z in found[scheme].items():
            row = [scheme, f"{z['texts']} {kind}", *(z[name] for name in list(z)[1:])]
            print(f"| {' | '.join(map(str, row))} |", flush=True)
    write_json(given.json, found)


if __name__ == "__main__":
    main()
