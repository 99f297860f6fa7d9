"""Events per time at risk, by arm: the function people call and the result they get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array, IntArray, Note, Result
from outcomes.survival.estimates import by_person, covariance_of, stack
from outcomes.survival.few_clusters import about_clusters_of_arms, reach_of_arm
from outcomes.survival.inputs import Asked, ClusterLike, WeightsLike, known_weights, normal_quantile, resolve

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EventRate", "event_rate", "exact_limits"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class EventRate(Result):
    """Events per time at risk, one row an arm and cause.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `to_frame` gives it.
    per : float
        Length of time a rate is per, in `unit`.
    unit : str
    """

    frame: pd.DataFrame
    per: float
    unit: str
    conf_level: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "intervals"
    title: ClassVar[str] = "Event rates"
    tabled: ClassVar[bool] = True

    def to_frame(self) -> pd.DataFrame:
        """Return one row an arm and cause, columns as `event_rate` says."""
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return arm, cause, estimate, conf_low, conf_high, n, n_events, time_at_risk."""
        names = ["arm", "cause", "estimate", "conf_low", "conf_high", "n", "n_events", "time_at_risk"]
        return self.frame[names].copy()

    def describe(self) -> str:
        """Return the rates in plain sentences."""
        per = f"{self.unit.removesuffix('s')}" if self.per == 1 else f"{self.per:g} {self.unit}"
        return " ".join(
            f"{row['arm']}, {row['cause']}: {row['estimate']:.4g} events per person and {per} at risk "
            f"({100 * self.conf_level:g} % interval {row['conf_low']:.4g} to {row['conf_high']:.4g}; people: {row['n']:,}, "
            f"events: {row['n_events']:,}, {self.unit} at risk: {row['time_at_risk']:,.0f})."
            for row in self.frame.to_dict("records")
        )


def event_rate(
    data: SurvivalData,
    *,
    cause: str | None = None,
    per: float = 1.0,
    weights: WeightsLike = None,
    conf_level: float = 0.95,
    cluster: ClusterLike = None,
    variance: str | None = None,
) -> EventRate:
    """Estimate events per time at risk, by arm.

    Use it for one number a reader knows, above all where time away is left out of the time at risk. It is an average over the
    follow-up people happened to have: where rates fall with time, longer follow-up makes a lower rate. `rate_model` adjusts it.

    Parameters
    ----------
    data : SurvivalData
        Every event of a person (``cohort.every_event(…)``, ``survival_data(repeated=True)``), or the first: then time after it does not
        count.
    cause : str, optional
        Default: every cause, each in a row.
    per : float
        Length of time in the data's unit: with days, 365.25 gives events per person-year.
    weights : Weights, str or array of shape (P,) or (N,), optional
        Sampling weights, one a person, or one a row where they change over time.
    conf_level : float
    cluster : str or array of shape (P,), optional
        Column of ``data.baseline`` (or codes) whose groups vary together. Default: the cluster of the data.
    variance : {"robust", "stacked", "model"}, optional
        Default: by person or cluster, limits on the log scale; stacked: with the weights as estimated; model: of a Poisson count, with
        exact limits (Garwood).

    Returns
    -------
    EventRate
        ``to_frame()``: outcome, estimand, arm, cause, measure (``rate``), estimate, std_error, conf_low, conf_high, n, n_events,
        time_at_risk (in the data's unit, not weighted).

    Raises
    ------
    EstimationError
        An arm without people, an unknown cause, `per` not above 0, weights that are negative or all 0.

    Notes
    -----
    Time at risk is the sum of (entry, exit], so that late entry and gaps do not count. Where an arm has no events the upper limit is
    Garwood's (weighted: of an effective time at risk, (sum w t)² / sum w² t). Where an arm has one person or one cluster there is no
    robust interval.

    References
    ----------
    Garwood (1936), Biometrika 28:437; Stukel and others (1994), Statistics in Medicine 13:1781.

    Examples
    --------
    >>> import pandas as pd, outcomes as oc
    >>> frame = pd.DataFrame({"week": [5, 8, 9, 12], "arrest": [1, 0, 1, 0]})
    >>> oc.event_rate(oc.survival_data(frame, duration="week", event="arrest")).to_frame()["estimate"].round(4).tolist()
    [0.0588]
    """
    import pandas as pd

    must_be_data(data, "event_rate(data)")
    normal_quantile(conf_level)
    if not (np.isfinite(per) and per > 0):
        raise EstimationError(f"event_rate: per must be above 0; got {per}.")
    if cause is not None and cause not in data.causes:
        raise EstimationError(f"event_rate: no cause {cause!r}. {did_you_mean(cause, data.causes)}")
    asked = resolve(data, weights, cluster, "robust" if variance is None else variance, what="event_rate")
    names = data.causes if cause is None else (cause,)
    rows, notes = [], []
    for index in range(len(data.arms)):
        for name in names:
            row, said = _rate(data, asked, index, name, conf_level)
            for column in ("estimate", "std_error", "conf_low", "conf_high"):
                row[column] *= per
            rows.append(row)
            notes += said
    notes += (*about_clusters_of_arms(data, asked), *known_weights(asked))
    return EventRate(
        frame=pd.DataFrame(rows), per=per, unit=data.unit, conf_level=conf_level, notes=(*data.notes, *dict.fromkeys(notes))
    )  # fmt: skip


