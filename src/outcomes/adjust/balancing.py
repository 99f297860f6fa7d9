"""How alike the arms are before and after weighting. No p-values: balance is of the sample at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.adjust.covariates import Covariate, covariates_of
from outcomes.errors import one_of
from outcomes.results import Array, IntArray, Note, Result

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.adjust.scored_weights import ScoredWeights

__all__ = ["BANDS", "YARDSTICK", "Balance", "balance_of", "balance_row"]

BANDS = (0.05, 0.10)
SCORE = "propensity score"
YARDSTICK = {
    "att": "arm",
    "matched_att": "arm",
    "atc": "reference",
    "matched_atc": "reference",
}  # by estimand; the others are pooled
_WHOSE = {
    "pooled": "pooled standard deviation",
    "arm": "standard deviation of {arm}",
    "reference": "standard deviation of {reference}",
}
_COLUMNS = (
    "term", "level", "arm", "reference", "mean_reference", "mean_arm", "mean_reference_weighted", "mean_arm_weighted",
    "difference_before", "difference_after", "smd_before", "smd_after", "variance_ratio_before", "variance_ratio_after",
    "ks_before", "ks_after", "n_reference", "n_arm", "denominator",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Balance(Result):
    """Standardised mean differences, variance ratios and Kolmogorov–Smirnov distances, before and after weighting.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `to_frame` gives it.
    denominator : str
        What differences in means are divided by, in words.
    sizes : mapping
        Effective sample size after weighting, by arm.
    """

    frame: pd.DataFrame
    arms: tuple[str, ...]
    estimand: str
    denominator: str
    sizes: Mapping[str, float]
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "love_plot"
    title: ClassVar[str] = "Balance"

    def to_frame(self) -> pd.DataFrame:
        """Return one row a covariate, or a level of a factor, and one of the score itself.

        Columns: term, level ("" for numbers), arm, reference, mean_reference, mean_arm, mean_reference_weighted, mean_arm_weighted
        (shares for levels), difference_before, difference_after (of the means, as they are), smd_before, smd_after,
        variance_ratio_before, variance_ratio_after (missing for 0/1), ks_before, ks_after, n_reference, n_arm (people with the level; with
        a value), denominator.
        """
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return term, level, smd_before, smd_after, the largest before first."""
        frame = self.frame[["term", "level", "smd_before", "smd_after"]]
        order = frame["smd_before"].abs().sort_values(ascending=False, kind="stable").index
        return frame.reindex(order).reset_index(drop=True)

    def describe(self) -> str:
        """Return the largest differences before and after, in a sentence."""
        covariates = self.frame[self.frame["term"] != SCORE]
        before, after = covariates["smd_before"].abs(), covariates["smd_after"].abs()
        bands = "; ".join(
            f"above {band:.2f}: {int((before > band).sum())} before, {int((after > band).sum())} after"
            for band in BANDS[::-1]
        )
        sizes = ", ".join(f"{size:,.0f} in {arm}" for arm, size in self.sizes.items())
        return (
            f"Largest standardised difference {before.max():.2f} before and {after.max():.2f} after weighting. "
            f"Of {len(covariates)} covariates and levels, {bands}. Effective sample size: {sizes}. "
            f"Differences are divided by the {self.denominator} in the unadjusted sample."
        )


