"""How alike the arms are before and after weighting. No p-values: balance is of the sample at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.results import Array, Note, Result

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.adjust.weighting import PropensityWeights

__all__ = ["Balance", "balance_of", "standardised_difference"]

_DENOMINATORS = {"att": "standard deviation of the arm", "atc": "standard deviation of the reference"}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Balance(Result):
    """Standardised mean differences, variance ratios and Kolmogorov–Smirnov distances, before and after."""

    frame: pd.DataFrame
    arms: tuple[str, ...]
    estimand: str
    denominator: str
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "love_plot"
    title: ClassVar[str] = "Balance"

    def to_frame(self) -> pd.DataFrame:
        """Return one row a column of the score and one of the score itself.

        Columns: term, arm, reference, mean_reference, mean_arm, mean_reference_weighted, mean_arm_weighted, smd_before, smd_after,
        variance_ratio_before, variance_ratio_after (missing for 0/1 columns), ks_before, ks_after, denominator.
        """
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return term, smd_before, smd_after, the largest before first."""
        frame = self.frame[["term", "smd_before", "smd_after"]]
        return frame.reindex(frame["smd_before"].abs().sort_values(ascending=False, kind="stable").index).reset_index(
            drop=True
        )

    def describe(self) -> str:
        """Return the largest differences before and after, in a sentence."""
        covariates = self.frame[self.frame["term"] != "propensity score"]
        before, after = covariates["smd_before"].abs(), covariates["smd_after"].abs()
        return (
            f"Largest standardised difference {before.max():.2f} before and {after.max():.2f} after weighting; "
            f"{int((before > 0.1).sum())} of {len(covariates)} covariates lay above 0.10 before, {int((after > 0.1).sum())} do after. "
            f"Denominator: {self.denominator}, in the unadjusted sample."
        )


def standardised_difference(x: Array, treated: Array, w: Array, scale: float) -> float:
    """Return the difference in weighted means, arm minus reference, over a fixed scale."""
    if scale == 0:
        return 0.0
    a, b = treated == 1, treated == 0
    return float((np.average(x[a], weights=w[a]) - np.average(x[b], weights=w[b])) / scale)


def _scale(x: Array, treated: Array, estimand: str) -> float:
    arm, reference = float(x[treated == 1].var(ddof=1)), float(x[treated == 0].var(ddof=1))
    if estimand == "att":
        return float(np.sqrt(arm))
    if estimand == "atc":
        return float(np.sqrt(reference))
    return float(np.sqrt((arm + reference) / 2))


def _variance(x: Array, w: Array) -> float:
    """Return the weighted variance with the small-sample factor for weights that are no counts."""
    mean = np.average(x, weights=w)
    share = w / w.sum()
    return float((share @ (x - mean) ** 2) / (1 - (share**2).sum()))


def _distance(x: Array, treated: Array, w: Array) -> float:
    """Return the largest gap between the arms' weighted distribution functions."""
    order = np.argsort(x, kind="stable")
    signed = np.where(treated == 1, w / w[treated == 1].sum(), -w / w[treated == 0].sum())[order]
    ends = np.flatnonzero(np.r_[np.diff(x[order]) > 0, True])
    return float(np.abs(np.cumsum(signed)[ends]).max())


def balance_of(weights: PropensityWeights) -> Balance:
    """Return the balance of the columns of a score, and of the score.

    Notes
    -----
    The denominator of a standardised difference is fixed at the unadjusted sample, so that weighting cannot move its own
    yardstick: the mean of the two variances for ATE, overlap and matching weights; the arm's for ATT; the reference's for
    ATC. References: Austin (2009), Statistics in Medicine 28:3083; Stuart (2010), Statistical Science 25:1.
    """
    import pandas as pd

    treated = (weights.arm == 1).astype(np.float64)
    ones, w = np.ones(len(treated)), np.asarray(weights.values)
    denominator = _DENOMINATORS.get(weights.estimand, "pooled standard deviation")
    rows = []
    columns = [*zip(weights.columns, weights.design.T, strict=True), ("propensity score", np.asarray(weights.score))]
    a, b = treated == 1, treated == 0
    for term, x in columns:
        binary = set(np.unique(x)) <= {0.0, 1.0}
        scale = _scale(x, treated, weights.estimand)
        row: dict[str, Any] = {"term": term, "arm": weights.arms[1], "reference": weights.arms[0]}
        row |= {"mean_reference": float(x[b].mean()), "mean_arm": float(x[a].mean())}
        row |= {
            "mean_reference_weighted": float(np.average(x[b], weights=w[b])),
            "mean_arm_weighted": float(np.average(x[a], weights=w[a])),
        }
        for when, v in (("before", ones), ("after", w)):
            row[f"smd_{when}"] = standardised_difference(x, treated, v, scale)
            below = _variance(x[b], v[b])
            row[f"variance_ratio_{when}"] = float("nan") if binary or below == 0 else _variance(x[a], v[a]) / below
            row[f"ks_{when}"] = _distance(x, treated, v)
        rows.append({**row, "denominator": denominator})
    names = ["term", "arm", "reference", "mean_reference", "mean_arm", "mean_reference_weighted", "mean_arm_weighted"]
    names += [f"{m}_{when}" for m in ("smd", "variance_ratio", "ks") for when in ("before", "after")]
    frame = pd.DataFrame(rows)[[*names, "denominator"]]
    return Balance(
        frame=frame, arms=weights.arms, estimand=weights.estimand, denominator=denominator, notes=weights.notes
    )
