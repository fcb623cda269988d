"""The XLM-RoBERTa unigram tokenizer, rebuilt with the ``tokenizers`` library from the packed vocabulary.

The packed file stores SentencePiece's ``nmt_nfkc`` rules as a table of single code points. The library's
own ``Nmt`` and ``NFKC`` normalisers give the same result for every row of that table (a test asserts it),
and beyond it also compose letters with combining marks, as the original SentencePiece model does.
"""

from __future__ import annotations

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from classifiers.models.packed_e5 import PackedVocabulary

MASK = "<mask>"


def build_tokenizer(vocabulary: PackedVocabulary) -> Tokenizer:
    """A ready ``tokenizers.Tokenizer``: ``<s> … </s>`` around each text, ids as in the packed file."""
    pieces = list(zip(vocabulary.pieces, vocabulary.scores.tolist(), strict=True))
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=vocabulary.unk, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    bos, eos = vocabulary.pieces[vocabulary.bos], vocabulary.pieces[vocabulary.eos]
    special = [bos, vocabulary.pieces[vocabulary.pad], eos, vocabulary.pieces[vocabulary.unk]]
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    # The mask swallows the space before it, as in the original.
    tokenizer.add_special_tokens([AddedToken(MASK, lstrip=True, special=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, vocabulary.bos), (eos, vocabulary.eos)],
    )
    return tokenizer
