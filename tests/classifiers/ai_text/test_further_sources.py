"""Texts beyond the corpus files: read once each, labelled for what they are, fit for training."""

import gzip
import json
from pathlib import Path

import pytest

from classifiers.text import LANGUAGES, count_words, identify_language
from classifiers.training.ai_text.corpus import load_documents
from classifiers.training.ai_text.further_sources import human_passages, written_texts

PASSAGE = " ".join(f"A kikötőben a {n}. komp reggel indult el, és délután ért vissza." for n in range(8))


def claim_corpus(folder: Path, evidence: list[str]) -> Path:
    path = folder / "claims" / "stance" / "hu-rte-train.jsonl.gz"
    path.parent.mkdir(parents=True)
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        for text in evidence:
            lines.write(
                json.dumps({"claim": "A komp elindult.", "evidence": text, "label": "SUPPORTED"}) + "\n"
            )
    return folder


def test_evidence_that_several_claims_share_is_one_human_text(tmp_path: Path) -> None:
    folder = claim_corpus(tmp_path, [PASSAGE, PASSAGE, "Egy másik, rövid szöveg."])

    rows = list(human_passages(folder, "hu"))

    assert [row["text"] for row in rows] == [PASSAGE, "Egy másik, rövid szöveg."]
    assert {row["label"] for row in rows} == {"human"}
    assert len({row["group"] for row in rows}) == 2


def test_a_language_without_claim_corpus_has_no_evidence(tmp_path: Path) -> None:
    assert list(human_passages(tmp_path, "kk")) == []
    assert list(human_passages(tmp_path, "hu")) == []


def test_posts_are_cleaned_and_joined_to_the_length_of_an_article(tmp_path: Path) -> None:
    path = tmp_path / "claims" / "checkworthy" / "tr-1B_claim-train.jsonl.gz"
    path.parent.mkdir(parents=True)
    posts = [
        f"@okur {n}. vapur bugün yine geç kalktı, iskelede bekledik https://t.co/{n} #vapur"
        for n in range(40)
    ]
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps({"text": post}) + "\n" for post in posts)

    rows = list(human_passages(tmp_path, "tr"))

    assert rows
    for row in rows:
        assert 110 <= len(row["text"].split()) < 125
        assert not {"@", "#", "/"} & set(row["text"])


def test_long_evidence_joins_the_documents_of_its_language(tmp_path: Path) -> None:
    folder = claim_corpus(tmp_path, [PASSAGE, "Egy másik, rövid szöveg."])
    (folder / "ai_text").mkdir()
    with gzip.open(folder / "ai_text" / "hu.jsonl.gz", "wt"):
        pass

    documents = [document for document in load_documents(folder, "hu") if document.source == "rte-hu"]

    assert len(documents) == 1
    assert not documents[0].machine


@pytest.mark.parametrize("language", LANGUAGES)
def test_written_texts_are_articles_of_their_language(language: str) -> None:
    rows = list(written_texts(language))

    assert len(rows) >= 30
    assert len({row["id"] for row in rows}) == len({row["text"] for row in rows}) == len(rows)
    for row in rows:
        assert row["label"] == "ai"
        assert 100 <= count_words(row["text"]) <= 300, row["id"]
    recognised = sum(identify_language(row["text"]).code == language for row in rows)
    assert recognised >= 0.95 * len(rows)
