"""Product-limit and Aalen–Johansen curves of one arm, from its risk table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.results import Array, IntArray
from outcomes.survival.influence_paths import InfluencePath, path_of_hazard, path_of_incidence, path_of_survival
from outcomes.survival.risk_table import RiskTable, risk_table

__all__ = ["ArmCurve", "fit_arm"]


@dataclass(frozen=True)
class ArmCurve:
    """One arm's risk table and curves; T distinct exit times, K causes, N rows.

    Attributes
    ----------
    table : RiskTable
    survival : ndarray, shape (T,)
        Product limit over all causes.
    cif : ndarray, shape (K, T)
        Aalen–Johansen cumulative incidence by cause.
    entry, exit, weight, count : ndarray, shape (N,)
    event : ndarray of int, shape (N,)
    final : ndarray of bool, shape (N,)
        Whether the row is its person's last.
    """

    table: RiskTable
    survival: Array
    cif: Array
    entry: Array
    exit: Array
    weight: Array
    count: Array
    event: IntArray
    final: npt.NDArray[np.bool_]

    @property
    def times(self) -> Array:
        """Distinct exit times, shape (T,)."""
        return self.table.times

    @property
    def ends_open(self) -> bool:
        """Whether somebody was still free of events when observation ended, so that the curve is unknown beyond."""
        return bool(self.survival[-1] > 0)

    def passed(self, times: Array) -> IntArray:
        """Return the number of distinct times at or before each of `times`."""
        return np.searchsorted(self.table.times, times, side="right")

    def survival_path(self) -> InfluencePath:
        """Return how the event-free share moves with each row's weight."""
        return path_of_survival(self.table, self.event, self.survival)

    def incidence_path(self, cause: int) -> InfluencePath:
        """Return how the incidence of cause (1..K) moves with each row's weight."""
        return path_of_incidence(self.table, self.event, self.survival, cause)

    def hazard_path(self) -> InfluencePath:
        """Return how the cumulative hazard of any cause moves with each row's weight."""
        return path_of_hazard(self.table, self.event)


def fit_arm(
    entry: Array,
    exit: Array,
    event: IntArray,
    weight: Array,
    count: Array,
    n_causes: int,
    *,
    final: npt.NDArray[np.bool_] | None = None,
) -> ArmCurve:
    """Fit the curves of one arm; parameters as in `risk_table`."""
    ending = np.ones(len(exit), dtype=np.bool_) if final is None else final
    table = risk_table(entry, exit, event, weight, count, n_causes, final=ending)
    everyone = (table.n_events.sum(axis=0) >= table.n_at_risk) & (table.n_at_risk > 0)
    step = np.where(everyone, 0.0, 1.0 - table.per_at_risk(table.ended))
    survival = np.asarray(np.cumprod(step), dtype=np.float64)
    before = np.concatenate(([1.0], survival[:-1]))
    cif = np.cumsum(before * table.per_at_risk(table.events), axis=1)
    return ArmCurve(
        table=table, survival=survival, cif=cif, entry=entry, exit=exit, weight=weight, count=count, event=event,
        final=ending,
    )  # fmt: skip
