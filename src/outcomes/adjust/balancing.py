"""How alike the arms are before and after weighting. No p-values: balance is of the sample at hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.adjust.covariates import Covariate, covariates_of, products_of
from outcomes.errors import NotSupportedError, one_of
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
        Effective sample size afterwards, by arm.
    done : str
        What was done to make the arms alike: weighting or matching.
    """

    frame: pd.DataFrame
    arms: tuple[str, ...]
    estimand: str
    denominator: str
    sizes: Mapping[str, float]
    done: str = "weighting"
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "love_plot"
    title: ClassVar[str] = "Balance"

    def to_frame(self) -> pd.DataFrame:
        """Return one row a covariate, or a level of a factor, and one of the score itself; with several arms one for every two of them.

        Columns: term, level ("" for numbers), arm, reference, mean_reference, mean_arm, mean_reference_weighted, mean_arm_weighted
        (shares for levels), difference_before, difference_after (of the means, as they are), smd_before, smd_after,
        variance_ratio_before, variance_ratio_after (missing for 0/1), ks_before, ks_after, n_reference, n_arm (people with the level; with
        a value), denominator.
        """
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return term, level, smd_before, smd_after, the largest before first; with several arms the largest of all pairs, without sign."""
        frame = self._largest()
        order = frame["smd_before"].abs().sort_values(ascending=False, kind="stable").index
        return frame.reindex(order).reset_index(drop=True)

    def _largest(self) -> pd.DataFrame:
        """Return one row a covariate or level: the difference, of several arms the largest between any two."""
        columns = ["smd_before", "smd_after"]
        if len(self.arms) == 2:
            return self.frame[["term", "level", *columns]]
        sizes = self.frame.assign(**{name: self.frame[name].abs() for name in columns})
        return sizes.groupby(["term", "level"], sort=False)[columns].max().reset_index()

    def describe(self) -> str:
        """Return the largest differences before and after, in a sentence."""
        frame = self._largest()
        covariates = frame[frame["term"] != SCORE]
        before, after = covariates["smd_before"].abs(), covariates["smd_after"].abs()
        bands = "; ".join(
            f"above {band:.2f}: {int((before > band).sum())} before, {int((after > band).sum())} after"
            for band in BANDS[::-1]
        )
        sizes = ", ".join(f"{size:,.0f} in {arm}" for arm, size in self.sizes.items())
        between = "" if len(self.arms) == 2 else " between any two arms"
        return (
            f"Largest standardised difference{between} {before.max():.2f} before and {after.max():.2f} after {self.done}. "
            f"Of {len(covariates)} covariates and levels, {bands}. Effective sample size: {sizes}. "
            f"Differences are divided by the {self.denominator} in the unadjusted sample."
        )


def balance_of(
    weights: ScoredWeights,
    terms: Sequence[str] | None = None,
    *,
    denominator: str | None = None,
    binary: str = "sample",
    squares: bool = False,
    interactions: bool = False,
    also: Sequence[Covariate] = (),
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
    squares, interactions : bool
        Squares of numbers, and products of every two covariates, after the covariates.
    also : sequence of Covariate
        More to judge.

    Raises
    ------
    EstimationError
        No such column; an unknown denominator.
    NotSupportedError
        The standard deviation of the arm (``denominator="arm"``) where there are several and the estimand is about none of them.

    Notes
    -----
    The denominator of a standardised difference is fixed at the unadjusted sample, so that weighting cannot move its own
    yardstick: the mean of the variances of all arms for ATE, overlap and matching weights; the arm's for ATT; the reference's for
    ATC. Where it is 0 and the means differ there is no standardised difference. Sampling weights count before and after.
    Missing values of a number are left out and counted as a level.

    References
    ----------
    Austin (2009), Statistics in Medicine 28:3083; Stuart (2010), Statistical Science 25:1; several arms: Lopez & Gutman (2017),
    Statistical Science 32:432 (the largest difference between any two).
    """
    import pandas as pd

    found = covariates_of(weights, terms)
    found += products_of(found, squares=squares, interactions=interactions)
    found += also
    if terms is None:
        found += _scores(weights)
    whose = YARDSTICK.get(weights.estimand, "pooled") if denominator is None else denominator
    one_of(whose, _WHOSE, what="balance: denominator")
    one_of(binary, ("sample", "population"), what="balance: binary")
    focal = 1 if weights.focal is None else weights.arms.index(weights.focal)
    if whose == "arm" and len(weights.arms) > 2 and weights.focal is None:
        raise NotSupportedError(
            "balance: denominator='arm' needs an estimand about one arm (att); take 'pooled' or 'reference' for several arms."
        )
    name = _WHOSE[whose].format(reference=weights.arms[0], arm=weights.arms[focal])
    values = np.asarray(weights.values)
    before = np.ones(len(values)) if weights.sampling is None else np.asarray(weights.sampling)
    rows = [
        {
            **balance_row(c, weights.arm, weights.arms, values, whose, binary, pair=pair, focal=focal, before=before),
            "denominator": name,
        }
        for c in found
        for pair in combinations(range(len(weights.arms)), 2)
    ]
    return Balance(
        frame=pd.DataFrame(rows)[list(_COLUMNS)],
        arms=weights.arms,
        estimand=weights.estimand,
        denominator=name,
        sizes=MappingProxyType(weights.effective_sample_size),
        done=weights.done,
        notes=weights.notes,
        provenance=weights.provenance,
    )


