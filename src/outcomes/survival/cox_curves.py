"""Curves a Cox model predicts at given covariates, and its baseline hazard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.durations import in_words, moments_of
from outcomes.errors import EstimationError, NotSupportedError, one_of
from outcomes.results import Array, IntArray, Note, Result
from outcomes.survival.cox_baseline import Baseline, baseline_of, encode, hazard_derivative, log_relative, stratum_of
from outcomes.survival.estimates import by_cluster, stack
from outcomes.survival.few_clusters import reach_of_model
from outcomes.survival.inputs import normal_quantile
from outcomes.survival.intervals import CONF_TYPES, probability_limits

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.survival.cox_result import Cox

__all__ = ["CoxCurves", "baseline_frame", "event_times", "predicted"]

_MOST = 500  # times of a curve where none were named
_CELLS = 4_000_000  # people x times held at once


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CoxCurves(Result):
    """Share still free of the event over time at the covariates of M new rows.

    Attributes
    ----------
    model : Cox
    new : pandas.DataFrame
        The rows, as given.
    x, log_relative : ndarray, shape (M, p), (M,)
        Their covariates, centred and scaled, and log hazard ratio against the baseline.
    stratum : ndarray of int, shape (M,)
    times : ndarray, shape (T,)
    conf_type, conf_level
        How limits were made.
    """

    model: Cox
    new: pd.DataFrame
    x: Array
    log_relative: Array
    stratum: IntArray
    baseline: Baseline
    times: Array
    conf_type: str
    conf_level: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Curves predicted by a Cox model"
    drawing: ClassVar[str | None] = "predicted_curves"

    def to_frame(self) -> pd.DataFrame:
        """Return one row a profile (a row of `new`) and time.

        Columns: outcome, cause, profile, time, estimate, std_error, conf_low, conf_high, cumulative_hazard. `profile` is the index of
        `new`, as text. Estimates are missing after the last time anybody of the row's stratum was observed.
        """
        return self.at(self.times)

    def at(self, times: float | str | Iterable[float | str]) -> pd.DataFrame:
        """Return the curves at chosen times; columns as in `to_frame`."""
        import pandas as pd

        moments = moments_of(times, self.model.data.unit)
        hazard, error = np.empty((2, len(self.x), len(moments)))
        for code in np.unique(self.stratum):
            mine = np.flatnonzero(self.stratum == code)
            hazard[mine], error[mine] = self._of_stratum(int(code), mine, moments)
        if self.model.away and self.model.asked.variance != "model":
            error = np.full_like(
                error, np.nan
            )  # what moves a coefficient without a maximum hangs on where the iteration stopped
        hazard[moments > self.baseline.last[self.stratum][:, None]] = np.nan
        free = np.exp(-hazard)
        low, high = probability_limits(
            free, free * error, reach_of_model(self.model.asked, self.conf_level), self.conf_type
        )
        data = self.model.data
        return pd.DataFrame(
            {
                "outcome": data.labels.get("outcome", ""),
                "cause": self.model.cause,
                "profile": np.repeat(self.new.index.astype(str).to_numpy(dtype=object), len(moments)),
                "time": np.tile(moments, len(self.x)),
                "estimate": free.ravel(),
                "std_error": (free * error).ravel(),
                "conf_low": low.ravel(),
                "conf_high": high.ravel(),
                "cumulative_hazard": hazard.ravel(),
            }
        )

    def _of_stratum(self, code: int, mine: IntArray, times: Array) -> tuple[Array, Array]:
        """Return cumulative hazards and their standard errors for rows of one stratum, shape (M, T) each."""
        base, square, mean = self.baseline.at(code, times)
        ratio = np.exp(self.log_relative[mine])[:, None]
        moved = (self.x[mine][:, :, None] * base - mean).transpose(0, 2, 1)  # by the coefficients, (M, T, p)
        own, cross, spread = _spreads(self.model, self.baseline, code, times, square)
        variance = own + 2 * np.einsum("mtp,tp->mt", moved, cross) + np.einsum("mtp,pq,mtq->mt", moved, spread, moved)
        return ratio * base, ratio * np.sqrt(np.maximum(variance, 0.0))

    def summary(self) -> pd.DataFrame:
        """Return the curves at the last time they are known: profile, time, estimate, conf_low, conf_high."""
        last = self.at([self._last()])
        return last[["profile", "time", "estimate", "conf_low", "conf_high"]]

    def _last(self) -> float:
        """Return the last of the times at which every profile's curve is known, the first where none is."""
        known = self.times[self.times <= self.baseline.last[self.stratum].min()]
        return float(known[-1] if len(known) else self.times[0])

    def describe(self) -> str:
        """Return the share predicted to be free of the event at the last time, profile by profile."""
        parts = [
            f"{r['profile']}: {100 * r['estimate']:.1f} % ({100 * r['conf_low']:.1f} to {100 * r['conf_high']:.1f} %)"
            for r in self.summary().head(10).to_dict("records")
        ]
        return (
            f"Predicted free of {self.model.cause} by {in_words(self._last(), self.model.data.unit)}: "
            + "; ".join(parts)
            + "."
        )


