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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from classifiers.models import load_encoder
from classifiers.stance.match import WEIGHTS, MatchCalibration, language_pair
from classifiers.text import LANGUAGES
from classifiers.training.claims_data import Row, calibration_documents, clean_post, read_rows
from classifiers.training.vectors import VectorCache

NEAREST = 3
# Most queries without a record may still find a neighbour; of those, this share may be linked falsely.
FALSE_LINKS_SAME_STORY = 0.04
FALSE_LINKS_OTHER_STORY = 0.009
# In the worst pair of languages a smaller share may be: what is measured on few documents errs.
FALSE_LINKS_OTHER_STORY_PER_PAIR = 0.008
LINK_PRECISION = 0.95
FALSE_SUGGESTIONS_SAME_STORY = 0.25

_QUARTERS = 4

Floats = NDArray[np.float32]
# One for all pairs of languages, or a column of one for each.
Thresholds = float | Floats


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


@dataclass(frozen=True, slots=True)
class Parallel:
    """The parallel sentences with their vectors by language. All are records; ``asked`` are the numbers of
    the sentences that search: those of documents that the encoder was not trained on.
    """

    rows: list[Row]
    vectors: dict[str, Floats]
    asked: NDArray[np.int64]

    @property
    def documents(self) -> NDArray[Any]:
        """The document of every row."""
        return np.array([row["doc"] for row in self.rows])

    def asked_documents(self) -> list[str]:
        """Documents of the sentences that search, sorted."""
        return sorted(set(self.documents[self.asked].tolist()))

    def only(self, documents: set[str]) -> Parallel:
        """The same records, searched by sentences of ``documents`` alone."""
        kept = np.isin(self.documents[self.asked], sorted(documents))
        return Parallel(self.rows, self.vectors, self.asked[kept])

    def cosines(self, one: str, other: str) -> Floats:
        """Of every sentence that searches in ``one`` with every record in ``other``."""
        return np.asarray(self.vectors[one][self.asked] @ self.vectors[other].T, np.float32)

    def hidden(self, *, story_absent: bool) -> NDArray[np.bool_]:
        """Which records are taken out for each sentence that searches: its own, or its whole document."""
        if story_absent:
            return np.asarray(self.documents[self.asked][:, None] == self.documents[None, :])
        return np.asarray(self.asked[:, None] == np.arange(len(self.rows))[None, :])


def translations(parallel: Parallel) -> Iterator[tuple[str, Examples]]:
    """One set per unordered pair of different languages, searched in both directions."""
    asked, vectors = parallel.asked, parallel.vectors
    documents = parallel.documents[asked]
    own = parallel.hidden(story_absent=False)
    for i, one in enumerate(LANGUAGES):
        for other in LANGUAGES[i + 1 :]:
            right = np.sum(vectors[one][asked] * vectors[other][asked], axis=1)
            wrong = [hardest(vectors[a][asked], vectors[b], own) for a, b in ((one, other), (other, one))]
            cosines = np.concatenate([right, right, *(w.ravel() for w in wrong)])
            labels = np.concatenate([np.ones(2 * len(asked), int), np.zeros(2 * len(asked) * NEAREST, int)])
            groups = np.concatenate([documents, documents, *([np.repeat(documents, NEAREST)] * 2)])
            yield language_pair(one, other), Examples(cosines, labels, groups)


def same_language(data: Path, parallel: Parallel, cache: VectorCache) -> Iterator[tuple[str, Examples]]:
    """One set per language from the written variants against all parallel sentences of that language."""
    rows, vectors = parallel.rows, parallel.vectors
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


