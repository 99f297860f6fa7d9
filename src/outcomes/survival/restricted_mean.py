"""Mean time free of the event up to a horizon, and mean time lost to each cause: areas under the curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.durations import days, in_words
from outcomes.errors import EstimationError
from outcomes.results import Array, Note, Result
from outcomes.survival.curve_kernel import ArmCurve
from outcomes.survival.curves import CumulativeIncidence, KaplanMeier, cumulative_incidence, kaplan_meier
from outcomes.survival.estimates import ArmEstimates, Influence, by_person, covariance_of, stack
from outcomes.survival.few_clusters import reach_of_arm
from outcomes.survival.inputs import Asked, ClusterLike, WeightsLike, normal_quantile

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["Rmst", "rmst"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Rmst(Result):
    """Restricted mean time by arm: free of every event, and lost to each cause.

    Attributes
    ----------
    horizon : float
        In the data's unit of time.
    curves : KaplanMeier or CumulativeIncidence
        What the areas are under.
    measures : tuple of str
        ``"rmst"``, then ``"rmtl"`` or one ``"rmtl: cause"`` a cause.
    estimate, std_error : ndarray, shape (A, M)
        By arm and measure.
    """

    horizon: float
    curves: KaplanMeier | CumulativeIncidence
    measures: tuple[str, ...]
    estimate: Array
    std_error: Array
    conf_level: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "intervals"
    title: ClassVar[str] = "Restricted mean time"
    tabled: ClassVar[bool] = True

    def to_frame(self) -> pd.DataFrame:
        """Return one row an arm and measure: arm, measure, time (the horizon), estimate, std_error, conf_low, conf_high, n, n_events."""
        import pandas as pd

        data = self.curves.data
        people = self.curves.asked.people_by_arm(data)
        rows = []
        for a, arm in enumerate(data.arms):
            reach = reach_of_arm(data, self.curves.asked, a, self.conf_level)
            for m, measure in enumerate(self.measures):
                estimate, error = float(self.estimate[a, m]), float(self.std_error[a, m])
                rows.append(
                    {
                        "outcome": data.labels.get("outcome", ""),
                        "arm": arm,
                        "measure": measure,
                        "time": self.horizon,
                        "estimate": estimate,
                        "std_error": error,
                        "conf_low": estimate - reach * error,
                        "conf_high": estimate + reach * error,
                        "n": int(people[a]),
                        "n_events": int(_events(self.curves.fits[a], self.horizon, self._cause_of(m))),
                    }
                )
        return pd.DataFrame(rows)

    def describe(self) -> str:
        """Return the mean time free of events in each arm, and lost to each cause, in words."""
        data = self.curves.data
        when = in_words(self.horizon, data.unit)
        rows = self.to_frame()
        sentences = []
        for measure, mine in rows[rows["measure"] != "rmtl"].groupby(
            "measure", sort=False
        ):  # rmtl is the horizon less rmst
            what = "without an event" if measure == "rmst" else f"lost to {str(measure).removeprefix('rmtl: ')}"
            parts = "; ".join(
                f"{r['arm']}, {r['estimate']:.1f} ({r['conf_low']:.1f} to {r['conf_high']:.1f}; people: {r['n']:,}, "
                f"events: {r['n_events']:,})"
                for r in mine.to_dict("records")
            )
            sentences.append(f"Mean {data.unit} {what} within {when}: {parts}.")
        return " ".join(sentences)

    def influence(self, *, measure: str = "rmst", variance: str | None = None) -> Influence:
        """Return each person's influence on the restricted mean of each arm; values have shape (P, A, 1).

        Parameters
        ----------
        measure : str
            One of `measures`.
        variance : {"robust", "stacked"}, optional
            Whether weights count as known or as estimated; default as in the result.
        """
        index = self._index(measure)
        asked = self.curves.asked_as(variance)
        each = [_influence(self.curves, a, index, self.horizon, asked) for a in range(len(self.curves.arms))]
        return Influence(
            estimate=self.estimate[:, [index]],
            values=np.stack(each, axis=1)[:, :, None],
            cluster=asked.cluster,
            arms=self.curves.arms,
            n_clusters=asked.n_clusters,
            overlapping=asked.overlapping,
        )

    def arm_estimates(self, *, measure: str = "rmst", variance: str | None = None) -> ArmEstimates:
        """Return the restricted mean in each arm with the arms' joint covariance; what `compare` stands on."""
        index = self._index(measure)
        asked, data = self.curves.asked_as(variance), self.curves.data
        if asked.variance == "model":
            covariance = np.diag([_greenwood(fit, self.horizon) ** 2 for fit in self.curves.fits])
        else:
            covariance = covariance_of(asked, self.influence(measure=measure, variance=variance).values[:, :, 0])
        return ArmEstimates(
            arms=data.arms,
            times=np.array([self.horizon]),
            estimate=self.estimate[None, :, index],
            covariance=covariance[None],
            n=asked.people_by_arm(data),
            n_events=np.array([[_events(fit, self.horizon) for fit in self.curves.fits]], dtype=np.int64),
            variance=asked.variance,
            clusters=asked.clusters_by_arm(data),
            n_clusters=asked.n_clusters,
        )

    def _cause_of(self, measure: int) -> int | None:
        """Return the cause to which a measure's time is lost; None where it is every cause."""
        return measure - 1 if measure > 0 and len(self.measures) > 2 else None

    def _index(self, measure: str) -> int:
        if measure not in self.measures:
            raise EstimationError(f"rmst: no measure {measure!r} here; there are {', '.join(self.measures)}.")
        return self.measures.index(measure)


