"""Fit the match calibration: cosine to P(claim and record are about the same factual statement).

    python -m classifiers.training.match --data DIR

Across languages the positives are translations; within one, the written variants (a changed number is still
about the same statement) and, in Turkish, posts with their expert claims. Negatives are the nearest
sentences of other rows, same document included, since those are what a search returns when the right record
is missing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from classifiers.models import load_encoder
from classifiers.stance.match import WEIGHTS, MatchCalibration, language_pair
from classifiers.text import LANGUAGES
from classifiers.training.claims_data import Row, clean_post, read_rows
from classifiers.training.vectors import VectorCache

NEAREST = 3
# Most queries without a record may still find a neighbour; of those, this share may be linked falsely.
FALSE_LINKS_SAME_STORY = 0.04
FALSE_LINKS_OTHER_STORY = 0.008
LINK_PRECISION = 0.95
FALSE_SUGGESTIONS_SAME_STORY = 0.25

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Examples:
    """Cosines with labels for one pair of languages. ``groups`` are documents, so that folds do not share
    stories.
    """

    cosines: Floats
    labels: NDArray[np.int64]
    groups: NDArray[Any]


def hardest(queries: Floats, records: Floats, forbidden: NDArray[np.bool_]) -> Floats:
    """Cosines ``(n, NEAREST)`` of the nearest records that are not forbidden for the query."""
    scores = np.where(forbidden, -1, queries @ records.T)
    return np.sort(scores, axis=1)[:, -NEAREST:]


def translations(rows: list[Row], vectors: dict[str, Floats]) -> Iterator[tuple[str, Examples]]:
    """One set per unordered pair of different languages, searched in both directions."""
    documents = np.array([row["doc"] for row in rows])
    own = np.eye(len(rows), dtype=bool)
    for i, one in enumerate(LANGUAGES):
        for other in LANGUAGES[i + 1 :]:
            right = np.sum(vectors[one] * vectors[other], axis=1)
            wrong = [hardest(vectors[a], vectors[b], own) for a, b in ((one, other), (other, one))]
            cosines = np.concatenate([right, right, *(w.ravel() for w in wrong)])
            labels = np.concatenate([np.ones(2 * len(rows), int), np.zeros(2 * len(rows) * NEAREST, int)])
            groups = np.concatenate([documents, documents, *([np.repeat(documents, NEAREST)] * 2)])
            yield language_pair(one, other), Examples(cosines, labels, groups)


def same_language(
    data: Path, rows: list[Row], vectors: dict[str, Floats], cache: VectorCache
) -> Iterator[tuple[str, Examples]]:
    """One set per language from the written variants against all parallel sentences of that language."""
    variants = read_rows(data / "claims" / "stance" / "turkic-variants.jsonl.gz")
    positions = {row["row"]: i for i, row in enumerate(rows)}
    for language in LANGUAGES:
        own = [v for v in variants if v["lang"] == language]
        claims = cache.encode([v["claim"] for v in own])
        at = np.array([positions[v["row"]] for v in own])
        right = np.sum(claims * vectors[language][at], axis=1)
        about_it = np.array([v["variant"] != "related" for v in own])
        forbidden = np.zeros((len(own), len(rows)), bool)
        forbidden[np.arange(len(own)), at] = True
        wrong = hardest(claims, vectors[language], forbidden)
        documents = np.array([rows[i]["doc"] for i in at])
        cosines = np.concatenate([right, wrong.ravel()])
        labels = np.concatenate([about_it.astype(int), np.zeros(wrong.size, int)])
        groups = np.concatenate([documents, np.repeat(documents, NEAREST)])
        if language == "tr":
            posts = turkish_posts(data, cache)
            cosines = np.concatenate([cosines, posts.cosines])
            labels = np.concatenate([labels, posts.labels])
            groups = np.concatenate([groups, posts.groups])
        yield language_pair(language, language), Examples(cosines, labels, groups)


def turkish_posts(data: Path, cache: VectorCache) -> Examples:
    """Posts against their own expert claim and the nearest other claims."""
    pairs = [p for p in read_rows(data / "claims" / "trclaim19" / "pairs.jsonl.gz") if p["relevant"]]
    claims = sorted({p["claim"] for p in pairs})
    posts, records = cache.encode([clean_post(p["query"]) for p in pairs]), cache.encode(claims)
    at = np.array([claims.index(p["claim"]) for p in pairs])
    forbidden = at[:, None] == np.arange(len(claims))[None, :]
    wrong = hardest(posts, records, forbidden)
    groups = np.array([f"tr19-{i}" for i in at])
    return Examples(
        np.concatenate([np.sum(posts * records[at], axis=1), wrong.ravel()]),
        np.concatenate([np.ones(len(at), int), np.zeros(wrong.size, int)]),
        np.concatenate([groups, np.repeat(groups, NEAREST)]),
    )


def fit_curve(cosines: Floats, labels: NDArray[np.int64]) -> tuple[float, float]:
    """Slope and shift of the logistic curve; cosines are spread first so that the penalty is mild."""
    mean, spread = float(cosines.mean()), float(cosines.std())
    head = LogisticRegression(C=10).fit(((cosines - mean) / spread)[:, None], labels)
    slope = float(head.coef_[0, 0]) / spread
    return slope, float(head.intercept_[0]) - slope * mean


def false_links(
    rows: list[Row],
    vectors: dict[str, Floats],
    calibration: MatchCalibration,
    threshold: float,
    *,
    story_absent: bool,
) -> dict[str, float]:
    """Share of sentences linked although their own record is absent, per pair of different languages.

    ``story_absent``: the other sentences of the document are absent too.
    """
    documents = np.array([row["doc"] for row in rows])
    hidden = documents[:, None] == documents[None, :] if story_absent else np.eye(len(rows), dtype=bool)
    return {
        f"{one}>{other}": float(
            np.mean(
                calibration.probability(
                    np.where(hidden, -1, vectors[one] @ vectors[other].T).max(axis=1), one, other
                )
                >= threshold
            )
        )
        for one in LANGUAGES
        for other in LANGUAGES
        if one != other
    }


def right_links(
    rows: list[Row], vectors: dict[str, Floats], calibration: MatchCalibration, threshold: float
) -> tuple[float, float]:
    """Precision and recall of linking the first hit when the own record is present, over all ordered
    pairs.
    """
    linked = right = total = 0
    for one in LANGUAGES:
        for other in LANGUAGES:
            if one == other:
                continue
            scores = vectors[one] @ vectors[other].T
            said = calibration.probability(scores.max(axis=1), one, other) >= threshold
            linked += int(said.sum())
            right += int((said & (scores.argmax(axis=1) == np.arange(len(rows)))).sum())
            total += len(rows)
    return right / max(1, linked), right / total


Material = tuple[dict[str, Examples], list[Row], dict[str, Floats]]


def read_examples(data: Path, cache: VectorCache) -> Material:
    """All examples by pair of languages, the parallel rows and their vectors by language."""
    rows = read_rows(data / "claims" / "parallel" / "ntrex.jsonl.gz")
    vectors = {language: cache.encode([row[language] for row in rows]) for language in LANGUAGES}
    return dict([*translations(rows, vectors), *same_language(data, rows, vectors, cache)]), rows, vectors


def hold_out(
    data: Path, cache: VectorCache, material: Material | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings fitted on half of the documents (thresholds: a quarter), figures from the last quarter."""
    sets, rows, vectors = material or read_examples(data, cache)
    documents = sorted({row["doc"] for row in rows})
    fitted_on, chosen_on = set(documents[::2]), set(documents[1::4])
    settings: dict[str, Any] = {"model_version": "match-1", "curves": curves(sets, fitted_on)}
    settings |= {"suggest_threshold": 0.5, "link_threshold": 0.5}
    trial = MatchCalibration(settings)
    chosen = only(rows, vectors, chosen_on)
    settings["link_threshold"] = link_threshold(*chosen, trial)
    settings["suggest_threshold"] = suggest_threshold(*chosen, trial)
    tested = only(rows, vectors, set(documents) - fitted_on - chosen_on)
    return settings, measure(*tested, trial, settings, sets, fitted_on)