def _spreads(model: Cox, baseline: Baseline, code: int, times: Array, square: Array) -> tuple[Array, Array, Array]:
    """Return the variance of the baseline (T,), its covariance with the coefficients (T, p) and theirs (p, p), scaled."""
    scale = model.scale
    if model.asked.variance == "model":
        spread = model.covariance * np.outer(scale, scale)
        return square, np.zeros((len(times), len(scale))), spread
    asked = model.asked
    slopes = by_cluster(asked, stack(asked, model.slopes * scale))
    own, cross = np.empty(len(times)), np.empty((len(times), len(scale)))
    step = max(1, _CELLS // len(model.rows.order))
    for start in range(0, len(times), step):
        part = slice(start, start + step)
        each = by_cluster(asked, stack(asked, hazard_derivative(model, baseline, code, times[part])))
        own[part], cross[part] = (each**2).sum(axis=0), each.T @ slopes
    return own, cross, slopes.T @ slopes


def predicted(
    model: Cox, new: pd.DataFrame, times: float | str | Iterable[float | str] | None, conf_type: str, conf_level: float
) -> CoxCurves:
    """Return the curves at the covariates of `new`, as `Cox.predict` says."""
    one_of(conf_type, CONF_TYPES, what="predict: conf_type")
    normal_quantile(conf_level)
    refuse_rates(model, "predict")
    if model.penalty == "firth":
        model.refuse("predict", penalised=True)
    if len(new) == 0:
        raise EstimationError("predict: the frame of new rows is empty.")
    x = encode(model, new, None, what="predict")
    baseline = baseline_of(model)
    return CoxCurves(
        model=model,
        new=new.copy(),
        x=x,
        log_relative=log_relative(model, new, x, what="predict"),
        stratum=stratum_of(model, new, what="predict"),
        baseline=baseline,
        times=event_times(model) if times is None else moments_of(times, model.data.unit),
        conf_type=conf_type,
        conf_level=conf_level,
        notes=(*model.notes, *about_competing(model)),
    )


def refuse_rates(model: Cox, what: str) -> None:
    """Raise where events do not end the time at risk: a rate is modelled there, and nobody stays free."""
    if model.data.repeated:
        raise NotSupportedError(
            f"{what}: these data hold every event of a person, so that the model is of rates, not of who stays free. Fit the first event."
        )


def about_competing(model: Cox) -> tuple[Note, ...]:
    """Return what to say where other causes were censored."""
    others = ", ".join(cause for cause in model.data.causes if cause != model.cause)
    if not others:
        return ()
    text = (
        f"Ends of follow-up by {others} count as censored: the risk is as if they did not happen. For the risk as it was, see the "
        "cumulative incidence."
    )
    return (Note("competing_censored", text),)


def event_times(model: Cox) -> Array:
    """Return the event times, spread evenly where there are many."""
    times = np.unique(model.rows.time)
    if len(times) <= _MOST:
        return times
    return np.asarray(times[np.linspace(0, len(times) - 1, _MOST).round().astype(np.int64)])


def baseline_frame(model: Cox) -> pd.DataFrame:
    """Return the cumulative hazard at covariates 0, as `Cox.baseline_hazard` says."""
    import pandas as pd

    baseline, rows = baseline_of(model), model.rows
    start = np.repeat(baseline.first, baseline.end - baseline.first)
    hazard = baseline.hazard[1:] - baseline.hazard[start]
    with np.errstate(over="ignore"):  # covariates of 0 may lie far from anybody's
        at_zero = np.exp(-(model.centre / model.scale) @ model.scaled)
    frame = pd.DataFrame({"time": rows.time, "cumulative_hazard": hazard * at_zero, "n_events": rows.deaths})
    if model.strata_levels is not None:
        for position, name in enumerate(model.strata):
            frame.insert(position, name, model.strata_levels[name].to_numpy()[rows.stratum])
    return frame
