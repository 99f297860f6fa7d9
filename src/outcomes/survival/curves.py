"""Kaplan–Meier and Aalen–Johansen curves by arm: the functions people call and the results they get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.durations import days, in_words
from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array, IntArray, Note, Result
from outcomes.survival.curve_kernel import ArmCurve, fit_arm, influence_on_cif, influence_on_survival
from outcomes.survival.estimates import ArmEstimates, by_person, covariance_of, stack
from outcomes.survival.inputs import Asked, WeightsLike, normal_quantile, resolve, stacked_note
from outcomes.survival.intervals import probability_limits

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["CumulativeIncidence", "Curves", "KaplanMeier", "cumulative_incidence", "kaplan_meier"]

_CHUNK = 4_000_000  # person x time cells held at once


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Curves(Result):
    """Curves of every arm on one data set: what Kaplan–Meier and cumulative incidence share.

    Attributes
    ----------
    data : SurvivalData
    asked : Asked
        Weights, clusters and variance.
    fits : tuple of ArmCurve
        One an arm, the reference first.
    rows : tuple of ndarray
        Rows of the data in each arm.
    causes : tuple of str
        Causes the curves speak of.
    conf_type, conf_level
        How limits were made.
    """

    data: SurvivalData
    asked: Asked
    fits: tuple[ArmCurve, ...]
    rows: tuple[IntArray, ...]
    causes: tuple[str, ...]
    conf_type: str
    conf_level: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    rising: ClassVar[bool] = True

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms, the reference first."""
        return self.data.arms

    @property
    def last_times(self) -> tuple[float, ...]:
        """Last time anybody was observed in each arm."""
        return tuple(float(fit.times[-1]) for fit in self.fits)

    def at(self, times: float | str | Iterable[float | str]) -> pd.DataFrame:
        """Return the curves at chosen times: one row per arm, cause and time.

        Columns: outcome, estimand, arm, cause, time, estimate, std_error, conf_low, conf_high, n, n_at_risk (just before the
        time), n_events and n_censored (by the time). Estimates are missing beyond an arm's last observation, unless
        everybody there had had an event.
        """
        import pandas as pd

        if isinstance(times, (str, int, float)):
            times = [times]
        moments = np.array([0.0 if t == 0 else days(t, what="time") for t in times])
        return pd.concat(
            [self._rows_at(arm, cause, moments) for arm in range(len(self.arms)) for cause in range(len(self.causes))],
            ignore_index=True,
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the curves at every time something happened, from time 0; columns as in `at`."""
        import pandas as pd

        frames = []
        for arm, fit in enumerate(self.fits):
            moments = np.concatenate(([0.0], fit.times))
            frames += [self._rows_at(arm, cause, moments) for cause in range(len(self.causes))]
        return pd.concat(frames, ignore_index=True)

    def _value(self, arm: int, cause: int, times: Array) -> Array:
        raise NotImplementedError

    def _derivative(self, arm: int, cause: int, times: Array) -> Array:
        """Return the derivative of the curve by each of the arm's rows' weights, shape (rows, T)."""
        raise NotImplementedError

    def _model_error(self, arm: int, times: Array) -> Array:
        raise NotImplementedError

    def _influence(self, arm: int, cause: int, times: Array, asked: Asked) -> Array:
        """Return people's total influences on one curve, shape (P, T)."""
        rows = self.rows[arm]
        frequency = 1.0 if self.data.frequency is None else self.data.frequency[rows][:, None]
        each = by_person(
            self._derivative(arm, cause, times) * frequency, self.data.person[rows], len(self.data.baseline)
        )
        return stack(asked, each)

    def _std_error(self, arm: int, cause: int, times: Array) -> Array:
        if self.asked.variance == "model":
            return self._model_error(arm, times)
        step = max(1, _CHUNK // max(1, len(self.data.person)))
        errors = []
        for start in range(0, len(times), step):
            total = self._influence(arm, cause, times[start : start + step], self.asked)
            groups = self.asked.groups
            errors.append(np.sqrt((by_person(total, groups, int(groups.max()) + 1) ** 2).sum(axis=0)))
        return np.concatenate(errors)

    def _rows_at(self, arm: int, cause: int, times: Array) -> pd.DataFrame:
        import pandas as pd

        fit = self.fits[arm]
        upto = np.searchsorted(fit.times, times, side="right")
        estimate = self._value(arm, cause, times)
        error = np.sqrt(np.maximum(self._std_error(arm, cause, times) ** 2, 0.0))
        low, high = probability_limits(estimate, error, normal_quantile(self.conf_level), self.conf_type)
        certain = (estimate == 0) & (error == 0)
        low, high = np.where(certain & self.rising, 0.0, low), np.where(certain & self.rising, 0.0, high)
        unknown = (times > fit.times[-1]) & (fit.survival[-1] > 0)
        known = {
            name: np.where(unknown, np.nan, values)
            for name, values in (("estimate", estimate), ("std_error", error), ("conf_low", low), ("conf_high", high))
        }
        return pd.DataFrame(
            {
                "outcome": self.data.labels.get("outcome", ""),
                "estimand": self.asked.source.estimand
                if self.asked.source
                else ("weighted" if self.asked.weighted else "none"),
                "arm": self.arms[arm],
                "cause": self.causes[cause],
                "time": times,
                **known,
                "n": int(self.data.people_by_arm()[arm]),
                "n_at_risk": self._at_risk(arm, times),
                "n_events": np.concatenate(([0], np.cumsum(fit.n_events[cause])))[upto].astype(np.int64),
                "n_censored": np.concatenate(([0], np.cumsum(fit.n_censored)))[upto].astype(np.int64),
            }
        )

    def _at_risk(self, arm: int, times: Array) -> IntArray:
        """Return the number of people at risk just before each time: entry < t <= exit (at 0, those who start there)."""
        fit = self.fits[arm]
        rows = self.rows[arm]
        count = np.ones(len(rows)) if self.data.frequency is None else self.data.frequency[rows]
        entered, left = np.argsort(fit.entry), np.argsort(fit.exit)
        joined = np.concatenate(([0.0], np.cumsum(count[entered])))[
            np.searchsorted(fit.entry[entered], times, side="left")
        ]
        gone = np.concatenate(([0.0], np.cumsum(count[left])))[np.searchsorted(fit.exit[left], times, side="left")]
        at_zero = np.searchsorted(fit.entry[entered], times, side="right")
        joined = np.where(times == 0, np.concatenate(([0.0], np.cumsum(count[entered])))[at_zero], joined)
        return (joined - gone).astype(np.int64)

    def arm_estimates(
        self, times: Iterable[float | str], *, cause: str | None = None, variance: str | None = None
    ) -> ArmEstimates:
        """Return the risk in each arm at each time with the arms' joint covariance; what `compare` stands on.

        Raises
        ------
        EstimationError
            If a time lies beyond the follow-up of an arm; the message names the arm and its last usable time.
        """
        moments = np.array([days(t, what="time") for t in times])
        index = self._cause_index(cause)
        self._within_follow_up(moments)
        asked = self.asked_as(variance)
        sign = 1.0 if self.rising else -1.0
        values = np.stack([self._value(arm, index, moments) for arm in range(len(self.arms))], axis=1)
        covariance = np.zeros((len(moments), len(self.arms), len(self.arms)))
        if asked.variance == "model":
            for arm in range(len(self.arms)):
                covariance[:, arm, arm] = self._model_error(arm, moments) ** 2
        else:
            each = np.stack([self._influence(arm, index, moments, asked) for arm in range(len(self.arms))], axis=2)
            for t in range(len(moments)):
                covariance[t] = covariance_of(asked, each[:, t, :])
        events = np.stack([self._rows_at_events(arm, index, moments) for arm in range(len(self.arms))], axis=1)
        clusters = None
        if asked.cluster is not None:
            clusters = tuple(len(np.unique(asked.cluster[self.data.arm == arm])) for arm in range(len(self.arms)))
        return ArmEstimates(
            arms=self.arms,
            times=moments,
            estimate=values if self.rising else 1.0 + sign * values,
            covariance=covariance,
            n=self.data.people_by_arm(),
            n_events=events,
            variance=asked.variance,
            clusters=clusters,
            n_clusters=None if asked.cluster is None else len(np.unique(asked.cluster)),
        )

    def _rows_at_events(self, arm: int, cause: int, times: Array) -> IntArray:
        fit = self.fits[arm]
        upto = np.searchsorted(fit.times, times, side="right")
        return np.concatenate(([0], np.cumsum(fit.n_events[cause])))[upto].astype(np.int64)

    def asked_as(self, variance: str | None) -> Asked:
        """Return what was asked, with another kind of variance where one is named."""
        if variance is None or variance == self.asked.variance:
            return self.asked
        weights = (
            self.asked.source if self.asked.source is not None else (self.asked.weight if self.asked.weighted else None)
        )
        again = resolve(self.data, weights, None, variance, what="compare")
        return replace(again, cluster=None if again.variance == "model" else self.asked.cluster)

    def _cause_index(self, cause: str | None) -> int:
        if cause is None:
            return 0
        if cause not in self.causes:
            raise EstimationError(f"No cause {cause!r} here. {did_you_mean(cause, self.causes)}")
        return self.causes.index(cause)

    def _within_follow_up(self, moments: Array) -> None:
        for arm, fit in zip(self.arms, self.fits, strict=True):
            if moments.max() > fit.times[-1] and fit.survival[-1] > 0:
                raise EstimationError(
                    f"Time {moments.max():g} lies beyond the follow-up of arm {arm!r}, whose last usable time is {fit.times[-1]:g}."
                )

    def summary(self) -> pd.DataFrame:
        """Return one row an arm and cause at the last time every arm was observed."""
        return self.at([self._common_time()])

    def _common_time(self) -> float:
        return min(self.last_times)

    def describe(self) -> str:
        """Return the risks at the last common time in plain sentences."""
        moment = self._common_time()
        when = in_words(moment) if self.data.unit == "days" else f"{moment:g} {self.data.unit}"
        sentences = []
        for row in self.at([moment]).to_dict("records"):
            risk = (row["estimate"], row["conf_low"], row["conf_high"])
            if not self.rising:
                risk = (1 - risk[0], 1 - risk[2], 1 - risk[1])
            sentences.append(
                f"{row['arm']}: by {when} an estimated {100 * risk[0]:.1f} % had {row['cause']} "
                f"({100 * risk[1]:.1f} to {100 * risk[2]:.1f} %; {row['n']:,} people, {row['n_events']:,} events)."
            )
        return " ".join(sentences)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class KaplanMeier(Curves):
    """Share still free of the event over time, by arm."""

    drawing: ClassVar[str | None] = "kaplan_meier"
    title: ClassVar[str] = "Kaplan–Meier"
    rising: ClassVar[bool] = False

    def _value(self, arm: int, cause: int, times: Array) -> Array:
        fit = self.fits[arm]
        return np.concatenate(([1.0], fit.survival))[np.searchsorted(fit.times, times, side="right")]

    def _derivative(self, arm: int, cause: int, times: Array) -> Array:
        return influence_on_survival(self.fits[arm], times)

    def _model_error(self, arm: int, times: Array) -> Array:
        fit = self.fits[arm]
        left = fit.at_risk - fit.ended
        step = np.divide(fit.ended, fit.at_risk * left, out=np.zeros(len(left)), where=(left > 0) & (fit.at_risk > 0))
        upto = np.searchsorted(fit.times, times, side="right")
        return self._value(arm, 0, times) * np.sqrt(np.concatenate(([0.0], np.cumsum(step)))[upto])

    def quantile(self, share: float = 0.5) -> pd.DataFrame:
        """Return the time by which `share` of each arm had the event, with limits from the curve's: one row an arm.

        Columns: arm, share, time, conf_low, conf_high; missing where the curve does not come down that far. Where the curve
        is level exactly there, the middle of the level stretch (as R's ``survfit``).
        """
        import pandas as pd

        rows = []
        for arm, name in enumerate(self.arms):
            frame = self._rows_at(arm, 0, self.fits[arm].times)
            time = frame["time"].to_numpy()
            found = [_crossing(time, frame[c].to_numpy(), 1 - share) for c in ("estimate", "conf_low", "conf_high")]
            rows.append({"arm": name, "share": share, "time": found[0], "conf_low": found[1], "conf_high": found[2]})
        return pd.DataFrame(rows)

    def summary(self) -> pd.DataFrame:
        """Return one row an arm: n, n_events, n_censored, median time with limits, median follow-up (reverse Kaplan–Meier)."""
        import pandas as pd

        median = self.quantile(0.5)
        rows = []
        for arm, name in enumerate(self.arms):
            fit = self.fits[arm]
            events = int(fit.n_events.sum())
            rows.append(
                {
                    "arm": name,
                    "n": int(self.data.people_by_arm()[arm]),
                    "n_events": events,
                    "n_censored": int(fit.n_censored.sum()),
                    "median": median["time"][arm],
                    "conf_low": median["conf_low"][arm],
                    "conf_high": median["conf_high"][arm],
                    "median_follow_up": _median_follow_up(fit),
                }
            )
        return pd.DataFrame(rows)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CumulativeIncidence(Curves):
    """Share that has had each cause by each time, by arm, all causes at once."""

    drawing: ClassVar[str | None] = "cumulative_incidence"
    title: ClassVar[str] = "Cumulative incidence"

    def _value(self, arm: int, cause: int, times: Array) -> Array:
        fit = self.fits[arm]
        return np.concatenate(([0.0], fit.cif[cause]))[np.searchsorted(fit.times, times, side="right")]

    def _derivative(self, arm: int, cause: int, times: Array) -> Array:
        return influence_on_cif(self.fits[arm], cause + 1, times)

    def event_free(self, times: Iterable[float | str]) -> pd.DataFrame:
        """Return the share free of every cause: one row an arm and time (arm, time, estimate)."""
        import pandas as pd

        moments = np.array([days(t, what="time") for t in times])
        frames = []
        for arm, fit in zip(self.arms, self.fits, strict=True):
            value = np.concatenate(([1.0], fit.survival))[np.searchsorted(fit.times, moments, side="right")]
            frames.append(pd.DataFrame({"arm": arm, "time": moments, "estimate": value}))
        return pd.concat(frames, ignore_index=True)


def _crossing(times: Array, values: Array, level: float) -> float:
    reached = np.flatnonzero(values <= level + 1e-9)
    if len(reached) == 0:
        return float("nan")
    first = int(reached[0])
    if abs(values[first] - level) < 1e-9:
        lower = np.flatnonzero(values < level - 1e-9)
        if len(lower):
            return float((times[first] + times[lower[0]]) / 2)
    return float(times[first])


def _median_follow_up(fit: ArmCurve) -> float:
    reverse = fit_arm(fit.entry, fit.exit, (fit.event == 0).astype(np.int64), fit.weight, np.ones(len(fit.exit)), 1)
    return _crossing(reverse.times, reverse.survival, 0.5)


def _fits(
    data: SurvivalData, asked: Asked, event: IntArray, n_causes: int, what: str
) -> tuple[tuple[ArmCurve, ...], tuple[IntArray, ...]]:
    fits, rows = [], []
    row_arm = data.row_arm
    count = np.ones(len(data.exit)) if data.frequency is None else data.frequency
    for index, arm in enumerate(data.arms):
        inside = np.flatnonzero(row_arm == index)
        inside = inside[asked.weight[data.person[inside]] > 0]
        if len(inside) == 0:
            raise EstimationError(f"{what}: arm {arm!r} has nobody at risk.")
        weight = asked.weight[data.person[inside]] * count[inside]
        fits.append(fit_arm(data.entry[inside], data.exit[inside], event[inside], weight, count[inside], n_causes))
        rows.append(inside)
    return tuple(fits), tuple(rows)


def kaplan_meier(
    data: SurvivalData,
    *,
    weights: WeightsLike = None,
    cause: str | None = None,
    conf_type: str = "log-log",
    conf_level: float = 0.95,
    cluster: str | None = None,
    variance: str | None = None,
) -> KaplanMeier:
    """Estimate the share still free of the event over time, by arm (Kaplan–Meier).

    Use it where nothing competes with the event. Where something does (death, deportation), `cumulative_incidence` gives
    risks; here say with `cause` what to do.

    Parameters
    ----------
    data : SurvivalData
    weights : Weights, str or array of shape (P,), optional
        Sampling weights, one a person: a result of `weight`, a column of ``data.baseline``, or numbers.
    cause : str, optional
        Required where causes compete: the name of one cause (others are censored, with a note), or ``"any"`` (all causes are one
        event).
    conf_type : {"log-log", "log", "plain", "logit", "arcsine"}
    conf_level : float
    cluster : str, optional
        Column of ``data.baseline`` whose groups vary together. Default: the cluster of the data.
    variance : {"greenwood", "robust", "stacked"}, optional
        Default: Greenwood for plain data; the infinitesimal jackknife by person or cluster where there are weights, clusters or
        several rows a person.

    Returns
    -------
    KaplanMeier
        ``to_frame()`` and ``at(times)`` have columns outcome, estimand, arm, cause, time, estimate, std_error, conf_low,
        conf_high, n, n_at_risk, n_events, n_censored.

    Raises
    ------
    EstimationError
        Causes compete and `cause` is not given; an arm without people; weights that are negative or all 0.

    Notes
    -----
    Risk sets are (entry, exit]: at a tie events come before censorings. Where everybody at risk has the event the curve is
    0 from there on, also when people enter later. Counts are of people, never of weights.

    References
    ----------
    Kaplan & Meier (1958), JASA 53:457. Robust variance: Therneau & Grambsch (2000), Modeling Survival Data.

    Examples
    --------
    >>> import pandas as pd, outcomes as oc
    >>> frame = pd.DataFrame({"week": [5, 8, 9, 12], "arrest": [1, 0, 1, 0]})
    >>> oc.kaplan_meier(oc.survival_data(frame, duration="week", event="arrest")).at(9)["estimate"].round(3).tolist()
    [0.375]
    """
    event, label, notes = _one_event(data, cause)
    asked = resolve(data, weights, cluster, variance, what="kaplan_meier")
    fits, rows = _fits(data, asked, event, 1, "kaplan_meier")
    if asked.source is not None and asked.variance == "robust":
        notes = (*notes, stacked_note())
    return KaplanMeier(
        data=data, asked=asked, fits=fits, rows=rows, causes=(label,), conf_type=conf_type, conf_level=conf_level,
        notes=(*data.notes, *notes),
    )  # fmt: skip


def _one_event(data: SurvivalData, cause: str | None) -> tuple[IntArray, str, tuple[Note, ...]]:
    if len(data.causes) == 1 and cause in (None, "any", data.causes[0]):
        return np.asarray(data.event), data.causes[0], ()
    if cause is None:
        raise EstimationError(
            f"kaplan_meier: {len(data.causes)} causes compete here ({', '.join(data.causes)}). Use cumulative_incidence for risks; or "
            f"cause={data.causes[0]!r} (the others censored) or cause='any' (all of them one event)."
        )
    if cause in data.causes:
        note = Note(
            "competing_censored",
            f"Ends of follow-up by {', '.join(c for c in data.causes if c != cause)} count as censored: one minus this curve is the "
            "risk as if they did not happen. For the risk as it was, see the cumulative incidence.",
        )
        return (data.event == 1 + data.causes.index(cause)).astype(np.int64), cause, (note,)
    if cause == "any":
        return (data.event > 0).astype(np.int64), "any cause", ()
    raise EstimationError(f"kaplan_meier: no cause {cause!r}. {did_you_mean(cause, [*data.causes, 'any'])}")


def cumulative_incidence(
    data: SurvivalData,
    *,
    weights: WeightsLike = None,
    conf_type: str = "log-log",
    conf_level: float = 0.95,
    cluster: str | None = None,
    variance: str | None = None,
) -> CumulativeIncidence:
    """Estimate the share that has had each cause by each time, by arm (Aalen–Johansen).

    Use it for risks whenever something competes with the outcome; with a single cause it is one minus Kaplan–Meier.

    Parameters
    ----------
    data : SurvivalData
    weights : Weights, str or array of shape (P,), optional
        Sampling weights, one a person.
    conf_type : {"log-log", "log", "plain", "logit", "arcsine"}
    conf_level : float
    cluster : str, optional
        Column of ``data.baseline`` whose groups vary together. Default: the cluster of the data.
    variance : {"robust", "stacked"}, optional
        Infinitesimal jackknife by person or cluster; stacked: with the weights as estimated.

    Returns
    -------
    CumulativeIncidence
        ``to_frame()`` and ``at(times)`` have columns outcome, estimand, arm, cause, time, estimate, std_error, conf_low,
        conf_high, n, n_at_risk, n_events, n_censored: one row per arm, cause and time.

    Raises
    ------
    EstimationError
        An arm without people; weights that are negative or all 0.

    Notes
    -----
    All causes at a tied time happen at once, from the same risk set; late entry is allowed. The incidences of all causes and
    the event-free share add to 1. Limits are of each incidence on the chosen scale.

    References
    ----------
    Aalen & Johansen (1978), Scandinavian Journal of Statistics 5:141.

    Examples
    --------
    >>> import pandas as pd, outcomes as oc
    >>> frame = pd.DataFrame({"day": [5, 8, 9, 12], "end": ["sexual", "death", "sexual", "none"]})
    >>> data = oc.survival_data(frame, duration="day", event="end", censored="none", causes=["sexual", "death"])
    >>> oc.cumulative_incidence(data).at(9)[["cause", "estimate"]].values.tolist()
    [['sexual', 0.5], ['death', 0.25]]
    """
    asked = resolve(data, weights, cluster, "robust" if variance is None else variance, what="cumulative_incidence")
    if asked.variance == "model":
        raise EstimationError(
            "cumulative_incidence: variance must be 'robust' or 'stacked'; unweighted, robust is the default."
        )
    fits, rows = _fits(data, asked, np.asarray(data.event), len(data.causes), "cumulative_incidence")
    notes = (stacked_note(),) if asked.source is not None and asked.variance == "robust" else ()
    return CumulativeIncidence(
        data=data, asked=asked, fits=fits, rows=rows, causes=data.causes, conf_type=conf_type, conf_level=conf_level,
        notes=(*data.notes, *notes),
    )  # fmt: skip
