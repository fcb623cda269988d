"""The words for the codes of an Analysis: what a reviewer reads instead of `too_few_calibration_texts`.

English here; templates translate them. Words of labels and matches are not here: readers and reports use the
same ones (`service.labels.wording`, `service.claim_wording`).
"""

from __future__ import annotations

from typing import Final

from service.dashboard.i18n import marked

VERDICTS: Final = {
    "likely_ai_unconfirmed": marked("Likely machine-written, not confirmed"),
    "undetermined": marked("Origin not determined"),
}
ABSTAINED: Final = {
    "too_short": marked("The text is too short to judge."),
    "unsupported_language": marked("This language is not examined."),
    "not_prose": marked("It is a list or table rather than prose."),
    "tampered": marked("The text holds hidden or mixed characters that disturb the measurement."),
    "too_few_calibration_texts": marked("Too few human texts of this language and length to compare with."),
}
SIGNALS: Final = {
    "declaration": marked("Declared by the sender"),
    "c2pa": marked("C2PA manifest in the file"),
    "jsonld": marked("Structured data of the page"),
    "microdata": marked("Structured data of the page"),
    "html_meta": marked("Metadata of the page"),
    "html_attribute": marked("Marking in the page"),
    "xmp": marked("XMP metadata"),
    "http_header": marked("Header of the answer"),
    "watermark_green_list": marked("Own watermark"),
    "watermark_synthid": marked("SynthID watermark"),
    "hidden_characters": marked("Hidden characters"),
}
OUTCOMES: Final = {
    "ai": marked("says AI"),
    "human": marked("says human"),
    "none": marked("nothing found, which proves nothing"),
    "inconclusive": marked("inconclusive"),
}
INVOLVEMENT: Final = {
    "none": marked("No AI"),
    "assisted": marked("AI-assisted"),
    "generated": marked("AI-generated"),
    "mixed": marked("Mixed: human and AI"),
    "unknown": marked("Not known"),
}
REVIEW_REASONS: Final = {
    "conflict": marked("Evidence contradicts itself"),
    "detector_disagrees": marked("Declared without AI, but it looks machine-written"),
    "metadata_disagrees": marked("Metadata contradict the declaration"),
    "likely_ai": marked("Looks machine-written"),
    "unsigned_metadata": marked("Only unsigned metadata say so"),
    "invalid_signature": marked("A signature is not valid"),
}
FEATURES: Final = {
    "sentence_length_variation": marked("Variation of sentence length"),
    "sentence_length_mean": marked("Mean sentence length"),
    "lexical_diversity": marked("Variety of words"),
    "repeated_word_pairs": marked("Repeated word pairs"),
    "comma_rate": marked("Commas"),
    "quotation_rate": marked("Quotation marks"),
    "dash_rate": marked("Dashes"),
    "other_mark_rate": marked("Other punctuation"),
    "number_rate": marked("Numbers"),
    "capitalised_rate": marked("Capitalised words"),
    "word_length_mean": marked("Mean word length"),
    "compression": marked("Compressibility"),
}
CLAIM_REASONS: Final = {
    "unsupported_language": marked("This language is not examined."),
    "empty_index": marked("The index holds no records yet."),
    "nothing_found": marked("No record is near."),
    "below_threshold": marked("The nearest records are about something else."),
    "short_claim": marked("The sentence is too short to link without a person."),
}
MISMATCHES: Final = {
    "number": marked("Numbers differ"),
    "date": marked("Dates differ"),
    "name": marked("Names differ"),
    "negation": marked("One side negates"),
    "opposite": marked("Opposite words"),
}
RATINGS: Final = {
    "true": marked("True"),
    "mostly_true": marked("Mostly true"),
    "mixed": marked("Partly true"),
    "mostly_false": marked("Mostly false"),
    "false": marked("False"),
    "unverifiable": marked("Cannot be verified"),
}
RECORD_FIELDS: Final = {
    "id": marked("Number"),
    "claim": marked("Verified statement"),
    "title": marked("Headline"),
    "text": marked("Text"),
    "url": marked("Address"),
    "publisher": marked("Publisher"),
    "published_at": marked("Published on"),
    "rating": marked("Rating in the publisher's words"),
    "rating_normalised": marked("Rating on one scale"),
    "language": marked("Language"),
    "valid_from": marked("Holds from"),
    "valid_to": marked("Holds until"),
    "superseded_by": marked("Replaced by"),
}
FEED_KIND_WORDS: Final = {
    "claimreview": marked("Fact-checks as ClaimReview (JSON-LD)"),
    "syndication": marked("News feed (RSS, Atom)"),
    "news-sitemap": marked("News sitemap"),
    "jsonl": marked("Records, one per line (JSONL)"),
    "csv": marked("Table (CSV)"),
    "parquet": marked("Table (Parquet)"),
}
AUDIT_STATES: Final = {
    "receiving": marked("Being taken in"),
    "queued": marked("Waiting"),
    "running": marked("Running"),
    "done": marked("Done"),
    "failed": marked("Failed"),
    "cancelled": marked("Cancelled"),
}
ROLES: Final = {
    "reader": marked("Reader: sees everything"),
    "reviewer": marked("Reviewer: checks and decides"),
    "editor": marked("Editor: also corrects records and issues labels"),
    "admin": marked("Administrator: also accounts, keys and settings"),
}
RULE_STATES: Final = {
    "in_force": marked("In force"),
    "bill": marked("Bill, not in force"),
    "unconfirmed": marked("Not confirmed"),
}
RULE_FORMS: Final = {
    "visible_notice": marked("visible notice"),
    "machine_readable_mark": marked("machine-readable mark"),
}
KEY_STATES: Final = {
    "active": marked("Active"),
    "expired": marked("Expired"),
    "revoked": marked("Revoked"),
    "disabled": marked("Disabled"),
}
MACHINE_KINDS: Final = {
    "generated": marked("written"),
    "rewritten": marked("rewritten"),
    "translated": marked("translated"),
}
