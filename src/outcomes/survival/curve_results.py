"""What Kaplan–Meier and cumulative incidence curves of several arms share: tables, limits, influences, sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.durations import in_words, moments_of
from outcomes.errors import EstimationError, NotSupportedError, did_you_mean, one_of
from outcomes.results import Array, IntArray, Note, Result, in_capitals
from outcomes.survival.arm_curves import fit_arms
from outcomes.survival.bands import BAND_KINDS, bands_of
from outcomes.survival.curve_kernel import ArmCurve
from outcomes.survival.curve_quantiles import crossing
from outcomes.survival.estimates import ArmEstimates, Influence, by_person, covariance_of, stack, variance_over_time
from outcomes.survival.few_clusters import reach_of_arm
from outcomes.survival.influence_paths import InfluencePath
from outcomes.survival.inputs import Asked, ask_again, normal_quantile
from outcomes.survival.intervals import probability_limits

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["Curves", "fit_arms"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Curves(Result):
    """Curves of every arm on one data set.

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
    no_share: ClassVar[str] = ""  # why bands and quantiles do not apply, where the curve is no share of people

    # what the two kinds of curve differ in

    def steps(self, arm: int, cause: int) -> Array:
        """Return the curve after each number of times passed, shape (T + 1,)."""
        raise NotImplementedError

    def path(self, arm: int, cause: int) -> InfluencePath:
        """Return how the curve moves with each row's weight."""
        raise NotImplementedError

    def _model_variance(self, arm: int, cause: int) -> Array:
        """Return the variance of independent people without weights, shape (T + 1,)."""
        raise NotImplementedError

    def _limits(self, estimate: Array, error: Array, reach: float | Array) -> tuple[Array, Array]:
        """Return the limits of estimates that lie `reach` standard errors away, on the scale of `conf_type`."""
        low, high = probability_limits(estimate, error, reach, self.conf_type)
        certain = (estimate == 0) & (error == 0) & self.rising
        return np.where(certain, 0.0, low), np.where(certain, 0.0, high)

    # tables

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

        moments = moments_of(times, self.data.unit)
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

    def std_error(self, arm: int, cause: int) -> Array:
        """Return the standard error after each number of times passed, shape (T + 1,)."""
        if self.asked.variance == "model":
            return np.sqrt(self._model_variance(arm, cause))
        return np.sqrt(variance_over_time(self.asked, self.path(arm, cause), self.data, self.rows[arm]))

    def _rows_at(self, arm: int, cause: int, times: Array) -> pd.DataFrame:
        import pandas as pd

        fit = self.fits[arm]
        passed = fit.passed(times)
        estimate, error = self.steps(arm, cause)[passed], self.std_error(arm, cause)[passed]
        low, high = self._limits(estimate, error, reach_of_arm(self.data, self.asked, arm, self.conf_level))
        unknown = (times > fit.times[-1]) & fit.ends_open
        known = {
            name: np.where(unknown, np.nan, values)
            for name, values in (("estimate", estimate), ("std_error", error), ("conf_low", low), ("conf_high", high))
        }
        return pd.DataFrame(
            {
                "outcome": self.data.labels.get("outcome", ""),
                "estimand": self.asked.estimand,
                "arm": self.arms[arm],
                "cause": self.causes[cause],
                "time": times,
                **known,
                "n": int(self.asked.people_by_arm(self.data)[arm]),
                "n_at_risk": _at_risk(fit, times),
                "n_events": _so_far(fit.table.n_events[cause])[passed],
                "n_censored": _so_far(fit.table.n_censored)[passed],
            }
        )

    def quantile(self, share: float = 0.5) -> pd.DataFrame:
        """Return the time by which `share` of each arm had the event (or the cause): one row an arm and cause.

        Columns: arm, cause, share, time, conf_low, conf_high. The limits are where the curve's own limits reach the share
        (Brookmeyer & Crowley 1982, Biometrics 38:29); all are missing where the curve or the limit does not come that far.
        Where the curve is level exactly there, the middle of the level stretch (as R's ``survfit``).
        """
        if self.no_share:
            raise NotSupportedError(f"quantile: {self.no_share}")
        import pandas as pd

        if not 0 < share < 1:
            raise EstimationError(f"quantile: share must lie between 0 and 1; got {share}.")
        columns = ("estimate", "conf_high", "conf_low") if self.rising else ("estimate", "conf_low", "conf_high")
        rows = []
        for arm, name in enumerate(self.arms):
            for index, cause in enumerate(self.causes):
                frame = self._rows_at(arm, index, self.fits[arm].times)
                free = [1.0 - frame[c].to_numpy() if self.rising else frame[c].to_numpy() for c in columns]
                found = [crossing(frame["time"].to_numpy(), values, 1 - share) for values in free]
                spoken = {"arm": name, "cause": cause, "share": share}
                rows.append({**spoken, "time": found[0], "conf_low": found[1], "conf_high": found[2]})
        return pd.DataFrame(rows)

    def bands(
        self,
        kind: str = "equal-precision",
        *,
        between: tuple[float | str, float | str] | None = None,
        conf_level: float | None = None,
        draws: int = 1000,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Return simultaneous bands: limits that hold the whole curve of an arm between two times.

        Use them where the course of a curve is read, not its value at a time named beforehand; they are wider than `at`'s limits.

        Parameters
        ----------
        kind : {"equal-precision", "hall-wellner"}
            As wide as pointwise limits times a constant, or wider early and late; the second for Kaplan–Meier only.
        between : (time, time), optional
            Default: from the first event of an arm to its last, as long as somebody is free of it.
        conf_level : float, optional
            Default: that of the curves.
        draws, seed : int
            Where there are weights, clusters or several rows a person, and for incidences, the constant is the quantile of this
            many curves drawn from the influence functions; the same seed gives the same band. Otherwise nothing is drawn.

        Returns
        -------
        pandas.DataFrame
            One row an arm, cause and time: outcome, estimand, arm, cause, time, estimate, std_error (pointwise), critical (the
            constant), conf_low, conf_high (of the band, on the scale of the curves).

        Raises
        ------
        EstimationError
            The curve of an arm does not move between the times.
        NotSupportedError
            Hall–Wellner bands of incidences.

        References
        ----------
        Hall & Wellner (1980), Biometrika 67:133; Nair (1984), Technometrics 26:265; scales: Borgan & Liestøl (1990),
        Scandinavian Journal of Statistics 17:35; drawn: Lin, Fleming & Wei (1994), Biometrika 81:73.
        """
        if self.no_share:
            raise NotSupportedError(f"bands: {self.no_share}")
        ends = None if between is None else moments_of(between, self.data.unit)
        if ends is not None and not (len(ends) == 2 and ends[0] < ends[1]):
            raise EstimationError("bands: between must be two times, the earlier first.")
        one_of(kind, BAND_KINDS, what="bands: kind")
        if self.rising and kind == "hall-wellner":
            raise NotSupportedError(
                "bands: Hall–Wellner bands are of Kaplan–Meier curves; use kind='equal-precision' for incidences."
            )
        if draws < 1:
            raise EstimationError(f"bands: draws must be 1 or more; got {draws}.")
        level = self.conf_level if conf_level is None else conf_level
        normal_quantile(level)
        return bands_of(self, kind, ends, level, draws, np.random.default_rng(seed))

    # influences

    def influence(
        self, times: float | str | Iterable[float | str], *, cause: str | None = None, variance: str | None = None
    ) -> Influence:
        """Return each person's influence on each arm's risk (one minus Kaplan–Meier, or the cause's incidence).

        Parameters
        ----------
        times : time or list of times
            Inside the follow-up of every arm.
        cause : str, optional
            Default: the first.
        variance : {"robust", "stacked"}, optional
            Whether weights count as known or as estimated; default as in the result.

        Raises
        ------
        EstimationError
            A time beyond the follow-up of an arm (named, with its last usable time), an unknown cause.
        """
        moments, index = moments_of(times, self.data.unit), self._cause_index(cause)
        self._within_follow_up(moments)
        asked = self.asked_as(variance)
        return Influence(
            estimate=self._risks(index, moments),
            values=np.stack([self._influence(arm, index, moments, asked) for arm in range(len(self.arms))], axis=1),
            cluster=asked.cluster,
            arms=self.arms,
            n_clusters=asked.n_clusters,
            overlapping=asked.overlapping,
        )

    def _influence(self, arm: int, cause: int, times: Array, asked: Asked) -> Array:
        """Return people's total influences on one arm's risk, shape (P, T)."""
        mine = self.rows[arm]
        rows = self.path(arm, cause).at(self.fits[arm].passed(times)) * np.reshape(asked.beside(mine), (-1, 1))
        each = by_person(rows, self.data.person[mine], len(self.data.baseline))
        return stack(asked, each) * (1.0 if self.rising else -1.0)

    def _risks(self, cause: int, times: Array) -> Array:
        """Return the risk in each arm, shape (A, T)."""
        values = np.stack([self.steps(arm, cause)[fit.passed(times)] for arm, fit in enumerate(self.fits)])
        return values if self.rising else 1.0 - values

    def arm_estimates(
        self, times: Iterable[float | str], *, cause: str | None = None, variance: str | None = None
    ) -> ArmEstimates:
        """Return the risk in each arm at each time with the arms' joint covariance; what `compare` stands on.

        Raises
        ------
        EstimationError
            If a time lies beyond the follow-up of an arm; the message names the arm and its last usable time.
        """
        moments, index = moments_of(times, self.data.unit), self._cause_index(cause)
        self._within_follow_up(moments)
        asked = self.asked_as(variance)
        covariance = np.zeros((len(moments), len(self.arms), len(self.arms)))
        if asked.variance == "model":
            for arm, fit in enumerate(self.fits):
                covariance[:, arm, arm] = self._model_variance(arm, index)[fit.passed(moments)]
        else:
            each = np.stack([self._influence(arm, index, moments, asked) for arm in range(len(self.arms))], axis=2)
            covariance = np.stack([covariance_of(asked, each[:, t, :]) for t in range(len(moments))])
        events = [_so_far(fit.table.n_events[index])[fit.passed(moments)] for fit in self.fits]
        return ArmEstimates(
            arms=self.arms,
            times=moments,
            estimate=self._risks(index, moments).T,
            covariance=covariance,
            n=asked.people_by_arm(self.data),
            n_events=np.stack(events, axis=1),
            variance=asked.variance,
            clusters=asked.clusters_by_arm(self.data),
            n_clusters=asked.n_clusters,
        )

    def asked_as(self, variance: str | None) -> Asked:
        """Return what was asked, with another kind of variance where one is named."""
        return ask_again(self.data, self.asked, variance, what="compare")

    def _cause_index(self, cause: str | None) -> int:
        if cause is None:
            return 0
        if cause not in self.causes:
            raise EstimationError(f"No cause {cause!r} here. {did_you_mean(cause, self.causes)}")
        return self.causes.index(cause)

    def _within_follow_up(self, moments: Array) -> None:
        for arm, fit in zip(self.arms, self.fits, strict=True):
            if moments.max() > fit.times[-1] and fit.ends_open:
                raise EstimationError(
                    f"Time {moments.max():g} lies beyond the follow-up of arm {arm!r}, whose last usable time is {fit.times[-1]:g}."
                )

    # sentences

    def summary(self) -> pd.DataFrame:
        """Return one row an arm and cause at the last time every arm was observed."""
        return self.at(self._common_time())

    def _common_time(self) -> float:
        return min(self.last_times)

    def describe(self) -> str:
        """Return the risks at the last common time in plain sentences."""
        moment = self._common_time()
        when = in_words(moment, self.data.unit)
        sentences = []
        for row in self.at(moment).to_dict("records"):
            risk = (row["estimate"], row["conf_low"], row["conf_high"])
            if not self.rising:
                risk = (1 - risk[0], 1 - risk[2], 1 - risk[1])
            limits = f"{100 * risk[1]:.1f} to {100 * risk[2]:.1f} %" if np.isfinite(risk[1]) else "no interval"
            sentences.append(
                f"{row['arm']}: an estimated {100 * risk[0]:.1f} % had the event {row['cause']!r} by {when} "
                f"({limits}; people: {row['n']:,}, events: {row['n_events']:,})."
            )
        weighted = self.asked.estimand
        if weighted != "none":
            sentences.append(
                "The estimates are weighted" + (f" ({in_capitals(weighted)})." if weighted != "weighted" else ".")
            )
        return " ".join(sentences)


def _so_far(counts: Array) -> IntArray:
    """Return running totals with a leading 0, shape (T + 1,)."""
    return np.concatenate(([0.0], np.cumsum(counts))).astype(np.int64)


def _at_risk(fit: ArmCurve, times: Array) -> IntArray:
    """Return the number of people at risk just before each time: entry < t <= exit (at 0, those who start there)."""
    if not fit.entry.any():
        return np.append(fit.table.n_at_risk, 0.0)[np.searchsorted(fit.times, times)].astype(np.int64)
    entered, left = np.argsort(fit.entry), np.argsort(fit.exit)
    joined = np.concatenate(([0.0], np.cumsum(fit.count[entered])))
    gone = np.concatenate(([0.0], np.cumsum(fit.count[left])))
    before = np.searchsorted(fit.entry[entered], times, side="left")
    there = np.where(times == 0, np.searchsorted(fit.entry[entered], times, side="right"), before)
    staying = joined[there] - gone[np.searchsorted(fit.exit[left], times, side="left")]
    return staying.astype(np.int64)