def _scores(weights: ScoredWeights) -> list[Covariate]:
    """Return the score as a covariate; of several arms one for each of them."""
    if weights.score is None:
        return []
    score = np.asarray(weights.score)
    known = np.ones(len(score), dtype=bool)
    if score.ndim == 1:
        return [Covariate(SCORE, "", score, known, False)]
    return [Covariate(SCORE, arm, score[:, a], known, False) for a, arm in enumerate(weights.arms)]


def balance_row(
    covariate: Covariate,
    arm: IntArray,
    arms: tuple[str, ...],
    weights: Array,
    whose: str,
    binary: str = "sample",
    *,
    pair: tuple[int, int] = (0, 1),
    focal: int = 1,
    before: Array | None = None,
) -> dict[str, Any]:
    """Return the balance of one covariate between two arms, before and after weighting.

    `pair` is the reference and the arm of the row, `focal` the arm whose standard deviation is meant by ``whose="arm"``, `before` what
    people weigh before weighting (1 where None).
    """
    start = np.ones(len(arm)) if before is None else before
    sides = [covariate.known & (arm == side) for side in pair]
    x = [covariate.values[side] for side in sides]
    row: dict[str, Any] = {
        "term": covariate.term,
        "level": covariate.level,
        "arm": arms[pair[1]],
        "reference": arms[pair[0]],
        "n_reference": int(x[0].sum() if covariate.binary else len(x[0])),
        "n_arm": int(x[1].sum() if covariate.binary else len(x[1])),
    }
    yardstick = {"arm": [focal], "reference": [0], "pooled": range(len(arms))}[whose]
    scale = _scale(covariate, arm, start, yardstick, population=covariate.binary and binary == "population")
    for when, suffix, v in (("before", "", start), ("after", "_weighted", weights)):
        w = [v[side] for side in sides]
        means = [_mean(values, of) for values, of in zip(x, w, strict=True)]
        gap = means[1] - means[0]
        row |= {f"mean_reference{suffix}": means[0], f"mean_arm{suffix}": means[1], f"difference_{when}": gap}
        row[f"smd_{when}"] = gap / scale if scale > 0 else (0.0 if gap == 0 else float("nan"))
        row[f"variance_ratio_{when}"] = float("nan") if covariate.binary else _variance_ratio(x, w)
        row[f"ks_{when}"] = _distance(x, w)
    return row


def _mean(x: Array, w: Array) -> float:
    return float(w @ x / w.sum()) if w.sum() > 0 else float("nan")


def _scale(covariate: Covariate, arm: IntArray, start: Array, sides: Iterable[int], *, population: bool) -> float:
    """Return the standard deviation a difference is divided by, from the sample before weighting: the mean variance of `sides`."""
    variances = []
    for side in sides:
        mine = covariate.known & (arm == side)
        variances.append(_variance(covariate.values[mine], start[mine], population=population))
    return float(np.sqrt(np.mean(variances)))


def _variance(values: Array, w: Array, *, population: bool) -> float:
    """Return the weighted variance, with the small-sample factor for weights that are no counts; (n - 1) where all weights are equal."""
    if len(values) and np.ptp(values) == 0:
        return 0.0 if population or len(values) > 1 else float("nan")
    total = w.sum()
    left = 1.0 if population else 1 - ((w / total) ** 2).sum() if total > 0 else 0.0
    return float((w @ (values - _mean(values, w)) ** 2) / total / left) if total > 0 and left > 1e-12 else float("nan")


def _variance_ratio(x: list[Array], w: list[Array]) -> float:
    reference, arm = (_variance(values, v, population=False) for values, v in zip(x, w, strict=True))
    return arm / reference if reference > 0 else float("nan")


def _distance(x: list[Array], w: list[Array]) -> float:
    """Return the largest gap between the arms' weighted distribution functions (Kolmogorov–Smirnov)."""
    if min(v.sum() for v in w) <= 0:
        return float("nan")
    signed = np.concatenate([-w[0] / w[0].sum(), w[1] / w[1].sum()])
    together = np.concatenate(x)
    order = np.argsort(together, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(together[order]) > 0, True])
    return float(np.abs(np.cumsum(signed[order])[ends]).max())
