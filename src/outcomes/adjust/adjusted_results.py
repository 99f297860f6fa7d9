"""What adjusted curves are, and what they can be asked: tables, influences, contrasts, and whom the weights leave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from outcomes.adjust.adjusted_mean_time import AdjustedRmst, few_at_once, mean_times
from outcomes.adjust.curve_sums import Baselines, People, curve_sums
from outcomes.adjust.fitted_hazards import FittedHazard
from outcomes.adjust.nuisance_models import Score
from outcomes.durations import days, in_words, moments_of
from outcomes.errors import EstimationError, one_of
from outcomes.results import Array, IntArray, Note, Result, in_capitals
from outcomes.survival.estimates import ArmEstimates, Influence, by_cluster, covariance_of, stack
from outcomes.survival.few_clusters import reach_of_arm
from outcomes.survival.inputs import Asked
from outcomes.survival.intervals import probability_limits

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["METHODS", "AdjustedCurves"]

METHODS = {
    "aipw": "doubly robust estimation",
    "iptw": "inverse probability of treatment and censoring weights",
    "g-formula": "an outcome model averaged over people",
}
_BELOW = 0.05  # by how much a doubly robust risk may fall below 0, by chance, before it is refused
_MOST = 200  # times of a curve where none were named


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class AdjustedCurves(Result):
    """Cumulative incidence of a cause over time had the same people been in each arm; P people, A arms.

    Attributes
    ----------
    data : SurvivalData
    asked : Asked
        Clusters and variance.
    method : str
        ``aipw``, ``iptw`` or ``g-formula``.
    estimand : str
        ``ate``, ``att`` or ``atc``.
    cause : str
    outcome : tuple of FittedHazard
        One a cause, the one asked about first; none with ``iptw``.
    censoring : FittedHazard or None
        None where nobody was censored, and with ``g-formula``.
    censored : ndarray of bool, shape (P,)
    score : Score
        Weights by the score of the arm; 0 with ``g-formula``.
    target : ndarray, shape (P,)
        1 for the people averaged over.
    conf_type, conf_level
        How limits were made.
    """

    data: SurvivalData
    asked: Asked
    method: str
    estimand: str
    cause: str
    outcome: tuple[FittedHazard, ...]
    censoring: FittedHazard | None
    censored: npt.NDArray[np.bool_]
    score: Score
    target: Array
    conf_type: str
    conf_level: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "predicted_curves"
    title: ClassVar[str] = "Adjusted curves"

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms, the reference first."""
        return self.data.arms

    @property
    def causes(self) -> tuple[str, ...]:
        """The one cause whose incidence this is."""
        return (self.cause,)

    @property
    def adjusted_by(self) -> str:
        """How the arms were made alike, as a sentence says it."""
        return {"aipw": "adjusted (doubly robust)", "iptw": "weighted", "g-formula": "standardised"}[self.method]

    @property
    def whom(self) -> str:
        """Over whom risks are averaged, in words."""
        return {"ate": "everybody", "att": f"the people of {self.arms[-1]}", "atc": f"the people of {self.arms[0]}"}[
            self.estimand
        ]

    @property
    def last_times(self) -> tuple[float, ...]:
        """Last time anybody was observed in each arm."""
        exit = np.asarray(self.data.exit)
        return tuple(float(exit[self.data.arm == arm].max()) for arm in range(len(self.arms)))

    def noting(self, notes: tuple[Note, ...]) -> AdjustedCurves:
        """Return the same curves with more notes."""
        return replace(self, notes=(*self.notes, *notes))

    def asked_as(self, variance: str | None) -> Asked:
        """Return what was asked; the variance is made of influences whatever is named, and knows that every model was estimated."""
        if variance is not None:
            one_of(variance, ("model", "greenwood", "robust", "stacked"), what="adjusted_curves: variance")
        return self.asked

    # tables

    def at(self, times: float | str | Iterable[float | str]) -> pd.DataFrame:
        """Return the risk at chosen times: one row an arm and time.

        Columns: outcome, estimand, method, arm, cause, time, estimate, std_error, conf_low, conf_high, n. Missing after the last time
        anybody of an arm was observed.
        """
        import pandas as pd

        moments, last = moments_of(times, self.data.unit), min(self.last_times)
        known = moments <= last
        risk, error = np.full((2, len(self.arms), len(moments)), np.nan)
        if known.any():
            risk[:, known], error[:, known] = self._levels(moments[known])
        frames = []
        for arm, name in enumerate(self.arms):
            reach = reach_of_arm(self.data, self.asked, arm, self.conf_level)
            low, high = self._limits(risk[arm], error[arm], reach)
            shown = {
                "time": moments,
                "estimate": risk[arm],
                "std_error": error[arm],
                "conf_low": low,
                "conf_high": high,
            }
            said = {"outcome": self.data.labels.get("outcome", ""), "estimand": self.estimand, "method": self.method}
            n = int(self.asked.people_by_arm(self.data)[arm])
            frames.append(pd.DataFrame({**said, "arm": name, "cause": self.cause, **shown, "n": n}))
        return pd.concat(frames, ignore_index=True)

    def to_frame(self) -> pd.DataFrame:
        """Return the curves at every time of an event (evenly spread ones where there are many); columns as in `at`."""
        event = np.asarray(self.data.event)
        times = np.unique(np.asarray(self.data.exit)[event == 1 + self.data.causes.index(self.cause)])
        if len(times) > _MOST:
            times = times[np.linspace(0, len(times) - 1, _MOST).round().astype(np.int64)]
        return self.at([0.0, *times])

    def summary(self) -> pd.DataFrame:
        """Return one row an arm at the last time every arm was observed."""
        return self.at(min(self.last_times))

    def positivity(self) -> pd.DataFrame:
        """Return whom the weights leave: one row an arm.

        Columns: arm, n, n_events (of the cause), effective_sample_size (Kish's, of the weights by the score; missing with ``g-formula``),
        largest_share (of the arm's weight, in one person), smallest_in_view (chance of still being in view of those with the cause).
        """
        import pandas as pd

        hit, chance = self._hit(), self.chances_of_being_in_view()
        rows = []
        for index, arm in enumerate(self.arms):
            mine = self.data.arm == index
            weight, some = self.score.weight[mine], bool(self.score.weight[mine].any())
            rows.append(
                {
                    "arm": arm,
                    "n": int(mine.sum()),
                    "n_events": int(hit[mine].sum()),
                    "effective_sample_size": weight.sum() ** 2 / (weight**2).sum() if some else np.nan,
                    "largest_share": weight.max() / weight.sum() if some else np.nan,
                    "smallest_in_view": float(chance[mine & hit].min(initial=1.0)) if some else np.nan,
                }
            )
        return pd.DataFrame(rows)

    def describe(self) -> str:
        """Return the risks at the last common time in plain sentences."""
        rows = self.summary().to_dict("records")
        moment = rows[0]["time"]
        when = in_words(moment) if self.data.unit == "days" else f"{moment:g} {self.data.unit}"
        parts = [
            f"{r['arm']}: {100 * r['estimate']:.1f} % ({100 * r['conf_low']:.1f} to {100 * r['conf_high']:.1f} %)"
            for r in rows
        ]
        return (
            f"Risk of {self.cause} by {when} had {self.whom} been in each arm ({in_capitals(self.estimand)}), by "
            f"{METHODS[self.method]}, {len(self.target):,} people: {'; '.join(parts)}."
        )

    def chances_of_being_in_view(self) -> Array:
        """Return each person's modelled chance, in the own arm, of not having been censored before the time they left, shape (P,)."""
        chance = np.ones(len(self.target))
        hazard = self.censoring
        if hazard is not None:
            spent = np.append(0.0, np.cumsum(hazard.jump))[np.searchsorted(hazard.time, self.data.exit, side="left")]
            chance = np.exp(-spent * np.choose(self.data.arm, hazard.relative))
        return chance

    # influences

    def influence(
        self, times: float | str | Iterable[float | str], *, cause: str | None = None, variance: str | None = None
    ) -> Influence:
        """Return each person's influence on each arm's risk, every model's estimation included."""
        moments, asked = self._checked(times, cause), self.asked_as(variance)
        each = [self.risk_of_arm(arm, moments) for arm in range(len(self.arms))]
        return Influence(
            estimate=np.stack([risk for risk, _ in each]),
            values=np.stack([stack(asked, moved) for _, moved in each], axis=1),
            cluster=asked.cluster,
            arms=self.arms,
            n_clusters=asked.n_clusters,
            overlapping=asked.overlapping,
        )

    def arm_estimates(
        self, times: float | str | Iterable[float | str], *, cause: str | None = None, variance: str | None = None
    ) -> ArmEstimates:
        """Return the risk in each arm at each time with the arms' joint covariance; what `compare` stands on."""
        found, asked = self.influence(times, cause=cause, variance=variance), self.asked_as(variance)
        moments = self._checked(times, cause)
        self._refuse_no_probabilities(found.estimate, moments)
        return ArmEstimates(
            arms=self.arms,
            times=moments,
            estimate=found.estimate.T,
            covariance=np.stack([covariance_of(asked, found.values[:, :, t]) for t in range(len(moments))]),
            n=asked.people_by_arm(self.data),
            n_events=self.events_by(moments),
            variance=asked.variance,
            clusters=asked.clusters_by_arm(self.data),
            n_clusters=asked.n_clusters,
        )

    def rmst(self, horizon: float | str) -> AdjustedRmst:
        """Return the mean time free of every event up to a horizon in each arm; taken by ``compare(…, measure="rmst_difference")``.

        Raises
        ------
        EstimationError
            The horizon lies beyond the follow-up of an arm.
        """
        end = days(horizon, what="rmst: horizon", unit=self.data.unit)
        self._checked(end, None)
        return mean_times(self, end)

    def events_by(self, times: Array, *, any_cause: bool = False) -> IntArray:
        """Return how many people of each arm had the cause (or any) by each time, shape (T, A)."""
        hit = self._hit(any_cause)
        exit, arm = np.asarray(self.data.exit)[hit], self.data.arm[hit]
        return np.stack([np.bincount(arm[exit <= t], minlength=len(self.arms)) for t in times]).astype(np.int64)

    def _hit(self, any_cause: bool = False) -> npt.NDArray[np.bool_]:
        event = np.asarray(self.data.event)
        return np.asarray(event > 0 if any_cause else event == 1 + self.data.causes.index(self.cause))

    def _checked(self, times: float | str | Iterable[float | str], cause: str | None) -> Array:
        if cause not in (None, self.cause):
            raise EstimationError(f"These curves are of {self.cause!r}; ask adjusted_curves for cause={cause!r}.")
        moments, last = moments_of(times, self.data.unit), np.array(self.last_times)
        first_out = int(last.argmin())
        if moments.max() > last[first_out]:
            raise EstimationError(
                f"Time {moments.max():g} lies beyond the follow-up of arm {self.arms[first_out]!r}, whose last usable time is "
                f"{last[first_out]:g}."
            )
        return moments

    def _refuse_no_probabilities(self, risk: Array, times: Array) -> None:
        outside = (risk < -_BELOW) | (risk > 1 + 1e-9)
        if outside.any():
            arm, t = np.argwhere(outside)[0]
            raise EstimationError(
                f"adjusted_curves: the {self.adjusted_by} risk in arm {self.arms[arm]!r} by {times[t]:g} is {risk[arm, t]:.3f}, "
                "which is no probability: too few there are like those asked about, or still in view. Look at positivity(), ask at "
                "an earlier time, or take method='g-formula'."
            )

    def _limits(self, risk: Array, error: Array, reach: float) -> tuple[Array, Array]:
        """Return limits of risks; where a risk is no probability, as unnormalised weights allow, plain ones."""
        outside = (risk < 0) | (risk > 1)
        low, high = probability_limits(np.where(outside, np.nan, risk), error, reach, self.conf_type)
        plain = outside | ((risk == 0) & (error == 0))
        return np.where(plain, risk - reach * error, low), np.where(plain, risk + reach * error, high)

    def _levels(self, times: Array) -> tuple[Array, Array]:
        """Return the risk and its standard error by arm, shapes (A, T), a few times at once."""
        risk, error = np.empty((2, len(self.arms), len(times)))
        for arm in range(len(self.arms)):
            for part in few_at_once(len(times), len(self.target)):
                risk[arm, part], moved = self.risk_of_arm(arm, times[part])
                moved = by_cluster(self.asked, stack(self.asked, moved))
                error[arm, part] = np.sqrt((moved**2).sum(axis=0))
        return risk, error

    def risk_of_arm(self, arm: int, times: Array, *, any_cause: bool = False) -> tuple[Array, Array]:
        """Return one arm's risk of the cause (or of any) (T,) and its derivative by each person's weight (P, T)."""
        baselines, people = self._baselines(float(times.max()), any_cause), self._people(arm, any_cause)
        sums = curve_sums(people, baselines, times, weighted=self.method != "g-formula")
        risk = sums.own.sum(axis=0) / self.target.sum()
        moved = sums.own - self.target[:, None] * risk + self.score.influence @ sums.by_score
        for k, hazard in enumerate(self.outcome):
            moved += hazard.moved(_on_own_times(hazard, baselines.grid, sums.by_jump[k]), sums.by_coefficient[k])
        if self.censoring is not None:
            jumps = _on_own_times(self.censoring, baselines.grid, sums.by_jump_censoring)
            moved += self.censoring.moved(jumps, sums.by_coefficient_censoring)
        return risk, moved / self.target.sum()

    def _baselines(self, last: float, any_cause: bool) -> Baselines:
        """Return the jumps of all hazards up to a time."""
        hazards = [*self.outcome, *([] if self.censoring is None else [self.censoring])]
        grid = np.unique(np.concatenate([hazard.time[hazard.time <= last] for hazard in hazards] or [np.zeros(0)]))
        jumps = [_on_grid(hazard, grid) for hazard in hazards]
        causes = np.stack(jumps[: len(self.outcome)]) if self.outcome else np.zeros((0, len(grid)))
        return Baselines(grid, causes, None if self.censoring is None else jumps[-1], any_cause)

    def _people(self, arm: int, any_cause: bool) -> People:
        people, hazard = len(self.target), self.censoring
        inside = self.data.arm == arm
        return People(
            exit=np.asarray(self.data.exit),
            hit=self._hit(any_cause).astype(np.float64),
            censored=self.censored.astype(np.float64),
            weight=self.score.weight * inside,
            target=self.target,
            gradient=self.score.gradient * inside[:, None],
            relative=tuple(one.relative[arm] for one in self.outcome),
            x=tuple(one.x[arm] for one in self.outcome),
            relative_censoring=np.ones(people) if hazard is None else hazard.relative[arm],
            x_censoring=np.zeros((people, 0)) if hazard is None else hazard.x[arm],
        )


def _on_grid(hazard: FittedHazard, grid: Array) -> Array:
    """Return a hazard's jumps at the times of the grid, shape (M,)."""
    found = np.zeros(len(grid))
    inside = hazard.time <= grid[-1] if len(grid) else np.zeros(len(hazard.time), dtype=bool)
    found[np.searchsorted(grid, hazard.time[inside])] = hazard.jump[inside]
    return found


def _on_own_times(hazard: FittedHazard, grid: Array, values: Array) -> Array:
    """Return `values` (M, T) of the grid at the hazard's own times, 0 after the grid's end, shape (G, T)."""
    found = np.zeros((len(hazard.time), values.shape[1]))
    inside = hazard.time <= grid[-1] if len(grid) else np.zeros(len(hazard.time), dtype=bool)
    found[inside] = values[np.searchsorted(grid, hazard.time[inside])]
    return found