@dataclass(frozen=True)
class _Followed:
    """One arm's rows at risk; N rows.

    Attributes
    ----------
    person, width, hit, weight, count, beside : ndarray, shape (N,)
        Row of the baseline, time at risk, whether it ends with the event, weight with count, count, weight beside the person's.
    """

    person: IntArray
    width: Array
    hit: Array
    weight: Array
    count: Array
    beside: Array


def _followed(data: SurvivalData, asked: Asked, arm: int, cause: str) -> _Followed:
    by_row = asked.by_row(data)
    mine = np.flatnonzero((data.row_arm == arm) & (by_row > 0))
    if len(mine) == 0:
        raise EstimationError(f"event_rate: arm {data.arms[arm]!r} has nobody at risk.")
    person = data.person[mine]
    count = asked.count[person]
    return _Followed(
        person=person,
        width=(data.exit - data.entry)[mine],
        hit=(data.event[mine] == 1 + data.causes.index(cause)).astype(np.float64),
        weight=by_row[mine] * count,
        count=count,
        beside=np.broadcast_to(asked.beside(mine), mine.shape),
    )


def _rate(
    data: SurvivalData, asked: Asked, arm: int, cause: str, conf_level: float
) -> tuple[dict[str, Any], list[Note]]:
    """Return the row of one arm and cause, per unit of time, and what must be said about it."""
    rows, name = _followed(data, asked, arm, cause), data.arms[arm]
    time, events = float(rows.weight @ rows.width), float(rows.count @ rows.hit)
    rate = float(rows.weight @ rows.hit) / time
    notes = []
    if events == 0:
        effective = time**2 / float((rows.weight**2 / rows.count) @ rows.width)
        error, (low, high) = 0.0, exact_limits(0.0, effective, conf_level)
        text = f"Arm {name}: no event '{cause}'; the upper limit is that of a Poisson count of 0."
        notes.append(Note("no_events_in_arm", text))
    elif asked.variance == "model":
        error, (low, high) = float(np.sqrt(events)) / time, exact_limits(events, time, conf_level)
    else:
        each = (rows.hit - rate * rows.width) * rows.beside / time
        people = by_person(each[:, None], rows.person, len(data.baseline))
        error = float(np.sqrt(covariance_of(asked, stack(asked, people))[0, 0]))
        if len(np.unique(asked.groups[rows.person])) < 2 and rows.count.max() == 1:
            error = float("nan")
            what = "person" if asked.cluster is None else "cluster"
            text = f"Arm {name}: one {what} says nothing of how they differ; there is no interval."
            notes.append(Note("one_unit", text))
        reach = np.exp(reach_of_arm(data, asked, arm, conf_level) * error / rate)
        low, high = rate / reach, rate * reach
    return {
        "outcome": data.labels.get("outcome", ""),
        "estimand": asked.estimand,
        "arm": name,
        "cause": cause,
        "measure": "rate",
        "estimate": rate,
        "std_error": error,
        "conf_low": float(low),
        "conf_high": float(high),
        "n": int(asked.people_by_arm(data)[arm]),
        "n_events": int(events),
        "time_at_risk": float(rows.count @ rows.width),
    }, notes


def exact_limits(events: float, time: float, conf_level: float) -> tuple[float, float]:
    """Return Garwood's exact limits of a Poisson rate of `events` in `time`."""
    from scipy.special import gammaincinv

    tail = (1 - conf_level) / 2
    low = float(gammaincinv(events, tail)) if events > 0 else 0.0
    return low / time, float(gammaincinv(events + 1, 1 - tail)) / time
