"""Fit the match calibration: cosine to P(claim and record are about the same factual statement).

    python -m classifiers.training.match --data DIR

Examples: :mod:`classifiers.training.match_examples`, thresholds:
:mod:`classifiers.training.match_thresholds`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from classifiers.models import load_encoder
from classifiers.stance.match import WEIGHTS, MatchCalibration
from classifiers.training.match_examples import QUARTERS, Examples, Floats, Material, part, read_examples
from classifiers.training.match_thresholds import (
    CONFIDENCE,
    FALSE_LINKS_OTHER_STORY_PER_PAIR,
    Searches,
    every_link_threshold,
    link_threshold,
    measured,
    own_link_thresholds,
    suggest_threshold,
)
from classifiers.training.vectors import VectorCache


def fit_curve(cosines: Floats, labels: NDArray[np.int64]) -> tuple[float, float]:
    """Slope and shift of the logistic curve; cosines are spread first so that the penalty is mild."""
    mean, spread = float(cosines.mean()), float(cosines.std())
    head = LogisticRegression(C=10).fit(((cosines - mean) / spread)[:, None], labels)
    slope = float(head.coef_[0, 0]) / spread
    return slope, float(head.intercept_[0]) - slope * mean


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


def hold_out(
    data: Path, cache: VectorCache, material: Material | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Thresholds from searches that the curves have not seen, and figures from searches that neither has.

    The documents are divided in four: curves for a quarter are fitted on the other three. A threshold that is
    measured on a quarter is chosen on the others; the one to use is chosen on all.
    """
    sets, parallel = material or read_examples(data, cache)
    documents = parallel.asked_documents()
    quarters = [set(documents[i::QUARTERS]) for i in range(QUARTERS)]
    searches, errors = [], []
    for quarter in quarters:
        fitted_on = set(documents) - quarter
        settings: dict[str, Any] = {"model_version": "", "curves": curves(sets, fitted_on)}
        trial = MatchCalibration({**settings, "suggest_threshold": 0.5, "link_threshold": 0.5})
        searches.append(Searches.run(parallel.only(quarter), trial))
        errors.append(calibration_errors(sets, fitted_on, trial))
    everything = Searches.together(searches)
    settings = {
        "model_version": "match-5",
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

{len(settings["link_thresholds"])} pairs of languages have a higher link threshold of their own: the share of
sentences linked although the story is absent must be below {FALSE_LINKS_OTHER_STORY_PER_PAIR:.0%} with
{CONFIDENCE:.0%} confidence in every pair.

Calibration error {np.mean(list(errors.values())):.3f} on average, {errors[worst]:.3f} at worst ({worst}).

Limits: a large index holds nearer neighbours than {figures["records"]} records do, and short claims match
too easily: show, do not link, a claim of fewer than eight words.
"""


if __name__ == "__main__":
    main()