def balance_of(
    weights: ScoredWeights,
    terms: Sequence[str] | None = None,
    *,
    denominator: str | None = None,
    binary: str = "sample",
) -> Balance:
    """Return the balance of the covariates of a score (and of the score), or of the columns in `terms`.

    Parameters
    ----------
    weights : ScoredWeights
    terms : sequence of str, optional
    denominator : {"pooled", "arm", "reference"}, optional
        Whose standard deviation differences are divided by; default by the estimand.
    binary : {"sample", "population"}
        Variance of a 0/1 column: with n - 1, as for numbers; or p(1 - p), as MatchIt and cobalt take it.

    Notes
    -----
    The denominator of a standardised difference is fixed at the unadjusted sample, so that weighting cannot move its own
    yardstick: the mean of the two variances for ATE, overlap and matching weights; the arm's for ATT; the reference's for
    ATC. Where it is 0 and the means differ there is no standardised difference.
    Missing values of a number are left out and counted as a level.

    References
    ----------
    Austin (2009), Statistics in Medicine 28:3083; Stuart (2010), Statistical Science 25:1.
    """
    import pandas as pd

    found = covariates_of(weights, terms)
    if terms is None and weights.score is not None:
        score = np.asarray(weights.score)
        found.append(Covariate(SCORE, "", score, np.ones(len(score), dtype=bool), False))
    whose = YARDSTICK.get(weights.estimand, "pooled") if denominator is None else denominator
    one_of(whose, _WHOSE, what="balance: denominator")
    one_of(binary, ("sample", "population"), what="balance: binary")
    name = _WHOSE[whose].format(reference=weights.arms[0], arm=weights.arms[1])
    values = np.asarray(weights.values)
    rows = [{**balance_row(c, weights.arm, weights.arms, values, whose, binary), "denominator": name} for c in found]
    return Balance(
        frame=pd.DataFrame(rows)[list(_COLUMNS)],
        arms=weights.arms,
        estimand=weights.estimand,
        denominator=name,
        sizes=MappingProxyType(weights.effective_sample_size),
        notes=weights.notes,
        provenance=weights.provenance,
    )


def balance_row(
    covariate: Covariate, arm: IntArray, arms: tuple[str, ...], weights: Array, whose: str, binary: str = "sample"
) -> dict[str, Any]:
    """Return the balance of one covariate between two arms, before and after weighting."""
    sides = [covariate.known & (arm == 0), covariate.known & (arm == 1)]
    x = [covariate.values[side] for side in sides]
    before = [np.ones(len(values)) for values in x]
    after = [weights[side] for side in sides]
    row: dict[str, Any] = {
        "term": covariate.term,
        "level": covariate.level,
        "arm": arms[1],
        "reference": arms[0],
        "n_reference": int(x[0].sum() if covariate.binary else len(x[0])),
        "n_arm": int(x[1].sum() if covariate.binary else len(x[1])),
    }
    scale = _scale(x, whose, 0 if covariate.binary and binary == "population" else 1)
    for when, suffix, w in (("before", "", before), ("after", "_weighted", after)):
        means = [_mean(values, v) for values, v in zip(x, w, strict=True)]
        gap = means[1] - means[0]
        row |= {f"mean_reference{suffix}": means[0], f"mean_arm{suffix}": means[1], f"difference_{when}": gap}
        row[f"smd_{when}"] = gap / scale if scale > 0 else (0.0 if gap == 0 else float("nan"))
        row[f"variance_ratio_{when}"] = float("nan") if covariate.binary else _variance_ratio(x, w)
        row[f"ks_{when}"] = _distance(x, w)
    return row


def _mean(x: Array, w: Array) -> float:
    return float(w @ x / w.sum()) if w.sum() > 0 else float("nan")


def _scale(x: list[Array], whose: str, less: int) -> float:
    """Return the standard deviation a difference is divided by, from the unadjusted sample."""
    reference, arm = (float(values.var(ddof=less)) if len(values) > 1 else float("nan") for values in x)
    variance = {"arm": arm, "reference": reference, "pooled": (arm + reference) / 2}[whose]
    return float(np.sqrt(variance))


def _variance_ratio(x: list[Array], w: list[Array]) -> float:
    """Return the ratio of weighted variances, with the small-sample factor for weights that are no counts."""
    variances = []
    for values, v in zip(x, w, strict=True):
        total = v.sum()
        left = 1 - ((v / total) ** 2).sum() if total > 0 else 0.0
        variances.append(float((v @ (values - _mean(values, v)) ** 2) / total / left) if left > 0 else float("nan"))
    return variances[1] / variances[0] if variances[0] > 0 else float("nan")


def _distance(x: list[Array], w: list[Array]) -> float:
    """Return the largest gap between the arms' weighted distribution functions (Kolmogorov–Smirnov)."""
    if min(v.sum() for v in w) <= 0:
        return float("nan")
    signed = np.concatenate([-w[0] / w[0].sum(), w[1] / w[1].sum()])
    together = np.concatenate(x)
    order = np.argsort(together, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(together[order]) > 0, True])
    return float(np.abs(np.cumsum(signed[order])[ends]).max())
