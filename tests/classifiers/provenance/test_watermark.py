"""Watermarks found in text that a tiny model wrote here, with the keys it was written with, and no others."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import GPT2Config, GPT2LMHeadModel, SynthIDTextWatermarkingConfig, WatermarkingConfig

from classifiers.provenance import (
    ProvenanceConfig,
    ProvenanceReader,
    ProvenanceSignal,
    WatermarkError,
    load_watermarks,
)
from service.samples import sample_articles

VOCABULARY = 400


def random_keys(seed: int) -> list[int]:
    draw = random.Random(seed)
    return [draw.getrandbits(31) for _ in range(30)]


TOKENS = 215
TEXTS = 3
GREEN = {"greenlist_ratio": 0.25, "bias": 4.0, "hashing_key": 15_485_863, "context_width": 1}
# Keys must be random: layers of consecutive ones depend on each other, and foreign keys then score too high.
SYNTHID = {"ngram_len": 5, "keys": random_keys(1)}
CASES = {
    "green_list": (WatermarkingConfig(**GREEN), {**GREEN, "vocab_size": VOCABULARY}, {"hashing_key": 7_919}),
    "synthid": (SynthIDTextWatermarkingConfig(**SYNTHID), SYNTHID, {"keys": random_keys(2)}),
}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vocabulary of whole words, so that a text gives back the very tokens it was written with."""
    words = list(dict.fromkeys(" ".join(item.text for item in sample_articles()).split()))
    known = [word for word in words if word.isalpha()][: VOCABULARY - 1]
    made = Tokenizer(WordLevel({"[?]": 0} | {word: n for n, word in enumerate(known, 1)}, unk_token="[?]"))
    made.pre_tokenizer = Whitespace()
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    made.save(str(path))
    return path


@pytest.fixture(scope="module")
def texts(tokenizer: Path) -> dict[str, list[str]]:
    """Texts by the watermark they bear; "none" bear none."""
    torch.manual_seed(11)
    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_embd=16,
        n_layer=1,
        n_head=2,
        n_positions=256,
        bos_token_id=1,
        eos_token_id=None,
    )
    model = GPT2LMHeadModel(config).eval()
    words = Tokenizer.from_file(str(tokenizer))
    found = {}
    for name, marking in ({name: case[0] for name, case in CASES.items()} | {"none": None}).items():
        start = torch.randint(1, VOCABULARY, (TEXTS, 1))
        made = model.generate(
            start,
            attention_mask=torch.ones_like(start),
            do_sample=True,
            top_k=0,
            max_new_tokens=TOKENS,
            min_new_tokens=TOKENS,
            pad_token_id=0,
            suppress_tokens=[0],
            watermarking_config=marking,
        )
        found[name] = [" ".join(words.id_to_token(token) for token in row) for row in made.tolist()]
    return found


def reader(folder: Path, tokenizer: Path, scheme: str, options: dict[str, Any]) -> ProvenanceReader:
    file = folder / "watermarks.json"
    entry = {"name": "desk", "scheme": scheme, "tokenizer": str(tokenizer), "options": options}
    file.write_text(json.dumps([entry]))
    return ProvenanceReader(ProvenanceConfig(watermarks=load_watermarks(file)))


def mark(found: ProvenanceReader, text: str) -> ProvenanceSignal:
    """The signal of the one watermark; words of several languages may leave a note on scripts beside it."""
    (signal,) = (item for item in found.read_text(text).signals if item.type != "unicode")
    return signal


@pytest.mark.parametrize("scheme", CASES)
def test_the_mark_is_found_with_its_key_and_with_no_other(
    scheme: str, tokenizer: Path, texts: dict[str, list[str]], tmp_path: Path
) -> None:
    _, options, wrong = CASES[scheme]
    right = reader(tmp_path, tokenizer, scheme, options)
    for text in texts[scheme]:
        signal = mark(right, text)
        assert (signal.outcome, signal.standing, signal.involvement) == ("ai", "own_key", None)
        assert signal.detail["z"] >= 5
        assert signal.detail["tokens"] >= 100
    other = reader(tmp_path, tokenizer, scheme, {**options, **wrong})
    for text in [*texts[scheme], *texts["none"]]:
        signal = mark(other if text in texts[scheme] else right, text)
        assert signal.outcome == "none"
        assert signal.detail["z"] <= 4


@pytest.mark.parametrize("scheme", CASES)
def test_a_short_text_says_nothing(
    scheme: str, tokenizer: Path, texts: dict[str, list[str]], tmp_path: Path
) -> None:
    found = reader(tmp_path, tokenizer, scheme, CASES[scheme][1])
    for length in (0, 1, 3, 60):
        signal = mark(found, " ".join(texts[scheme][0].split()[:length]))
        assert signal.outcome == "inconclusive"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("no json", "describes no watermarks"),
        ('[{"name": "x"}]', "describes no watermarks"),
        ('[{"name": "x", "scheme": "other", "tokenizer": "t", "options": {}}]', "unknown scheme"),
        ('[{"name": "x", "scheme": "synthid", "tokenizer": "missing", "options": {}}]', "no tokenizer"),
    ],
)
def test_descriptions_that_cannot_be_used(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "watermarks.json"
    file.write_text(content)
    with pytest.raises(WatermarkError, match=message):
        load_watermarks(file)
    with pytest.raises(WatermarkError, match="No such file"):
        load_watermarks(tmp_path / "other.json")


def test_options_that_the_library_refuses(tokenizer: Path, tmp_path: Path) -> None:
    found = reader(tmp_path, tokenizer, "green_list", {"no_such_option": 1, "vocab_size": 10})
    with pytest.raises(WatermarkError, match="no_such_option"):
        found.read_text("word " * 200)
