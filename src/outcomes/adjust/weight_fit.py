"""From columns to weights that know how they depend on the score: what `weight` and refits within subgroups share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from outcomes.adjust.entropy_balancing import balance_entropy
from outcomes.adjust.estimands import weights_from_odds
from outcomes.adjust.propensity import Propensity, fit_propensity
from outcomes.errors import EstimationError
from outcomes.results import Array
from outcomes.survival.design_matrix import in_few_words

__all__ = ["FittedWeights", "Trim", "fit_weights", "refuse_missing_comparison"]

Trim = tuple[float, float] | Literal["common"] | None


@dataclass(frozen=True)
class FittedWeights:
    """Weights of P people with M parameters: the score's coefficients and, where stabilised, the share of the arm; or those of
    entropy balancing.

    Attributes
    ----------
    values : ndarray, shape (P,)
    influence, gradient : ndarray, shape (P, M)
        Influence of each person on the parameters; derivative of each weight by them.
    kept : ndarray of bool, shape (P,)
    fit : Propensity
    """

    values: Array
    influence: Array
    gradient: Array
    kept: npt.NDArray[np.bool_]
    fit: Propensity


def fit_weights(
    columns: Array,
    treated: Array,
    names: tuple[str, ...],
    *,
    estimand: str,
    trim: Trim,
    stabilise: bool,
    method: str = "logistic",
) -> FittedWeights:
    """Fit the score on `columns` (P, K - 1) and return the weights for `estimand`, trimmed and stabilised as asked.

    With ``method="entropy"`` the weights are those of entropy balancing, and the score only shows where the arms overlap.
    """
    _check_trim(trim)
    fit = fit_propensity(columns, treated, names)
    refuse_missing_comparison(
        fit, treated, estimand, what="weight", instead="ask about those who might have gone to either (estimand='ato'), "
    )  # fmt: skip
    if method == "entropy":
        balanced = balance_entropy(columns, treated.astype(np.int64), names, estimand)
        everyone = np.ones(len(treated), dtype=bool)
        return FittedWeights(balanced.values, balanced.influence, balanced.gradient, everyone, fit)
    values, slope = weights_from_odds(fit.linear, treated, estimand)
    gradient, influence = slope[:, None] * fit.design, fit.influence
    if stabilise:
        share = float(treated.mean())
        factor, turn = np.where(treated == 1, share, 1 - share), np.where(treated == 1, 1.0, -1.0)
        gradient = np.column_stack([gradient * factor[:, None], values * turn])
        influence = np.column_stack([influence, (treated - share) / len(treated)])
        values = values * factor
    kept = _inside(fit.score, treated, trim)
    for side, what in ((0.0, "the reference arm"), (1.0, "the other arm")):
        if trim is not None and not kept[treated == side].any():
            raise EstimationError(
                f"weight: trimming leaves nobody of {int((treated == side).sum()):,} people in {what}. Widen the bounds."
            )
    values, gradient = np.where(kept, values, 0.0), np.where(kept[:, None], gradient, 0.0)
    return FittedWeights(values, influence, gradient, kept, fit)


_WITHOUT_COMPARISON = {"ate": (0.0, 1.0), "att": (1.0,), "atc": (0.0,), "ato": (), "atm": ()}


def refuse_missing_comparison(fit: Propensity, treated: Array, estimand: str, *, what: str, instead: str = "") -> None:
    """Raise where people the estimand speaks of have nobody like them in the other arm.

    Overlap and matching weights go to 0 for them, ATT and ATC weights for those who are not their target. `what` names who asks,
    `instead` what else they could ask.
    """
    sides = _WITHOUT_COMPARISON[estimand]
    people = int((fit.certain & np.isin(treated, sides)).sum())
    if people:
        raise EstimationError(
            f"{what}: the covariates tell the arm of {people:,} of {len(treated):,} people exactly (separation), so no comparison person "
            f"exists for them. Look at {in_few_words(fit.certain_columns)}. Restrict to people eligible for both arms, {instead}or leave "
            "out or join what only one arm has."
        )


def _check_trim(trim: Trim) -> None:
    if trim is None or trim == "common":
        return
    good = not isinstance(trim, str) and len(trim) == 2 and all(math.isfinite(bound) for bound in trim)
    if not good or not 0 <= trim[0] < trim[1] <= 1:
        raise EstimationError(
            f"weight: trim must be two scores (low, high) with 0 <= low < high <= 1, such as (0.1, 0.9), or 'common'; got {trim!r}."
        )


def _inside(score: Array, treated: Array, trim: Trim) -> npt.NDArray[np.bool_]:
    """Return who lies inside the bounds (the bounds included), shape (P,)."""
    if trim is None:
        return np.ones(len(score), dtype=bool)
    if isinstance(trim, str):
        a, b = score[treated == 1], score[treated == 0]
        low, high = max(a.min(), b.min()), min(a.max(), b.max())
    else:
        low, high = trim
    return np.asarray((score >= low) & (score <= high), dtype=bool)
