"""Mean time free of every event had the same people been in each arm: the area over adjusted curves, and how it moves with each person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.durations import in_words
from outcomes.results import Array, Note, Result, in_capitals, read_only
from outcomes.survival.estimates import ArmEstimates, covariance_of, stack
from outcomes.survival.few_clusters import reach_of_arm

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.adjust.adjusted_results import AdjustedCurves

__all__ = ["AdjustedRmst", "few_at_once", "mean_times"]

_CELLS = 8_000_000  # people x times of influences held at once


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class AdjustedRmst(Result):
    """Adjusted mean time free of every event up to a horizon; P people, A arms.

    Attributes
    ----------
    horizon : float
        In the data's unit of time.
    curves : AdjustedCurves
        What was estimated, and from whom.
    estimate : ndarray, shape (A,)
    derivative : ndarray, shape (P, A)
        By each person's weight, every model's estimation included.
    """

    horizon: float
    curves: AdjustedCurves
    estimate: Array
    derivative: Array
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "intervals"
    title: ClassVar[str] = "Adjusted restricted mean time"
    tabled: ClassVar[bool] = True

    def to_frame(self) -> pd.DataFrame:
        """Return one row an arm: outcome, estimand, method, arm, measure, time (the horizon), estimate, std_error, limits, n, n_events."""
        import pandas as pd

        curves, found = self.curves, self.arm_estimates()
        error = np.sqrt(np.diag(found.covariance[0]))
        reach = [reach_of_arm(curves.data, curves.asked, arm, curves.conf_level) for arm in range(len(found.arms))]
        return pd.DataFrame(
            {
                "outcome": curves.data.labels.get("outcome", ""),
                "estimand": curves.estimand,
                "method": curves.method,
                "arm": found.arms,
                "measure": "rmst",
                "time": self.horizon,
                "estimate": self.estimate,
                "std_error": error,
                "conf_low": self.estimate - reach * error,
                "conf_high": self.estimate + reach * error,
                "n": found.n,
                "n_events": found.n_events[0],
            }
        )

    def describe(self) -> str:
        """Return the mean time free of every event in each arm, in words."""
        unit = self.curves.data.unit
        when = in_words(self.horizon) if unit == "days" else f"{self.horizon:g} {unit}"
        parts = [
            f"{r['arm']}: {r['estimate']:.1f} ({r['conf_low']:.1f} to {r['conf_high']:.1f})"
            for r in self.to_frame().to_dict("records")
        ]
        how = f"{self.curves.adjusted_by}, {in_capitals(self.curves.estimand)}"
        return f"Mean {unit} without an event within {when} ({how}): {'; '.join(parts)}."

    def arm_estimates(self, *, variance: str | None = None) -> ArmEstimates:
        """Return the mean in each arm with the arms' joint covariance; what `compare` stands on."""
        curves, asked = self.curves, self.curves.asked_as(variance)
        end = np.array([self.horizon])
        return ArmEstimates(
            arms=curves.arms,
            times=end,
            estimate=self.estimate[None],
            covariance=covariance_of(asked, stack(asked, self.derivative))[None],
            n=asked.people_by_arm(curves.data),
            n_events=curves.events_by(end, any_cause=True),
            variance=asked.variance,
            clusters=asked.clusters_by_arm(curves.data),
            n_clusters=asked.n_clusters,
        )


def mean_times(curves: AdjustedCurves, horizon: float) -> AdjustedRmst:
    """Return the horizon less the area under the risk of any event, arm by arm."""
    exit = np.asarray(curves.data.exit)
    times = np.unique(exit[exit < horizon])
    width = np.diff(np.append(times, horizon))
    estimate, derivative = np.full(len(curves.arms), horizon), np.zeros((len(curves.target), len(curves.arms)))
    for arm in range(len(curves.arms)):
        for part in few_at_once(len(times), len(curves.target)):
            risk, moved = curves.risk_of_arm(arm, times[part], any_cause=True)
            estimate[arm] -= risk @ width[part]
            derivative[:, arm] -= moved @ width[part]
    return AdjustedRmst(
        horizon=horizon,
        curves=curves,
        estimate=read_only(estimate),
        derivative=read_only(derivative),
        notes=curves.notes,
        provenance=curves.provenance,
    )


def few_at_once(times: int, people: int) -> Iterator[slice]:
    """Return the parts in which times are taken, so that a matrix of people by times stays small."""
    step = max(1, _CELLS // max(1, people))
    for start in range(0, times, step):
        yield slice(start, start + step)
