"""Turkmen respelt before the encoder, and the linear map after it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.models import Encoder, ModelFilesError, load_encoder
from classifiers.models.adaptation import Adaptation, load_adaptation
from classifiers.models.turkmen import is_turkmen, respelt
from classifiers.training.encoder_adaptation import Material, Trainer, success_at_1


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Bu ýyl iki täze mekdep açylar.", "Bu yıl iki teze mekdep açılar."),
        (
            "Ministr Wena şäherine geldi, iş başlandy.",
            "Ministr Vena şeherine geldi, iş başlandı.",
        ),
        ("ÝYLYŇ WAKASY", "YILIN VAKASI"),
    ],
)
def test_turkmen_is_read_in_turkish_letters(text: str, read: str) -> None:
    assert respelt(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "Yeni köprü bu yıl açıldı ve trafiğe verildi.",
        "Novotný ve arkadaşları cuma günü Ankara'ya vardı.",
        "The cyclists rode from Brno, where Novotný lives, to Vienna.",
        "Yeni körpü bu il açıldı.",
        "Egy új iskola nyílt a városban, ahol nyolcszáz diák tanul.",
        "Бу жылы эки жаңы мектеп ачылат.",
        "Yangi maktab shu yil ochildi.",
        "",
    ],
)
def test_other_languages_stay_as_they_are(text: str) -> None:
    assert not is_turkmen(text)
    assert respelt(text) == text


@given(st.text(max_size=60))
def test_respelling_keeps_the_length_and_settles(text: str) -> None:
    once = respelt(text)
    assert len(once) == len(text)
    assert not is_turkmen(text) or "ý" not in once


def test_turkmen_is_nearer_to_its_turkish_translation() -> None:
    turkmen = "Türkmenistanyň prezidenti ýanwar aýynda Wena şäherinde geçirilen ýygnaga gatnaşdy."
    turkish = "Türkmenistan cumhurbaşkanı ocak ayında Viyana'da düzenlenen toplantıya katıldı."
    unrelated = "Belediye, parktaki ağaçların budanmasına önümüzdeki hafta başlanacağını duyurdu."

    def margin(encoder: Encoder) -> float:
        asked, right, wrong = encoder.encode([turkmen, turkish, unrelated])
        return float(asked @ right - asked @ wrong)

    assert margin(load_encoder()) > margin(load_encoder(adapted=False))


def test_the_map_gives_unit_vectors_and_is_stored_exactly(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(6, 6)).astype(np.float16).astype(np.float32)
    shift = rng.normal(size=6).astype(np.float16).astype(np.float32)
    adaptation = Adaptation(matrix, shift, "x")
    vectors = rng.normal(size=(4, 6)).astype(np.float32)
    moved = adaptation.apply(vectors)
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-6)
    adaptation.save(tmp_path / "a.npz")
    np.testing.assert_array_equal(load_adaptation(tmp_path / "a.npz").apply(vectors), moved)


def test_other_weights_have_another_id(tmp_path: Path) -> None:
    for name, value in (("a.npz", 1.0), ("b.npz", 2.0)):
        Adaptation(np.eye(3, dtype=np.float32) * value, np.zeros(3, np.float32), "").save(tmp_path / name)
    ids = {load_adaptation(tmp_path / name).adaptation_id for name in ("a.npz", "b.npz")}
    assert len(ids) == 2


@pytest.mark.parametrize("content", [b"", b"not an archive"])
def test_damaged_weights_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "adaptation.npz"
    path.write_bytes(content)
    with pytest.raises(ModelFilesError, match=r"adaptation\.npz cannot be read"):
        load_adaptation(path)


def test_training_brings_translations_together_that_languages_keep_apart() -> None:
    """Nine languages whose vectors differ by an offset each, larger than what the sentences differ by."""
    rng = np.random.default_rng(1)
    meanings = rng.normal(size=(60, 1, 16)) * 0.4
    offsets = rng.normal(size=(1, 9, 16)) @ np.diag([1.0] * 6 + [0.0] * 10)
    sentences = (meanings + offsets + rng.normal(size=(60, 9, 16)) * 0.05).astype(np.float32)
    sentences /= np.linalg.norm(sentences, axis=2, keepdims=True)
    held_out = np.arange(60) % 3 == 0
    posts = sentences[:20, 8]
    material = Material(sentences, held_out, posts, np.arange(20), sentences[:, 0], sentences[:, 1])
    before = success_at_1(sentences, held_out)
    adaptation = Trainer(material).train()
    after = success_at_1(adaptation.apply(sentences.reshape(-1, 16)).reshape(sentences.shape), held_out)
    assert np.nanmean(after) > np.nanmean(before) + 0.1
    assert np.isnan(np.diag(after)).all()
