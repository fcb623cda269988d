"""Corpora lose the marks of their collection, stay together by group, and meet at one length."""

import gzip
import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifiers.training.ai_text.augment import augment
from classifiers.training.ai_text.batches import PairSampler
from classifiers.training.ai_text.corpus import (
    Document,
    drop_copies,
    join_near_duplicates,
    languages_in,
    load_documents,
    repair,
)
from classifiers.training.ai_text.crops import LONGEST, SHORTEST, balanced_weights, cut, cut_all
from classifiers.training.ai_text.shortcuts import audit, word_probe
from classifiers.training.ai_text.splits import fold_of, part_of, select
from classifiers.training.ai_text.stored_documents import build_documents, load_stored

WORDS = [
    "kettle",
    "harbour",
    "tram",
    "ladder",
    "apron",
    "orchard",
    "whistle",
    "cellar",
    "ferry",
    "lantern",
    "saddle",
    "pigeon",
]


def sentence(generator: random.Random, length: int) -> str:
    return " ".join(generator.choices(WORDS, k=length)).capitalize() + "."


def document(
    name: str,
    *,
    machine: bool = False,
    source: str = "paper",
    sentences: int = 12,
    language: str = "en",
    group: str | None = None,
) -> Document:
    generator = random.Random(name)
    parts = tuple(sentence(generator, generator.randint(6, 18)) for _ in range(sentences))
    return Document(
        name, language, "ai" if machine else "human", "m" if machine else "", "news", source,
        group or name, "", parts, sum(len(part.split()) for part in parts),
    )  # fmt: skip


def write(folder: Path, language: str, rows: list[dict[str, str]]) -> None:
    (folder / "ai_text").mkdir(exist_ok=True)
    with gzip.open(folder / "ai_text" / f"{language}.jsonl.gz", "wt", encoding="utf-8") as lines:
        for row in rows:
            lines.write(json.dumps(row) + "\n")


def row(name: str, text: str, **values: str) -> dict[str, str]:
    usual = {
        "label": "human",
        "generator": "",
        "domain": "news",
        "source": "paper",
        "group": name,
        "licence": "own",
    }
    return {"id": name, "lang": "en", "text": text, **usual, **values}


def test_annotated_text_becomes_text() -> None:
    annotated = (
        '"<Қала>"\n\t"қала" n nom @nsubj #1->2\n"<үлкен>"\n\t"үлкен" adj @root #2->0\n"<.>"\n\t"." sent\n¶'
    )
    assert repair(annotated, "apertium-kdt-kk") == "Қала үлкен ."


def test_field_names_and_headings_go() -> None:
    text = "Başlıq: Körpü açıldı\n\nMəzmun: Yeni körpü açıldı. Adamlar sevindi.\n\n**Nəticə**\n\nYol qısaldı."
    fixed = repair(text, "any")
    assert "Başlıq" not in fixed
    assert "Nəticə" not in fixed
    assert "Körpü açıldı\n" not in fixed
    assert fixed.endswith("Yol qısaldı.")
    assert repair("one\ntwo\nthree", "any") == "one\ntwo\nthree"


def test_loading_keeps_what_is_usable(tmp_path: Path) -> None:
    generator = random.Random(5)
    long_text = " ".join(sentence(generator, 12) for _ in range(8))
    write(
        tmp_path,
        "en",
        [
            row("a", long_text),
            row("b", "Too short."),
            row("c", long_text + " More.", domain="story/Data_Mixing/mixing", label="ai_rewritten"),
            row("d", " ".join(sentence(generator, 12) for _ in range(8)), domain="paraphrase_polish_llm",
                source="detectrl", label="ai", generator="m"),
        ],
    )  # fmt: skip
    assert languages_in(tmp_path) == ["en"]
    loaded = load_documents(tmp_path, "en")
    assert [item.id for item in loaded] == ["a", "d"]
    assert loaded[0].words == 96
    assert [item.attack for item in loaded] == ["", "paraphrase_polish_llm"]
    stored = tmp_path / "work" / "documents.jsonl.gz"
    assert build_documents(tmp_path, stored) == load_stored(stored)


def test_an_empty_data_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="ai_text"):
        languages_in(tmp_path)


def test_copies_share_a_group_and_a_part() -> None:
    original = document("x", sentences=30)
    copy = Document(
        "y",
        "en",
        "ai",
        "m",
        "news",
        "other",
        "elsewhere",
        "",
        (*original.sentences[:25], "The end."),
        original.words,
    )
    stranger = document("z", sentences=30)
    joined = join_near_duplicates([original, copy, stranger])
    assert joined[0].group == joined[1].group != joined[2].group
    assert part_of(joined[0].group) == part_of(joined[1].group)


