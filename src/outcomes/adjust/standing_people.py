"""Where people stand for matching: on the line of the score, in the space of their covariates, or nowhere but in columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.adjust.before_time_zero import must_come_before
from outcomes.adjust.match_request import MatchRequest
from outcomes.adjust.missing_indicators import completed_design
from outcomes.adjust.people_in_classes import must_have
from outcomes.adjust.propensity import fit_propensity
from outcomes.design.data import SurvivalData
from outcomes.results import Array, IntArray, Note
from outcomes.survival.formula_text import names_in

__all__ = ["StandingPeople"]


@dataclass(frozen=True)
class StandingPeople:
    """Where people stand; P people.

    `points` (P, d) are where they stand, finite for those who are `usable`; `linear` the log odds of the score, None without one.
    """

    columns: tuple[str, ...]
    terms: tuple[str, ...]
    design: Array
    linear: Array | None
    points: Array
    usable: npt.NDArray[np.bool_]
    notes: tuple[Note, ...] = ()

    @classmethod
    def by_column(cls, data: SurvivalData, formula: str) -> StandingPeople:
        """Return people who are alike in columns or not: no score is fitted, and missing is a value."""
        names = names_in(formula)
        must_have(data.baseline, names, "formula")
        everyone = np.ones(len(data.baseline), dtype=bool)
        return cls((), names, np.empty((len(everyone), 0)), None, np.empty((len(everyone), 0)), everyone)

    @classmethod
    def scored(cls, data: SurvivalData, formula: str, request: MatchRequest, missing: str) -> StandingPeople:
        """Return people with a score, and where they stand by the distance asked for."""
        matrix = completed_design(formula, data.baseline, missing, "match")
        must_come_before(data, formula, "match", "people are matched on what came before it")
        treated = (data.arm == 1).astype(np.float64)
        fit = fit_propensity(matrix.values, treated, matrix.columns, what="match")
        if request.on_a_line:
            line = {"logit": fit.linear, "score": fit.score, "odds": np.exp(fit.linear)}[request.distance]
            points, usable = line[:, None], ~fit.certain & np.isfinite(line)
        else:
            points, usable = _spread_alike(matrix.values, data.arm), np.ones(len(treated), dtype=bool)
        return cls(matrix.columns, matrix.terms, matrix.values, fit.linear, points, usable, matrix.notes)

    def width(self, request: MatchRequest) -> float:
        """Return the caliper in the unit of the distance."""
        if not np.isfinite(request.limit_in_sd):
            return float("inf")
        unit = float(self.points[self.usable, 0].std(ddof=1)) if request.on_a_line else 1.0
        return request.limit_in_sd * unit


def _spread_alike(columns: Array, arm: IntArray) -> Array:
    """Return columns turned so that straight distance is Mahalanobis distance by the covariance within arms."""
    within = columns - np.array([columns[arm == a].mean(axis=0) for a in (0, 1)])[arm]
    spread = np.sqrt(np.square(within).sum(axis=0) / (len(columns) - 2))
    unit = np.where(spread > 0, spread, 1.0)  # what is left out as collinear must not depend on units
    size, axes = np.linalg.eigh(within.T @ within / (len(columns) - 2) / np.outer(unit, unit))
    there = size > 1e-10 * size.max(initial=0)
    turned: Array = ((columns - columns.mean(axis=0)) / unit) @ (axes[:, there] / np.sqrt(size[there]))
    return turned
