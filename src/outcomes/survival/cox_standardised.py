"""Curves by arm standardised over the people of the data: the g-formula with a Cox model, with influence-function intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.durations import moments_of
from outcomes.errors import EstimationError, NotSupportedError, one_of
from outcomes.results import Array, IntArray, Note, Result
from outcomes.survival.arm_worlds import first_rows, in_arm
from outcomes.survival.cox_baseline import Baseline, baseline_of, encode, hazard_derivative, log_relative, stratum_of
from outcomes.survival.cox_curves import about_competing, event_times, refuse_rates
from outcomes.survival.estimates import ArmEstimates, Influence, by_cluster, covariance_of, stack
from outcomes.survival.few_clusters import CLUSTER_NOTES, reach_of_model
from outcomes.survival.inputs import Asked, ask_again
from outcomes.survival.intervals import CONF_TYPES, probability_limits

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData
    from outcomes.survival.cox_result import Cox

__all__ = ["StandardisedCurves", "standardised"]

_CELLS = 4_000_000  # people x times held at once


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class StandardisedCurves(Result):
    """Share free of the event over time had everybody been in each arm; A arms, P people, p terms.

    Attributes
    ----------
    model : Cox
    share : ndarray, shape (P,)
        Part of each person in the average; they add to 1.
    over : str or None
        The arm whose people are averaged over; None: everybody.
    x : tuple of ndarray, shape (P, p)
        Covariates of everybody in each arm, centred and scaled.
    log_relative, stratum : tuple of ndarray, shape (P,)
    conf_type, conf_level
        How limits were made.
    """

    model: Cox
    share: Array
    over: str | None
    x: tuple[Array, ...]
    log_relative: tuple[Array, ...]
    stratum: tuple[IntArray, ...]
    baseline: Baseline
    conf_type: str
    conf_level: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Standardised curves"
    drawing: ClassVar[str | None] = "predicted_curves"

    @property
    def data(self) -> SurvivalData:
        """What the model was fitted to."""
        return self.model.data

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms, the reference first."""
        return self.data.arms

    @property
    def causes(self) -> tuple[str, ...]:
        """The one cause that is modelled."""
        return (self.model.cause,)

    @property
    def asked(self) -> Asked:
        """Weights, clusters and variance."""
        return self.asked_as(None)

    @property
    def estimand(self) -> str:
        """Whose risk is averaged: ``ate`` is everybody's (weighted: the weights' own), else the people of one arm."""
        if self.over is not None:
            return f"standardised over {self.over}"
        return self.model.asked.estimand if self.model.asked.weighted else "ate"

    def asked_as(self, variance: str | None) -> Asked:
        """Return what was asked, with a variance made of influences whatever the model's."""
        chosen = variance if variance not in (None, "model", "greenwood") else None
        if chosen is None and self.model.asked.variance == "model":
            chosen = "robust"
        return ask_again(self.model.data, self.model.asked, chosen, what="cox")

    def at(self, times: float | str | Iterable[float | str]) -> pd.DataFrame:
        """Return the curves at chosen times: outcome, estimand, arm, cause, time, estimate, std_error, conf_low, conf_high, n.

        One row an arm and time; missing after the last time anybody of an arm was observed.
        """
        import pandas as pd

        moments, frames = moments_of(times, self.data.unit), []
        last, asked = self._last_times(), self.asked
        for arm, name in enumerate(self.arms):
            free = 1.0 - self._risk(arm, moments)
            error = self._std_errors(arm, moments, asked)
            free[moments > last.min()] = np.nan
            low, high = probability_limits(free, error, reach_of_model(asked, self.conf_level), self.conf_type)
            frames.append(
                pd.DataFrame(
                    {
                        "outcome": self.data.labels.get("outcome", ""),
                        "estimand": self.estimand,
                        "arm": name,
                        "cause": self.model.cause,
                        "time": moments,
                        "estimate": free,
                        "std_error": np.where(np.isnan(free), np.nan, error),
                        "conf_low": low,
                        "conf_high": high,
                        "n": self.model.n,
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    def to_frame(self) -> pd.DataFrame:
        """Return the curves at every event time (evenly spread ones where there are many); columns as in `at`."""
        return self.at([0.0, *event_times(self.model)])

    def summary(self) -> pd.DataFrame:
        """Return one row an arm at the last time every arm was observed."""
        return self.at(float(self._last_times().min()))

    def describe(self) -> str:
        """Return the standardised risks at the last common time in plain sentences."""
        rows = self.summary().to_dict("records")
        parts = [
            f"{r['arm']}: {100 * (1 - r['estimate']):.1f} % ({100 * (1 - r['conf_high']):.1f} to {100 * (1 - r['conf_low']):.1f} %)"
            for r in rows
        ]
        whom = "everybody" if self.over is None else f"the people of {self.over}"
        return (
            f"Risk of {self.model.cause} by {rows[0]['time']:g} {self.data.unit} had {whom} been in each arm, by a Cox model of "
            f"{self.model.n:,} people: {'; '.join(parts)}."
        )

    def influence(
        self, times: float | str | Iterable[float | str], *, cause: str | None = None, variance: str | None = None
    ) -> Influence:
        """Return each person's influence on each arm's risk, as curves do."""
        moments, asked = self._checked(times, cause), self.asked_as(variance)
        return Influence(
            estimate=np.stack([self._risk(arm, moments) for arm in range(len(self.arms))]),
            values=np.stack([self._influence(arm, moments, asked) for arm in range(len(self.arms))], axis=1),
            cluster=asked.cluster,
            arms=self.arms,
            n_clusters=asked.n_clusters,
            overlapping=asked.overlapping,
        )

    def arm_estimates(
        self, times: float | str | Iterable[float | str], *, cause: str | None = None, variance: str | None = None
    ) -> ArmEstimates:
        """Return the risk in each arm at each time with the arms' joint covariance; what `compare` stands on."""
        moments, asked, arms = self._checked(times, cause), self.asked_as(variance), range(len(self.arms))
        each = np.stack([self._influence(arm, moments, asked) for arm in arms], axis=2)
        covariance = [covariance_of(asked, each[:, t]) for t in range(len(moments))]
        return ArmEstimates(
            arms=self.arms,
            times=moments,
            estimate=np.stack([self._risk(arm, moments) for arm in arms], axis=1),
            covariance=np.stack(covariance),
            n=asked.people_by_arm(self.data),
            n_events=self._events_by(moments),
            variance=asked.variance,
            clusters=asked.clusters_by_arm(self.data),
            n_clusters=asked.n_clusters,
        )

    def _checked(self, times: float | str | Iterable[float | str], cause: str | None) -> Array:
        if cause not in (None, self.model.cause):
            raise EstimationError(f"The model is of {self.model.cause!r}; there is no cause {cause!r} here.")
        moments, last = moments_of(times, self.data.unit), self._last_times()
        first_out = int(last.argmin())
        if moments.max() > last[first_out]:
            raise EstimationError(
                f"Time {moments.max():g} lies beyond the follow-up of arm {self.arms[first_out]!r}, whose last usable time is "
                f"{last[first_out]:g}."
            )
        return moments

    def _last_times(self) -> Array:
        """Return the last time anybody was observed in each arm, shape (A,)."""
        used = self.model.asked.by_row(self.data) > 0
        last = np.zeros(len(self.arms))
        np.maximum.at(last, self.data.row_arm[used], self.data.exit[used])
        return last

    def _events_by(self, times: Array) -> IntArray:
        data, used = self.data, self.model.asked.by_row(self.data) > 0
        died = used & (data.event == 1 + data.causes.index(self.model.cause))
        count = self.model.asked.count[data.person]
        found = [
            np.bincount(
                data.row_arm[died & (data.exit <= t)], weights=count[died & (data.exit <= t)], minlength=len(self.arms)
            )
            for t in times
        ]
        return np.stack(found).astype(np.int64)

    def _free(self, arm: int, times: Array) -> Array:
        """Return everybody's share free of the event had they been in the arm, shape (P, T)."""
        stratum, hazard = self.stratum[arm], np.empty((len(self.share), len(times)))
        for code in np.unique(stratum):
            hazard[stratum == code] = self.baseline.at(int(code), times)[0]
        return np.exp(-hazard * np.exp(self.log_relative[arm])[:, None])

    def _risk(self, arm: int, times: Array) -> Array:
        found: Array = 1.0 - self.share @ self._free(arm, times)
        return found

    def _influence(self, arm: int, times: Array, asked: Asked) -> Array:
        """Return people's total influences on one arm's risk, shape (P, T); missing where a coefficient has no finite maximum."""
        model, stratum = self.model, self.stratum[arm]
        if model.away:
            return np.full((len(self.share), len(times)), np.nan)
        free = self._free(arm, times)
        first = first_rows(self.data)
        within = np.reshape(asked.beside(first), (-1, 1))
        per_unit = np.divide(
            self.share, asked.weight * asked.count * np.ravel(within), where=self.share > 0, out=np.zeros(len(free))
        )
        derivative = -(free - self.share @ free) * per_unit[:, None] * within  # who is averaged over
        falls = self.share[:, None] * free * np.exp(self.log_relative[arm])[:, None]
        slope = np.zeros((len(times), len(model.terms)))
        for code in np.unique(stratum):
            mine = np.flatnonzero(stratum == code)
            base, _, mean = self.baseline.at(int(code), times)
            total = falls[mine].sum(axis=0)
            derivative += total * hazard_derivative(model, self.baseline, int(code), times)
            slope += (falls[mine].T @ self.x[arm][mine]) * base[:, None] - total[:, None] * mean.T
        derivative += (model.slopes * model.scale) @ slope.T
        return stack(asked, derivative)

    def _std_errors(self, arm: int, times: Array, asked: Asked) -> Array:
        """Return the standard error of one arm's risk at each time, shape (T,)."""
        found, step = np.empty(len(times)), max(1, _CELLS // len(self.share))
        for start in range(0, len(times), step):
            each = by_cluster(asked, self._influence(arm, times[start : start + step], asked))
            found[start : start + step] = np.sqrt((each**2).sum(axis=0))
        return found


def standardised(model: Cox, over: str | None, conf_type: str) -> StandardisedCurves:
    """Return the standardised curves of a model, as `Cox.standardised` says."""
    one_of(conf_type, CONF_TYPES, what="standardised: conf_type")
    data, asked = model.data, model.asked
    refuse_rates(model, "standardised")
    model.refuse("standardised", exact=True, penalised=True)
    if over is not None:
        one_of(over, data.arms, what="standardised: over")
    if len(data.arms) < 2 or not {"arm", data.arm_column} & {*model.design.needed, *model.strata}:
        raise NotSupportedError(
            "standardised: the model does not know the arm; put arm into its formula (or its strata)."
        )
    _refuse_changing(model)
    first = first_rows(data)
    share = asked.at_start(data) * (1.0 if over is None else data.arm == data.arms.index(over))
    if not share.sum() > 0:
        raise EstimationError(
            "standardised: every weight of these people is 0 at their start; there is nobody to average over."
        )
    worlds = [in_arm(data, arm) for arm in range(len(data.arms))]
    codes = [np.full(len(first), arm) for arm in range(len(data.arms))]
    x = tuple(encode(model, world, code, what="standardised") for world, code in zip(worlds, codes, strict=True))
    return StandardisedCurves(
        model=model,
        share=share / share.sum(),
        over=over,
        x=x,
        log_relative=tuple(log_relative(model, w, v, what="standardised") for w, v in zip(worlds, x, strict=True)),
        stratum=tuple(stratum_of(model, world, what="standardised") for world in worlds),
        baseline=baseline_of(model),
        conf_type=conf_type,
        conf_level=model.conf_level,
        notes=(*(note for note in model.notes if note.code not in CLUSTER_NOTES), *about_competing(model)),
    )


def _refuse_changing(model: Cox) -> None:
    """Raise where covariates change within a person: the average is over values at the start."""
    data = model.data
    if not data.multi_row:
        return
    named = {*model.design.needed, *model.strata, *([model.offset] if model.offset else [])}
    needed = sorted(name for name in named if name in data.frame.columns)
    first = data.frame[needed].iloc[first_rows(data)].iloc[data.person].reset_index(drop=True)
    changing = [name for name in needed if not data.frame[name].equals(first[name])]
    if changing:
        raise NotSupportedError(
            f"standardised: {', '.join(changing)} changes over time within people, so that no one value can be averaged over."
        )
