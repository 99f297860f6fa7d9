"""Scores in one form: the chance of each arm, from two arms or several, by likelihood, by balance, or as given in columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from outcomes.adjust.arm_scores import fit_arm_scores
from outcomes.adjust.covariate_balancing import fit_balancing_score
from outcomes.adjust.propensity import c_statistic, fit_propensity
from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array, IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GivenScores", "Scores", "fit_scores", "given_scores"]

GivenScores = str | Sequence[str] | Mapping[str, str]
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Scores:
    """Chances of A arms; P people, K columns of the score's design (the intercept first).

    Attributes
    ----------
    linear, chances : ndarray, shape (P, A)
        Log odds of each arm up to a constant a person (minus infinity where it could not be theirs), and chance of each arm.
    possible : ndarray of bool, shape (P, A)
    telling : tuple of str
        Columns that tell exactly whose arm some could not be.
    coefficients, std_errors : ndarray, shape (number of columns + 1,), or (A - 1, number of columns + 1) with several arms
    design, influence : ndarray, shape (P, K) and (P, (A - 1) K), or None where the scores were given
    loglik, c_statistic : float
        The chance that a person of an arm has a higher score of it than one of another; of several arms the mean over all pairs
        (Hand & Till 2001, Machine Learning 45:171).
    """

    linear: Array
    chances: Array
    possible: npt.NDArray[np.bool_]
    telling: tuple[str, ...]
    coefficients: Array
    std_errors: Array
    design: Array | None
    influence: Array | None
    loglik: float
    c_statistic: float

    @property
    def certain(self) -> npt.NDArray[np.bool_]:
        """Whom the covariates keep from an arm exactly, shape (P,)."""
        return np.asarray(~self.possible.all(axis=1), dtype=bool)


def fit_scores(
    columns: Array,
    arm: IntArray,
    names: tuple[str, ...],
    arms: tuple[str, ...],
    *,
    estimand: str,
    method: str,
    sampling: Array | None,
) -> Scores:
    """Return the scores of all arms: a logistic regression of two, a multinomial one of several; of two with ``cbps`` the balancing one.

    Sampling weights enter relative to their mean: their scale decides nothing.
    """
    relative = None if sampling is None else sampling / sampling.mean()
    if len(arms) > 2:
        found = fit_arm_scores(columns, arm, names, arms, sampling=relative)
        return Scores(
            linear=found.linear,
            chances=found.chances,
            possible=found.possible,
            telling=found.telling,
            coefficients=found.coefficients,
            std_errors=found.std_errors,
            design=found.design,
            influence=found.influence,
            loglik=found.loglik,
            c_statistic=_discrimination(found.chances, arm),
        )
    treated = (arm == 1).astype(np.float64)
    fit = fit_propensity(columns, treated, names, sampling=relative)
    if method == "cbps":
        fit = fit_balancing_score(fit, columns, treated, names, estimand, sampling=relative)
    linear, chances, possible = _of_two(fit.linear)
    return Scores(
        linear=linear,
        chances=chances,
        possible=possible,
        telling=fit.certain_columns,
        coefficients=fit.coefficients,
        std_errors=fit.std_errors,
        design=fit.design,
        influence=fit.influence,
        loglik=fit.loglik,
        c_statistic=fit.c_statistic,
    )


def _of_two(linear: Array) -> tuple[Array, Array, npt.NDArray[np.bool_]]:
    """Return log odds, chances and what is possible, shape (P, 2) each, from the log odds of the arm that is not the reference."""
    both = np.column_stack([np.where(linear == np.inf, -np.inf, 0.0), np.where(linear == np.inf, 0.0, linear)])
    with np.errstate(over="ignore"):
        chances = np.column_stack([1 / (1 + np.exp(linear)), 1 / (1 + np.exp(-linear))])
    return both, chances, np.isfinite(both)


def given_scores(
    baseline: pd.DataFrame, given: GivenScores, arm: IntArray, arms: tuple[str, ...], columns: int
) -> Scores:
    """Return scores that were estimated elsewhere, read from columns of the baseline.

    Parameters
    ----------
    baseline : pandas.DataFrame
    given : str, sequence of str, or mapping of arm to str
        Two arms: the column with the chance of the arm that is not the reference. More: one column an arm, in the order of `arms` or by
        name.
    arm : ndarray of int, shape (P,)
    arms : tuple of str
    columns : int
        Number of columns of the formula, whose coefficients nobody knows.

    Raises
    ------
    EstimationError
        Other than one column for two arms or one an arm for several, no such column, values that are missing, no number or outside 0 to 1,
        chances of a person that do not sum to 1, people in an arm whose score of it is 0.
    """
    names = _columns_given(given, arms)
    for name in names:
        if name not in baseline.columns:
            raise EstimationError(
                f"weight: no column {name!r} (score). {did_you_mean(name, map(str, baseline.columns))}"
            )
    found = np.column_stack([_chance(baseline, name) for name in names])
    chances = np.column_stack([1 - found[:, 0], found[:, 0]]) if len(arms) == 2 else found
    off = int((np.abs(chances.sum(axis=1) - 1) > _ROUNDING).sum())
    if off:
        raise EstimationError(
            f"weight: the scores of {off:,} of {len(arm):,} people ({', '.join(names)}) do not sum to 1."
        )
    own = chances[np.arange(len(arm)), arm]
    never = int((own == 0).sum())
    if never:
        raise EstimationError(
            f"weight: {never:,} of {len(arm):,} people are in an arm whose score ({', '.join(names)}) is 0 for them. Scores are the chance "
            f"of being in an arm{f', here of {arms[1]}' if len(arms) == 2 else ''}; check which arm the column is about."
        )
    with np.errstate(divide="ignore"):
        linear = np.log(chances)
    shape = (columns + 1,) if len(arms) == 2 else (len(arms) - 1, columns + 1)
    return Scores(
        linear=linear,
        chances=chances,
        possible=chances > 0,
        telling=names,
        coefficients=np.full(shape, np.nan),
        std_errors=np.full(shape, np.nan),
        design=None,
        influence=None,
        loglik=float(np.log(own).sum()),
        c_statistic=_discrimination(chances, arm),
    )


def _columns_given(given: GivenScores, arms: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns in the order of the arms."""
    if isinstance(given, Mapping):
        given = {str(name): column for name, column in given.items()}
        asked = arms[1:] if len(arms) == 2 and len(given) == 1 else arms
        unknown = [name for name in given if name not in arms]
        if unknown or set(given) != set(asked):
            raise EstimationError(
                f"weight: score= must name one column for each of {', '.join(asked)}; it names {', '.join(map(str, given)) or 'none'}."
            )
        names = [given[name] for name in asked]
        return tuple(names[1:] if len(names) == 2 and len(arms) == 2 else names)
    names = [given] if isinstance(given, str) else list(given)
    if len(names) != (1 if len(arms) == 2 else len(arms)):
        needed = (
            f"one column, the chance of being in {arms[1]}"
            if len(arms) == 2
            else f"{len(arms)} columns, one an arm: {', '.join(arms)}"
        )
        raise EstimationError(f"weight: score= must name {needed}; it names {len(names)}.")
    return tuple(names)


