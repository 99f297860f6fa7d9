"""From columns to weights that know how they depend on the score: what `weight` and refits within subgroups share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.adjust.entropy_balancing import balance_entropy
from outcomes.adjust.estimands import weights_from_log_odds
from outcomes.adjust.scores import Scores, fit_scores
from outcomes.adjust.trimming import Trim, check_trim, inside_bounds
from outcomes.errors import EstimationError
from outcomes.results import Array, IntArray
from outcomes.survival.design_matrix import in_few_words

__all__ = ["FittedWeights", "Trim", "fit_weights", "no_comparison_person"]


@dataclass(frozen=True)
class FittedWeights:
    """Weights of P people with M parameters: the score's coefficients and, where stabilised, the shares of the arms; or those of
    entropy balancing.

    Attributes
    ----------
    values : ndarray, shape (P,)
    influence, gradient : ndarray, shape (P, M), or None
        Influence of each person on the parameters; derivative of each weight by them. None where the scores were given.
    kept : ndarray of bool, shape (P,)
    fit : Scores
    """

    values: Array
    influence: Array | None
    gradient: Array | None
    kept: npt.NDArray[np.bool_]
    fit: Scores


def fit_weights(
    columns: Array,
    arm: IntArray | Array,
    names: tuple[str, ...],
    *,
    estimand: str,
    trim: Trim,
    stabilise: bool,
    method: str = "logistic",
    arms: tuple[str, ...] = ("reference", "arm"),
    target: int | None = None,
    sampling: Array | None = None,
    given: Scores | None = None,
) -> FittedWeights:
    """Fit the score on `columns` (P, K - 1) and return the weights for `estimand`, trimmed and stabilised as asked.

    With ``method="entropy"`` the weights are those of entropy balancing, and the score only shows where the arms overlap. `target` is
    the arm whose people are asked about (ATT, ATC); `given` are scores to take in place of fitted ones.
    """
    rule = check_trim(trim)
    arm = np.asarray(arm, dtype=np.int64)
    asked = (0 if estimand == "atc" else 1) if target is None else target
    fit = given or fit_scores(columns, arm, names, arms, estimand=estimand, method=method, sampling=sampling)
    _refuse_missing_comparison(fit, arm, arms, estimand, asked)
    base = np.ones(len(arm)) if sampling is None else sampling
    if method == "entropy":
        balanced = balance_entropy(columns, arm, names, estimand, target=asked, sampling=sampling)
        everyone = np.ones(len(arm), dtype=bool)
        return FittedWeights(balanced.values, balanced.influence, balanced.gradient, everyone, fit)
    values, slopes = weights_from_log_odds(fit.linear, arm, estimand, asked)
    values, slopes = base * values, base[:, None] * slopes
    gradient, influence = _by_coefficients(slopes, fit), fit.influence
    if stabilise:
        share = np.bincount(arm, weights=base, minlength=len(arms)) / base.sum()
        if gradient is not None and influence is not None:
            is_it = (arm[:, None] == np.arange(1, len(arms))).astype(np.float64)
            turn = np.where(arm[:, None] == 0, -1.0, is_it)
            moved = base[:, None] * (is_it - share[1:]) / base.sum()
            gradient = np.column_stack([gradient * share[arm][:, None], values[:, None] * turn])
            influence = np.column_stack([influence, moved])
        values = values * share[arm]
    _refuse_nobody(values, arm, arms, fit)
    kept = inside_bounds(fit.chances, arm, arms, rule, sampling=sampling)
    values = np.where(kept, values, 0.0)
    _refuse_one(values, arm, arms)
    gradient = None if gradient is None else np.where(kept[:, None], gradient, 0.0)
    return FittedWeights(values, influence, gradient, kept, fit)


def _by_coefficients(slopes: Array, fit: Scores) -> Array | None:
    """Return the derivatives of the weights by the coefficients, arm after arm, shape (P, (A - 1) K)."""
    if fit.design is None:
        return None
    return np.asarray((slopes[:, 1:, None] * fit.design[:, None, :]).reshape(len(slopes), -1))


def _refuse_missing_comparison(fit: Scores, arm: IntArray, arms: tuple[str, ...], estimand: str, target: int) -> None:
    """Raise where people the estimand speaks of have nobody like them in another arm.

    Overlap and matching weights go to 0 for them, ATT and ATC weights for those who are not their target.
    """
    if estimand in ("ato", "atm"):
        return
    asked = np.ones(len(arm), dtype=bool) if estimand == "ate" else arm == target
    people = int((fit.certain & asked).sum())
    if not people:
        return
    if fit.design is None:
        raise EstimationError(
            f"weight: the scores given ({', '.join(fit.telling)}) are 0 or 1 for {people:,} of {len(arm):,} people the estimand speaks of, "
            "so no comparison person exists for them. Ask about those who might have gone to either arm (estimand='ato'), or leave "
            "these people out."
        )
    who = "either" if len(arms) == 2 else "any"
    instead = f"ask about those who might have gone to {who} (estimand='ato'), "
    raise EstimationError(
        no_comparison_person("weight", people, len(arm), fit.telling, arms=len(arms), instead=instead)
    )


def no_comparison_person(
    what: str, people: int, everybody: int, telling: tuple[str, ...], *, arms: int = 2, instead: str = ""
) -> str:
    """Return what is said where covariates tell the arm of people asked about exactly."""
    told = "the arm of" if arms == 2 else "that an arm could not be theirs for"
    return (
        f"{what}: the covariates tell {told} {people:,} of {everybody:,} people exactly (separation), so no comparison person exists for "
        f"them. Look at {in_few_words(telling)}. Restrict to people eligible for {'both' if arms == 2 else 'all'} arms, {instead}or leave "
        "out or join what only one arm has."
    )


def _refuse_one(values: Array, arm: IntArray, arms: tuple[str, ...]) -> None:
    """Raise where one person is all that is left of an arm: nothing tells how others like them would have fared."""
    for index, name in enumerate(arms):
        mine = arm == index
        if (values[mine] > 0).sum() == 1:
            raise EstimationError(
                f"weight: only one of the {int(mine.sum()):,} people in arm {name!r} has any weight; nobody can be made alike to so few. "
                "Widen the bounds, look at what the others lack, or compare fewer arms."
            )


def _refuse_nobody(values: Array, arm: IntArray, arms: tuple[str, ...], fit: Scores) -> None:
    """Raise where an arm has no weight at all, since nobody of it could have been in every other arm."""
    for index, name in enumerate(arms):
        mine = arm == index
        if not (values[mine] > 0).any():
            raise EstimationError(
                f"weight: nobody of the {int(mine.sum()):,} people in {name} could have been in every other arm "
                f"(told exactly by {in_few_words(fit.telling)}), so nobody is left to compare. Leave out or join what only one arm has, "
                "or compare fewer arms."
            )