def only(
    rows: list[Row], vectors: dict[str, Floats], documents: set[str]
) -> tuple[list[Row], dict[str, Floats]]:
    """The rows of some documents and their vectors."""
    at = np.array([i for i, row in enumerate(rows) if row["doc"] in documents])
    return [rows[i] for i in at], {language: v[at] for language, v in vectors.items()}


def main() -> None:
    """Measure on documents held out, then fit on all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with claims/")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    encoder = load_encoder(threads=arguments.threads)
    cache = VectorCache(encoder)
    sets, rows, vectors = read_examples(arguments.data, cache)
    settings, figures = hold_out(arguments.data, cache, (sets, rows, vectors))
    settings["encoder"] = encoder.model_id
    settings["curves"] = curves(sets, None)
    WEIGHTS.mkdir(exist_ok=True)
    (WEIGHTS / "match.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    (WEIGHTS / "match_figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (WEIGHTS / "MATCH_CARD.md").write_text(card(settings, figures), encoding="utf-8")
    print(card(settings, figures))


def curves(sets: dict[str, Examples], documents: set[str] | None) -> dict[str, tuple[float, float]]:
    """A curve per pair of languages, and ``any`` for the rest; only examples of ``documents`` when given."""
    fitted: dict[str, tuple[float, float]] = {}
    kept = {pair: e if documents is None else part(e, documents, inside=True) for pair, e in sets.items()}
    for pair, examples in kept.items():
        fitted[pair] = fit_curve(examples.cosines, examples.labels)
    fitted["any"] = fit_curve(
        np.concatenate([e.cosines for e in kept.values()]), np.concatenate([e.labels for e in kept.values()])
    )
    return fitted


def part(examples: Examples, documents: set[str], *, inside: bool) -> Examples:
    """The examples whose document is, or is not, among ``documents``; posts are divided by their claim's
    number.
    """
    keep = np.array([_is_of(group, documents) == inside for group in examples.groups.tolist()])
    return Examples(examples.cosines[keep], examples.labels[keep], examples.groups[keep])


def _is_of(group: str, documents: set[str]) -> bool:
    return int(group[5:]) % 2 == 0 if group.startswith("tr19-") else group in documents


def link_threshold(rows: list[Row], vectors: dict[str, Floats], calibration: MatchCalibration) -> float:
    """The lowest probability that keeps false links and precision within the bounds above, on average over
    the pairs.
    """
    for threshold in np.arange(0.5, 0.995, 0.01):
        story = false_links(rows, vectors, calibration, threshold, story_absent=False)
        other = false_links(rows, vectors, calibration, threshold, story_absent=True)
        precision, _ = right_links(rows, vectors, calibration, threshold)
        if (
            np.mean(list(story.values())) <= FALSE_LINKS_SAME_STORY
            and np.mean(list(other.values())) <= FALSE_LINKS_OTHER_STORY
            and precision >= LINK_PRECISION
        ):
            return round(float(threshold), 2)
    raise ValueError("no threshold keeps false links within bounds: statements look alike")


def suggest_threshold(rows: list[Row], vectors: dict[str, Floats], calibration: MatchCalibration) -> float:
    """The lowest probability at which a sentence without its record is shown a neighbour not too often."""
    for threshold in np.arange(0.05, 0.95, 0.01):
        shown = false_links(rows, vectors, calibration, threshold, story_absent=False)
        if np.mean(list(shown.values())) <= FALSE_SUGGESTIONS_SAME_STORY:
            return round(float(threshold), 2)
    raise ValueError("no threshold keeps false suggestions within bounds")


def measure(
    rows: list[Row], vectors: dict[str, Floats], calibration: MatchCalibration, settings: dict[str, Any],
    sets: dict[str, Examples], documents: set[str],
) -> dict[str, Any]:  # fmt: skip
    """Figures at both thresholds on documents that no curve was fitted on."""
    figures: dict[str, Any] = {"documents": len({row["doc"] for row in rows}), "sentences": len(rows)}
    for name in ("suggest", "link"):
        threshold = settings[f"{name}_threshold"]
        precision, recall = right_links(rows, vectors, calibration, threshold)
        same = false_links(rows, vectors, calibration, threshold, story_absent=False)
        absent = false_links(rows, vectors, calibration, threshold, story_absent=True)
        figures[name] = {
            "precision": precision,
            "recall": recall,
            "false_same_story": float(np.mean(list(same.values()))),
            "false_same_story_worst": max(same.values()),
            "false_other_story": float(np.mean(list(absent.values()))),
            "false_other_story_worst": max(absent.values()),
        }
    figures["calibration_error"] = {}
    for pair, examples in sets.items():
        test = part(examples, documents, inside=False)
        probability = calibration.probability(test.cosines, *pair.split("-"))
        bins = np.minimum((probability * 10).astype(int), 9)
        figures["calibration_error"][pair] = float(
            sum(
                np.mean(bins == b) * abs(test.labels[bins == b].mean() - probability[bins == b].mean())
                for b in range(10)
                if (bins == b).any()
            )
        )
    return figures


def card(settings: dict[str, Any], figures: dict[str, Any]) -> str:
    """The text of MATCH_CARD.md."""
    lines = "\n".join(
        f"| {name} | {settings[f'{name}_threshold']:.2f} | {f['precision']:.3f} | {f['recall']:.3f} "
        f"| {f['false_same_story']:.3f} ({f['false_same_story_worst']:.3f}) "
        f"| {f['false_other_story']:.3f} ({f['false_other_story_worst']:.3f}) |"
        for name in ("suggest", "link")
        for f in [figures[name]]
    )
    errors = figures["calibration_error"]
    worst = max(errors, key=errors.get)
    return f"""# Match calibration ({settings["model_version"]})

One logistic curve per unordered pair of languages from the cosine of the packaged encoder
(`{settings["encoder"]}`) to P(claim and record are about the same factual statement), and one for pairs
without their own. Made by `python -m classifiers.training.match --data DIR`; curves: `match.json`, all
figures: `match_figures.json`.

Data: parallel news sentences (ntrex), the written variants, Turkish posts with expert claims (trclaim19). A
negative is one of the three nearest sentences of other rows, so the probability holds for what a search
returns.

Measured on {figures["sentences"]} sentences of {figures["documents"]} documents that neither curves nor
thresholds have seen, all ordered pairs of different languages (in brackets: the worst pair):

| threshold | probability | precision | recall | linked, own record absent | linked, whole story absent |
|---|---|---|---|---|---|
{lines}

Calibration error {np.mean(list(errors.values())):.3f} on average, {errors[worst]:.3f} at worst ({worst}).

Limits: a large index holds nearer neighbours than {figures["sentences"]} sentences do, and short claims
match too easily: show, do not link, a claim of fewer than eight words. Turkmen vectors are weaker, which its
curves reflect.
"""


if __name__ == "__main__":
    main()