def _events(fit: ArmCurve, horizon: float, cause: int | None = None) -> float:
    """Return the number of events of a cause (None: of any) up to the horizon."""
    counted = fit.table.n_events if cause is None else fit.table.n_events[[cause]]
    return float(counted[:, fit.times <= horizon].sum())


def _width(fit: ArmCurve, horizon: float) -> Array:
    """Return the length, inside the horizon, of the stretch that begins at 0 and at each time; shape (T + 1,)."""
    edges = np.minimum(np.concatenate(([0.0], fit.times, [np.inf])), horizon)
    return np.diff(edges)


def _area(curves: KaplanMeier | CumulativeIncidence, arm: int, measure: int, horizon: float) -> float:
    fit = curves.fits[arm]
    width = _width(fit, horizon)
    survival = np.concatenate(([1.0], fit.survival))
    if measure == 0:
        return float(width @ survival)
    if isinstance(curves, KaplanMeier):
        return float(width @ (1.0 - survival))
    return float(width[1:] @ fit.cif[measure - 1])


def _influence(
    curves: KaplanMeier | CumulativeIncidence, arm: int, measure: int, horizon: float, asked: Asked
) -> Array:
    """Return people's influences on one area, shape (P,): the area under their influences on the curve."""
    fit, data = curves.fits[arm], curves.data
    lost = measure > 0
    by_cause = lost and isinstance(curves, CumulativeIncidence)
    path = fit.incidence_path(measure) if by_cause else fit.survival_path()
    mine = curves.rows[arm]
    rows = path.area(_width(fit, horizon)) * asked.beside(mine) * (-1.0 if lost and not by_cause else 1.0)
    each = by_person(rows[:, None], data.person[mine], len(data.baseline))
    return stack(asked, each)[:, 0]


def _greenwood(fit: ArmCurve, horizon: float) -> float:
    """Return the Greenwood-type standard error of the area (Klein & Moeschberger 2003, section 4.5)."""
    area = _width(fit, horizon)[1:] * fit.survival
    beyond = np.cumsum(area[::-1])[::-1]
    table = fit.table
    return float(np.sqrt((beyond**2 * table.per_at_risk(table.ended) * table.per_survivor()).sum()))


def rmst(
    data: SurvivalData,
    *,
    horizon: float | str,
    weights: WeightsLike = None,
    conf_level: float = 0.95,
    cluster: ClusterLike = None,
    variance: str | None = None,
) -> Rmst:
    """Estimate the mean time free of the event up to a horizon, by arm.

    Use it when hazards are not proportional, or when "days free" is easier to say than a ratio.

    Parameters
    ----------
    data : SurvivalData
    horizon : float or str
        In the data's unit, or (in days) ``"2y"``. Must lie inside the follow-up of every arm.
    weights, conf_level, cluster, variance
        As in `kaplan_meier`.

    Returns
    -------
    Rmst
        ``to_frame()``: one row an arm and measure (``rmst``; ``rmtl``, or one ``rmtl: cause`` a cause where causes compete)
        with outcome, arm, measure, time, estimate, std_error, conf_low, conf_high, n, n_events. Unit: the data's.

    Raises
    ------
    EstimationError
        The horizon lies beyond the follow-up of an arm; the message names the arm and its last usable time.

    Notes
    -----
    Estimand: E[min(T, horizon)], T the time to the first event of any cause; time lost to a cause is the area under its
    cumulative incidence, and free and lost add up to the horizon. Variance: Greenwood-type for plain data, otherwise
    the infinitesimal jackknife.

    References
    ----------
    Royston & Parmar (2013), BMC Medical Research Methodology 13:152. Time lost: Andersen (2013), Statistics in Medicine 32:5278.

    Examples
    --------
    >>> import pandas as pd, outcomes as oc
    >>> frame = pd.DataFrame({"week": [5, 8, 9, 12], "arrest": [1, 0, 1, 0]})
    >>> oc.rmst(oc.survival_data(frame, duration="week", event="arrest"), horizon=10).summary()["estimate"].round(3).tolist()
    [8.375, 1.625]
    """
    must_be_data(data, "rmst(data)")
    normal_quantile(conf_level)
    end = days(horizon, what="rmst: horizon", unit=data.unit)
    several = len(data.causes) > 1
    curves: KaplanMeier | CumulativeIncidence
    if several:
        curves = cumulative_incidence(data, weights=weights, cluster=cluster, variance=variance)
    else:
        curves = kaplan_meier(data, weights=weights, cluster=cluster, variance=variance)
    for arm, fit in zip(data.arms, curves.fits, strict=True):
        if end > fit.times[-1] and fit.ends_open:
            raise EstimationError(
                f"rmst: the horizon {end:g} lies beyond the follow-up of arm {arm!r}, whose last usable time is {fit.times[-1]:g}."
            )
    measures = ("rmst", *(f"rmtl: {cause}" for cause in data.causes)) if several else ("rmst", "rmtl")
    arms, count = range(len(data.arms)), range(len(measures))
    estimate = np.array([[_area(curves, a, m, end) for m in count] for a in arms])
    if curves.asked.variance == "model":
        error = np.array([[_greenwood(curves.fits[a], end)] * len(measures) for a in arms])
    else:
        each = [[_influence(curves, a, m, end, curves.asked) for m in count] for a in arms]
        error = np.array([[np.sqrt(covariance_of(curves.asked, one[:, None])[0, 0]) for one in arm] for arm in each])
    return Rmst(
        horizon=end,
        curves=curves,
        measures=measures,
        estimate=estimate,
        std_error=error,
        conf_level=conf_level,
        notes=curves.notes,
    )