@dataclass(frozen=True, slots=True)
class Searches:
    """What searches found, by ordered pair of different languages and sentence: probabilities of the first
    hit with the own record there, without it, and without its whole document; and whether the first hit was
    the own record. All of shape (pairs, sentences).
    """

    found: Floats
    right: NDArray[np.bool_]
    own_absent: Floats
    story_absent: Floats

    @classmethod
    def run(cls, parallel: Parallel, calibration: MatchCalibration) -> Searches:
        """Search every language in every other one."""
        own, story = parallel.hidden(story_absent=False), parallel.hidden(story_absent=True)
        columns: list[tuple[Any, ...]] = []
        for one, other in permutations(LANGUAGES, 2):
            scores = parallel.cosines(one, other)
            best = (scores, np.where(own, -1, scores), np.where(story, -1, scores))
            columns.append(
                (
                    scores.argmax(axis=1) == parallel.asked,
                    *(calibration.probability(b.max(axis=1), one, other) for b in best),
                )
            )
        right, found, own_absent, story_absent = (np.stack(column) for column in zip(*columns, strict=True))
        return cls(found, right, own_absent, story_absent)

    @classmethod
    def together(cls, parts: Sequence[Searches]) -> Searches:
        """The searches of several sets of sentences as one."""
        return cls(*(np.concatenate([getattr(p, f) for p in parts], axis=1) for f in cls.__slots__))

    def links(self, threshold: Thresholds) -> tuple[float, float]:
        """Precision and recall of linking the first hit when the own record is present."""
        linked = self.found >= threshold
        return float((linked & self.right).sum() / max(1, linked.sum())), float(np.mean(linked & self.right))

    def false_links(self, threshold: Thresholds, *, story_absent: bool) -> Floats:
        """Share of sentences linked although their own record (their document) is absent, per pair."""
        absent = self.story_absent if story_absent else self.own_absent
        return np.asarray((absent >= threshold).mean(axis=1), np.float32)


Material = tuple[dict[str, Examples], Parallel]


def read_examples(data: Path, cache: VectorCache) -> Material:
    """All examples by pair of languages, and the parallel sentences."""
    rows = read_rows(data / "claims" / "parallel" / "ntrex.jsonl.gz")
    vectors = {language: cache.encode([row[language] for row in rows]) for language in LANGUAGES}
    kept = calibration_documents(data)
    parallel = Parallel(rows, vectors, np.array([i for i, row in enumerate(rows) if row["doc"] in kept]))
    return dict([*translations(parallel), *same_language(data, parallel, cache)]), parallel