def _chance(baseline: pd.DataFrame, name: str) -> Array:
    """Return a column of chances, checked."""
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(baseline[name]):
        raise EstimationError(f"weight: column {name!r} (score) must hold numbers from 0 to 1.")
    values = baseline[name].to_numpy(dtype=np.float64, na_value=np.nan)
    missing = int(np.isnan(values).sum())
    if missing:
        raise EstimationError(f"weight: column {name!r} (score) is missing for {missing:,} of {len(values):,} people.")
    outside = int(((values < 0) | (values > 1)).sum())
    if outside:
        raise EstimationError(
            f"weight: column {name!r} (score) is below 0 or above 1 for {outside:,} of {len(values):,} people. Scores are chances, "
            "not log odds."
        )
    return values


def _discrimination(chances: Array, arm: IntArray) -> float:
    """Return the c-statistic, of several arms the mean over pairs and both scores of a pair."""
    found = []
    for a, b in combinations(range(chances.shape[1]), 2):
        pair = (arm == a) | (arm == b)
        found.append(c_statistic(chances[pair, b], (arm[pair] == b).astype(np.float64)))
        if chances.shape[1] > 2:
            found.append(c_statistic(chances[pair, a], (arm[pair] == a).astype(np.float64)))
    return float(np.mean(found))
