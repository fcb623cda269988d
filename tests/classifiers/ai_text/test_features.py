"""Named features measure what their names say."""

import numpy as np

from classifiers.ai_text.features import FEATURES, measure
from classifiers.ai_text.norms import QUANTILES, FeatureNorms


def _value(name: str, sentences: list[str]) -> float:
    return float(measure(sentences)[FEATURES.index(name)])


def test_even_sentences_vary_less_than_uneven_ones() -> None:
    even = ["The old man walked home.", "The young girl stayed there.", "The tall boy went away."]
    uneven = [
        "No.",
        "The old man walked home along the river because his bicycle was broken.",
        "She laughed.",
    ]
    assert _value("sentence_length_variation", even) < 0.01
    assert _value("sentence_length_variation", uneven) > 0.5


def test_rates_are_per_word() -> None:
    assert _value("comma_rate", ["one, two, three four"]) == 0.5
    assert _value("number_rate", ["00 houses stand there"]) == 0.25
    assert _value("capitalised_rate", ["We met Aida in Osh"]) == 0.4
    assert _value("repeated_word_pairs", ["to be or to be"]) == 0.25


def test_a_text_without_words_measures_zero() -> None:
    assert not measure(["...", "!"]).any()
    assert measure([]).shape == (len(FEATURES),)


def test_norms_name_only_what_stands_out_towards_the_machine() -> None:
    table = np.tile(QUANTILES, (len(FEATURES), 1))
    direction = np.zeros(len(FEATURES), dtype=np.int8)
    direction[0], direction[1], direction[2] = -1, 1, 1
    norms = FeatureNorms({("tr", "short"): table}, {"tr": direction})
    values = np.full(len(FEATURES), 0.5)
    values[0], values[1] = 0.03, 0.9
    found = norms.compare(values, "tr", 80)
    assert [(item.name, round(item.percentile), item.machine_like) for item in found] == [
        (FEATURES[0], 3, "low"),
        (FEATURES[1], 90, "high"),
    ]
    assert norms.compare(values, "xx", 80) == []


def test_ties_count_half() -> None:
    table = np.tile(np.r_[np.zeros(51), np.linspace(0.1, 1, 50)], (len(FEATURES), 1))
    norms = FeatureNorms({("hu", "long"): table}, {"hu": np.full(len(FEATURES), -1, dtype=np.int8)})
    found = norms.compare(np.zeros(len(FEATURES)), "hu", 500)
    assert {round(item.percentile) for item in found} == {25}
