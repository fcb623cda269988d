"""Boosted decision trees as plain arrays: trained with scikit-learn, run with numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int32]
# Rows walked at once: bounds memory, not results.
_CHUNK = 2048


@dataclass(frozen=True, slots=True)
class BoostedTrees:
    """Trees of a multi-class gradient booster, all nodes in one row of arrays.

    ``roots[i, k]`` is the first node of round ``i`` for class ``k``; ``left``/``right`` are absolute node
    numbers, and a leaf has ``feature`` -1. A missing value (NaN) goes left where ``missing_left`` says so.
    """

    roots: Integers
    feature: Integers
    threshold: Floats
    left: Integers
    right: Integers
    missing_left: NDArray[np.bool_]
    value: Floats
    baseline: Floats

    def logits(self, rows: Floats) -> Floats:
        """Class scores before softmax, shape ``(n, classes)``, for feature rows ``(n, features)``."""
        classes = self.roots.shape[1]
        logits = np.tile(self.baseline, (len(rows), 1))
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            leaves = self._leaves(chunk)
            values = self.value[leaves].reshape(len(chunk), -1, classes)
            logits[start : start + _CHUNK] += values.sum(axis=1)
        return logits.astype(np.float32)

    def _leaves(self, rows: Floats) -> Integers:
        """The leaf every row reaches in every tree, all trees one level at a time: shape ``(n, trees)``."""
        nodes = np.tile(self.roots.ravel(), (len(rows), 1))
        at_row = np.arange(len(rows))[:, None]
        while (inner := self.feature[nodes] >= 0).any():
            seen = rows[at_row, self.feature[nodes]]
            go_left = np.where(np.isnan(seen), self.missing_left[nodes], seen <= self.threshold[nodes])
            nodes = np.where(inner, np.where(go_left, self.left[nodes], self.right[nodes]), nodes)
        return nodes

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The fields by name, to be stored in one ``.npz``."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> BoostedTrees:
        """The reverse of :meth:`arrays`. Raises KeyError when one is missing."""
        return cls(**{name: arrays[name] for name in cls.__slots__})

    @classmethod
    def mean_of(cls, several: Sequence[BoostedTrees]) -> BoostedTrees:
        """Trees whose logits are the mean of those of ``several``, which differ in chance alone."""
        ends = np.cumsum([0, *(len(trees.feature) for trees in several)])
        moved = list(zip(several, ends.tolist(), strict=False))
        return cls(
            roots=np.concatenate([trees.roots + start for trees, start in moved]).astype(np.int32),
            feature=np.concatenate([trees.feature for trees in several]),
            threshold=np.concatenate([trees.threshold for trees in several]),
            left=np.concatenate([trees.left + start for trees, start in moved]).astype(np.int32),
            right=np.concatenate([trees.right + start for trees, start in moved]).astype(np.int32),
            missing_left=np.concatenate([trees.missing_left for trees in several]),
            value=(np.concatenate([trees.value for trees in several]) / len(several)).astype(np.float32),
            baseline=np.mean([trees.baseline for trees in several], axis=0).astype(np.float32),
        )

    @classmethod
    def from_sklearn(cls, booster: Any) -> BoostedTrees:
        """Take the trees out of a fitted ``HistGradientBoostingClassifier`` with three classes or more."""
        feature, threshold, left, right, missing, value = [], [], [], [], [], []
        roots: list[list[int]] = []
        total = 0
        for round_ in booster._predictors:
            row = []
            for predictor in round_:
                nodes = predictor.nodes
                row.append(total)
                leaf = nodes["is_leaf"].astype(bool)
                feature.append(np.where(leaf, -1, nodes["feature_idx"]))
                threshold.append(np.where(leaf, 0, nodes["num_threshold"]))
                left.append(nodes["left"] + total)
                right.append(nodes["right"] + total)
                missing.append(nodes["missing_go_to_left"].astype(bool))
                value.append(nodes["value"])
                total += len(nodes)
            roots.append(row)
        return cls(
            roots=np.asarray(roots, np.int32),
            feature=np.concatenate(feature).astype(np.int32),
            threshold=np.concatenate(threshold).astype(np.float32),
            left=np.concatenate(left).astype(np.int32),
            right=np.concatenate(right).astype(np.int32),
            missing_left=np.concatenate(missing),
            value=np.concatenate(value).astype(np.float32),
            baseline=np.asarray(booster._baseline_prediction, np.float32).reshape(-1),
        )
