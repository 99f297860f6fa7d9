"""Cumulative incidence at covariates from a Fine–Gray model, with the doubt of the coefficients and of the baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.durations import in_words, moments_of
from outcomes.errors import EstimationError, one_of
from outcomes.results import Array, IntArray, Note, Result
from outcomes.survival.estimates import by_cluster, by_person, stack
from outcomes.survival.few_clusters import reach_of_model
from outcomes.survival.fine_gray_influence import hazard_influence
from outcomes.survival.intervals import CONF_TYPES, probability_limits
from outcomes.survival.new_covariates import new_columns, new_strata

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.survival.fine_gray_model import FineGray

__all__ = ["PredictedIncidence", "predicted_incidence"]

_STEPS = 200  # times of a whole curve
_CELLS = 4_000_000  # numbers held at once


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PredictedIncidence(Result):
    """Cumulative incidence of one cause at M profiles of covariates.

    Attributes
    ----------
    model : FineGray
    profiles : tuple of str
        Names of the profiles.
    away : ndarray, shape (M, p)
        Covariates less the means of the data.
    stratum : ndarray of int, shape (M,)
        Baseline stratum of each profile.
    """

    model: FineGray
    profiles: tuple[str, ...]
    away: Array
    stratum: IntArray
    conf_type: str
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "predicted_curves"
    title: ClassVar[str] = "Predicted cumulative incidence"

    @property
    def last_time(self) -> float:
        """Last time anybody was observed; nothing is said beyond it."""
        return float(self.model.data.exit.max())

    def at(self, times: float | str | Iterable[float | str]) -> pd.DataFrame:
        """Return the curves at chosen times, one row a profile and time; missing beyond the last observation.

        Columns: outcome, profile, cause, time, estimate, std_error, conf_low, conf_high.
        """
        return self._rows(moments_of(times, self.model.data.unit))

    def to_frame(self) -> pd.DataFrame:
        """Return the curves from time 0 at the times of events (at most 200 of them, evenly spread); columns as in `at`."""
        steps = np.unique(self.model.rows.time)
        if len(steps) > _STEPS:
            steps = steps[np.linspace(0, len(steps) - 1, _STEPS).round().astype(np.int64)]
        return self._rows(np.concatenate(([0.0], steps)))

    def summary(self) -> pd.DataFrame:
        """Return one row a profile at the last time anybody was observed."""
        return self._rows(np.array([self.last_time]))

    def describe(self) -> str:
        """Return the incidences at the last time in plain sentences."""
        end, unit = self.last_time, self.model.data.unit
        when = in_words(end, unit)
        parts = [
            f"{row['profile']}: {100 * row['estimate']:.1f} % ({100 * row['conf_low']:.1f} to {100 * row['conf_high']:.1f} %)"
            for row in self.summary().to_dict("records")
        ]
        return (
            f"Predicted share with {self.model.cause} by {when} ({self.model.n:,} people, {self.model.n_events:,} events): "
            + "; ".join(parts)
            + ". Predictions at covariates, not averages over a population."
        )

    def _rows(self, times: Array) -> pd.DataFrame:
        import pandas as pd

        hazard, error = self._cumulative_hazards(times)
        if self.model.away:  # what moves a coefficient without a maximum hangs on where the iteration stopped
            error = np.full_like(error, np.nan)
        estimate = -np.expm1(-hazard)
        low, high = probability_limits(
            estimate, np.exp(-hazard) * error, reach_of_model(self.model.asked, self.model.conf_level), self.conf_type
        )
        certain = (estimate == 0) & (error == 0)
        low, high = np.where(certain, 0.0, low), np.where(certain, 0.0, high)
        unknown = np.broadcast_to(times > self.last_time, estimate.shape)
        columns = {"estimate": estimate, "std_error": np.exp(-hazard) * error, "conf_low": low, "conf_high": high}
        return pd.DataFrame(
            {
                "outcome": self.model.data.labels.get("outcome", ""),
                "profile": np.repeat(np.array(self.profiles, dtype=object), len(times)),
                "cause": self.model.cause,
                "time": np.tile(times, len(self.profiles)),
                **{name: np.where(unknown, np.nan, values).ravel() for name, values in columns.items()},
            }
        )

    def _cumulative_hazards(self, times: Array) -> tuple[Array, Array]:
        """Return cumulative subdistribution hazards and their standard errors, shape (M, T) each."""
        model, shape = self.model, (len(self.profiles), len(times))
        hazard, variance = np.zeros(shape), np.zeros(shape)
        relative = np.exp(self.away @ model.coefficients)[:, None]
        width = max(1, _CELLS // len(model.data.exit))
        for code in np.unique(self.stratum):
            mine = np.flatnonzero(self.stratum == code)
            for start in range(0, len(times), width):
                part = slice(start, start + width)
                baseline, slope, own, cross = self._baseline(int(code), times[part])
                moved = baseline[None, :, None] * self.away[mine, None, :] - slope[None, :, :]
                spread = own + 2 * (moved * cross).sum(axis=-1) + ((moved @ model.covariance) * moved).sum(axis=-1)
                hazard[mine, part] = relative[mine] * baseline
                variance[mine, part] = relative[mine] ** 2 * np.maximum(spread, 0.0)
        return hazard, np.sqrt(variance)

    def _baseline(self, code: int, times: Array) -> tuple[Array, Array, Array, Array]:
        """Return one stratum's cumulative hazard at the means, its slope by the coefficients, variance and covariance with them.

        Shapes (T,), (T, p), (T,), (T, p).
        """
        model, rows, sums, each = self.model, self.model.rows, self.model.sums, self.model.slopes
        reached = ((rows.time <= times[:, None]) & (rows.stratum == code)).astype(np.float64)
        moved = hazard_influence(rows, sums, model.uncertain, len(model.data.exit), reached)
        moved = by_person(moved * np.reshape(model.asked.beside(), (-1, 1)), model.data.person, len(each))
        total = by_cluster(model.asked, stack(model.asked, np.concatenate((moved, each), axis=1)))
        own, theirs = total[:, : len(times)], total[:, len(times) :]
        means = (sums.s1 * sums.square - sums.d1 * sums.square_f).T * model.scale
        return reached @ sums.hazard, reached @ means, (own**2).sum(axis=0), own.T @ theirs


def predicted_incidence(model: FineGray, new: pd.DataFrame, conf_type: str) -> PredictedIncidence:
    """Return the curves of `model` at the rows of `new`; what `FineGray.predict` gives."""
    one_of(conf_type, CONF_TYPES, what="fine_gray.predict: conf_type")
    if len(new) == 0:
        raise EstimationError("fine_gray.predict: the new rows are none.")
    what = "fine_gray.predict"
    if not new.index.is_unique:
        raise EstimationError(f"{what}: the index of the new rows names the profiles and must be unique.")
    columns = new_columns(model.data, model.design, new, None, what=what)
    return PredictedIncidence(
        model=model,
        profiles=tuple(str(name) for name in new.index),
        away=columns - model.centre,
        stratum=new_strata(model.strata_levels, new, what=what),
        conf_type=conf_type,
        notes=model.notes,
    )