def hold_out(
    data: Path, cache: VectorCache, material: Material | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Thresholds from searches that the curves have not seen, and figures from searches that neither has.

    The documents are divided in four: curves for a quarter are fitted on the other three. A threshold that is
    measured on a quarter is chosen on the others; the one to use is chosen on all.
    """
    sets, parallel = material or read_examples(data, cache)
    documents = parallel.asked_documents()
    quarters = [set(documents[i::_QUARTERS]) for i in range(_QUARTERS)]
    searches, errors = [], []
    for quarter in quarters:
        fitted_on = set(documents) - quarter
        settings: dict[str, Any] = {"model_version": "", "curves": curves(sets, fitted_on)}
        trial = MatchCalibration({**settings, "suggest_threshold": 0.5, "link_threshold": 0.5})
        searches.append(Searches.run(parallel.only(quarter), trial))
        errors.append(calibration_errors(sets, fitted_on, trial))
    everything = Searches.together(searches)
    settings = {
        "model_version": "match-3",
        "curves": curves(sets, None),
        "suggest_threshold": suggest_threshold(everything),
        "link_threshold": link_threshold(everything),
        "link_thresholds": own_link_thresholds(everything),
    }
    figures: dict[str, Any] = {
        "documents": len(documents),
        "sentences": len(parallel.asked),
        "records": len(parallel.rows),
        "calibration_error": {pair: float(np.mean([e[pair] for e in errors])) for pair in sets},
    }
    for name, choose in (("suggest", suggest_threshold), ("link", every_link_threshold)):
        chosen = [choose(Searches.together([s for s in searches if s is not tested])) for tested in searches]
        figures[name] = measured(searches, chosen)
    return settings, figures


def measured(searches: Sequence[Searches], thresholds: Sequence[Thresholds]) -> dict[str, float]:
    """Figures over all sentences, each quarter at its own threshold."""
    shifted = Searches.together(
        [
            Searches(s.found - t, s.right, s.own_absent - t, s.story_absent - t)
            for s, t in zip(searches, thresholds, strict=True)
        ]
    )
    precision, recall = shifted.links(0.0)
    same = shifted.false_links(0.0, story_absent=False)
    absent = shifted.false_links(0.0, story_absent=True)
    return {
        "precision": precision,
        "recall": recall,
        "false_same_story": float(same.mean()),
        "false_same_story_worst": float(same.max()),
        "false_other_story": float(absent.mean()),
        "false_other_story_worst": float(absent.max()),
    }


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
    material = read_examples(arguments.data, cache)
    settings, figures = hold_out(arguments.data, cache, material)
    settings["encoder"] = encoder.model_id
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
    return int(group[5:]) % _QUARTERS != 0 if group.startswith("tr19-") else group in documents


def link_threshold(searches: Searches) -> float:
    """The lowest probability that keeps false links and precision within the bounds above, on average over
    the pairs.
    """
    for threshold in np.arange(0.5, 0.995, 0.01):
        if (
            searches.false_links(threshold, story_absent=False).mean() <= FALSE_LINKS_SAME_STORY
            and searches.false_links(threshold, story_absent=True).mean() <= FALSE_LINKS_OTHER_STORY
            and searches.links(threshold)[0] >= LINK_PRECISION
        ):
            return round(float(threshold), 2)
    raise ValueError("no threshold keeps false links within bounds: statements look alike")


def own_link_thresholds(searches: Searches) -> dict[str, float]:
    """Thresholds of the pairs, by unordered pair, that link falsely too often at the common one."""
    common = link_threshold(searches)
    own: dict[str, float] = {}
    pairs = np.array([language_pair(*pair) for pair in permutations(LANGUAGES, 2)])
    for pair in sorted(set(pairs.tolist())):
        found = np.sort(searches.story_absent[pairs == pair].ravel())[::-1]
        bound = float(found[int(FALSE_LINKS_OTHER_STORY_PER_PAIR * len(found))])
        if bound >= common:
            own[pair] = min(0.999, round(bound + 0.0006, 3))
    return own


def every_link_threshold(searches: Searches) -> Floats:
    """The threshold of each ordered pair as a column."""
    common, own = link_threshold(searches), own_link_thresholds(searches)
    pairs = permutations(LANGUAGES, 2)
    return np.array([[own.get(language_pair(*pair), common)] for pair in pairs], np.float32)


def suggest_threshold(searches: Searches) -> float:
    """The lowest probability at which a sentence without its record is shown a neighbour not too often."""
    for threshold in np.arange(0.05, 0.95, 0.01):
        if searches.false_links(threshold, story_absent=False).mean() <= FALSE_SUGGESTIONS_SAME_STORY:
            return round(float(threshold), 2)
    raise ValueError("no threshold keeps false suggestions within bounds")


def calibration_errors(
    sets: dict[str, Examples], fitted_on: set[str], calibration: MatchCalibration
) -> dict[str, float]:
    """Expected calibration error per pair of languages, on examples outside ``fitted_on``."""
    errors: dict[str, float] = {}
    for pair, examples in sets.items():
        test = part(examples, fitted_on, inside=False)
        probability = calibration.probability(test.cosines, *pair.split("-"))
        bins = np.minimum((probability * 10).astype(int), 9)
        errors[pair] = float(
            sum(
                np.mean(bins == b) * abs(test.labels[bins == b].mean() - probability[bins == b].mean())
                for b in range(10)
                if (bins == b).any()
            )
        )
    return errors


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

Measured on {figures["sentences"]} sentences of {figures["documents"]} documents that the encoder was not
trained on, searching {figures["records"]} records, in four quarters that neither curves nor thresholds have
seen; all ordered pairs of different languages (in brackets: the worst pair):

| threshold | probability | precision | recall | linked, own record absent | linked, whole story absent |
|---|---|---|---|---|---|
{lines}

{len(settings["link_thresholds"])} pairs of languages have a higher link threshold of their own, because at
the common one they link falsely too often.

Calibration error {np.mean(list(errors.values())):.3f} on average, {errors[worst]:.3f} at worst ({worst}).

Limits: a large index holds nearer neighbours than {figures["records"]} records do, and short claims match
too easily: show, do not link, a claim of fewer than eight words.
"""


if __name__ == "__main__":
    main()