def test_parts_are_disjoint_and_of_the_stated_shares() -> None:
    documents = [document(f"d{i}", sentences=1) for i in range(3000)]
    parts = [select(documents, part) for part in ("train", "calibration", "test")]
    assert sum(map(len, parts)) == 3000
    assert [round(len(part) / 3000, 1) for part in parts] == [0.6, 0.2, 0.2]
    assert {fold_of(item.group, 5) for item in documents} == set(range(5))


def test_crops_meet_their_length() -> None:
    text = document("long", sentences=80)
    generator = random.Random(1)
    for target in (SHORTEST, 90, 200, LONGEST):
        lengths = [cut(text, target, generator).words for _ in range(30)]
        assert 0.75 * target <= min(lengths) <= max(lengths) <= 1.35 * target
    short = document("short", sentences=3)
    assert cut(short, 300, generator).text == short.view


def test_weights_leave_no_class_length_or_source_in_majority() -> None:
    documents = [document(f"h{i}", source="big", sentences=40) for i in range(40)]
    documents += [document(f"s{i}", source="small", sentences=40) for i in range(10)]
    documents += [document(f"m{i}", machine=True, source="model", sentences=40) for i in range(12)]
    crops = cut_all(documents, per_document=3, seed=2)
    weights = balanced_weights(crops)
    machine = np.array([crop.document.machine for crop in crops])
    lengths = np.array([crop.length_class for crop in crops])
    for length in np.unique(lengths):
        members = lengths == length
        if machine[members].any() and not machine[members].all():
            assert weights[members & machine].sum() == pytest.approx(weights[members & ~machine].sum())
    sources = np.array([crop.document.source for crop in crops])
    big, small = weights[sources == "big"].sum(), weights[sources == "small"].sum()
    assert 1 < big / small < 3 < (sources == "big").sum() / (sources == "small").sum()
    assert weights.mean() == pytest.approx(1)


def test_damage_is_repeatable_and_leaves_a_text() -> None:
    text = document("a", sentences=10).view
    damaged = [augment(text, "en", random.Random(seed)) for seed in range(40)]
    assert damaged == [augment(text, "en", random.Random(seed)) for seed in range(40)]
    assert 5 < sum(item == text for item in damaged) < 35
    assert all(len(item) > 0.4 * len(text) for item in damaged)


def test_batches_pair_the_classes_at_one_length() -> None:
    documents = [
        document(
            f"{language}{i}{machine}",
            machine=machine,
            language=language,
            sentences=40,
            group=f"{language}{i}",
        )
        for language in ("en", "tr")
        for i in range(6)
        for machine in (False, True)
    ]
    sampler = PairSampler(documents, seed=3)
    state = sampler.state()
    batch = sampler.batch(8, shortest=40, longest=160)
    assert [example.machine for example in batch] == [False, True] * 8
    pairs = list(zip(batch[::2], batch[1::2], strict=True))
    assert all(human.language == machine.language for human, machine in pairs)
    assert any(human.group == machine.group for human, machine in pairs)
    sampler.restore(state)
    assert sampler.batch(8, shortest=40, longest=160) == batch


def test_batches_need_both_classes() -> None:
    with pytest.raises(ValueError, match="both"):
        PairSampler([document("a")], seed=1)


def test_no_habit_of_a_collection_survives_the_view() -> None:
    """Two classes of equal words, each with every habit that separates public corpora."""
    generator = random.Random(8)
    human, machine = [], []
    for _ in range(60):
        plain = [sentence(generator, generator.randint(6, 14)) for _ in range(8)]
        quoted = f"«{plain[1][:-1]}», - she said in 2018."
        human.append(
            "Daily.Az reports: "
            + " ".join([plain[0], quoted, *plain[2:]]).replace(". ", " . ").replace("e", "ё", 1)
        )
        plain = [sentence(generator, generator.randint(6, 14)) for _ in range(8)]
        quoted = f'"{plain[1][:-1]}," — she said in 2026.'
        machine.append("**Title**\n\n" + "\n\n".join([plain[0], quoted, *plain[2:]]))
    machine = [repair(text, "any") for text in machine]
    found = audit(human, machine)
    assert max(raw for raw, _ in found.values()) > 0.95
    assert {name: seen for name, (_, seen) in found.items() if seen > 0.6} == {}
    raw, seen = audit(human, machine, {"outlet": word_probe("daily.az")})["outlet"]
    assert raw == 1.0
    assert seen <= 0.6


def test_a_rewrite_that_changes_nothing_is_left_out() -> None:
    article = document("article", group="story")
    copy = replace(article, id="copy", label="ai_rewritten", generator="m")
    rewrite = replace(
        document("other words"), id="rewrite", label="ai_rewritten", generator="m", group="story"
    )
    elsewhere = replace(copy, id="elsewhere", group="another story")

    kept = drop_copies([article, copy, rewrite, elsewhere])

    assert [item.id for item in kept] == ["article", "rewrite", "elsewhere"]
