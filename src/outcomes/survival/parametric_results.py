"""What a parametric model of time gives: coefficients, curves by arm, predictions, and what of it is extrapolation."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.durations import in_words, moments_of
from outcomes.errors import EstimationError, NotSupportedError, one_of
from outcomes.results import Array, IntArray, Note, Result
from outcomes.survival.coefficient_table import coefficient_columns
from outcomes.survival.cured_share import cured_share
from outcomes.survival.estimates import covariance_of, stack
from outcomes.survival.few_clusters import few_clusters, reach_of_model
from outcomes.survival.inputs import Asked
from outcomes.survival.intervals import probability_limits
from outcomes.survival.parametric_curves import Averaged, Estimate, averaged_survival, event_times, survival
from outcomes.survival.parametric_design import INTERCEPT, ParametricDesign

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from outcomes.design.data import SurvivalData
    from outcomes.survival.parametric_families import Family

__all__ = ["Parametric"]

_PROPORTIONAL = ("weibull", "exponential", "spline")
_NAMES = {"generalized_gamma": "generalized gamma", "spline": "Royston–Parmar spline", "cure": "mixture cure"}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Parametric(Result):
    """A fitted distribution of time; p coefficients of all parameters, P people.

    Attributes
    ----------
    distribution, formula, cause : str
    design : ParametricDesign
        Parameter and term of each coefficient, and everybody's columns.
    theta, theta_covariance, theta_model_covariance : ndarray, shape (p,), (p, p)
        Coefficients as the distribution takes them; the covariance in use; the inverse information.
    scores : ndarray, shape (P, p)
        Derivative of each person's log likelihood, weights that change over time counted and no others.
    loglik : float
        On the time scale; weighted where there are weights.
    last_times : tuple of float
        Last time anybody was at risk in each arm; what lies beyond is extrapolation.
    n_events : int
    """

    data: SurvivalData
    asked: Asked
    distribution: str
    formula: str
    cause: str
    family: Family
    design: ParametricDesign
    theta: Array
    theta_covariance: Array
    theta_model_covariance: Array
    scores: Array
    loglik: float
    last_times: tuple[float, ...]
    n_events: int
    conf_level: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "parametric"
    title: ClassVar[str] = "Parametric model"

    # coefficients

    @property
    def coefficients(self) -> Array:
        """Coefficients as reported, shape (p,): for the spline on log time and the cubes of Royston and Parmar."""
        return np.asarray(self._report @ self.theta)

    @property
    def covariance(self) -> Array:
        """Covariance of the coefficients as reported, shape (p, p)."""
        return np.asarray(self._report @ self.theta_covariance @ self._report.T)

    @property
    def model_covariance(self) -> Array:
        """Inverse information of the coefficients as reported, shape (p, p)."""
        return np.asarray(self._report @ self.theta_model_covariance @ self._report.T)

    @property
    def _report(self) -> Array:
        return self.family.as_reported(len(self.theta))

    @property
    def n(self) -> int:
        """Number of people with a weight above 0, frequencies counted."""
        return int(self.asked.people_by_arm(self.data).sum())

    @property
    def aic(self) -> float:
        """Akaike's criterion; missing where people are weighted, whose likelihood is that of nobody."""
        return float("nan") if self.asked.weighted else 2 * len(self.theta) - 2 * self.loglik

    @property
    def bic(self) -> float:
        """Bayesian criterion with the number of people; missing where people are weighted."""
        return float("nan") if self.asked.weighted else float(np.log(self.n)) * len(self.theta) - 2 * self.loglik

    def to_frame(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row a coefficient: parameter, term, measure, estimate, std_error, statistic, df, p_value,
        conf_low, conf_high.

        Also outcome, cause, distribution, n, n_events. Estimates of the location are log time ratios, of the spline's level log hazard
        ratios, of the cured share log odds ratios; ``exponentiate=True`` gives the ratios and their limits (std_error stays on the log
        scale), and leaves coefficients that are no logarithm as they are.
        """
        import pandas as pd

        measures = [
            self.family.measure(parameter, intercept=term == INTERCEPT)
            for parameter, term in zip(self.design.parameter, self.design.term, strict=True)
        ]
        few = few_clusters(self.data, self.asked, self.design.term)
        wald = coefficient_columns(self.coefficients, self.covariance, few, self.conf_level, exponentiate=False)
        if exponentiate:
            logs = np.array([measure.startswith("log_") for measure in measures])
            wald, measures = _exponentiated(wald, logs), [m.removeprefix("log_") for m in measures]
        return pd.DataFrame(
            {
                "outcome": self.data.labels.get("outcome", ""),
                "cause": self.cause,
                "distribution": self.distribution,
                "parameter": self.design.parameter,
                "term": self.design.term,
                "measure": measures,
                **wald,
                "n": self.n,
                "n_events": self.n_events,
            }
        )

    def hazard_ratios(self) -> pd.DataFrame:
        """Return hazard ratios of the covariates: term, measure, estimate, std_error (of the log), statistic, p_value, conf_low, conf_high.

        Raises
        ------
        NotSupportedError
            The model's hazards are not proportional: all but weibull, exponential and spline, and where the scale has covariates.
        """
        import pandas as pd

        plain = all(term == INTERCEPT for term, name in zip(self.design.term, self.design.parameter, strict=True)
                    if name != self.family.names[0])  # fmt: skip
        if self.distribution not in _PROPORTIONAL or not plain:
            raise NotSupportedError(
                "hazard_ratios: hazards of this model are not proportional. Read its coefficients as to_frame(exponentiate=True) has them, "
                "and risks from at()."
            )
        size = self.design.sizes[0]
        scale = {"weibull": float(np.exp(self.theta[-1])), "exponential": 1.0, "spline": -1.0}[self.distribution]
        value = -self.theta[1:size] / scale
        slope = np.zeros((size - 1, len(self.theta)))
        slope[:, 1:size] = -np.eye(size - 1) / scale
        if self.distribution == "weibull":
            slope[:, -1] = -value
        terms = self.design.term[1:size]
        few = few_clusters(self.data, self.asked, terms)
        covariance = slope @ self.theta_covariance @ slope.T
        wald = coefficient_columns(value, covariance, few, self.conf_level, exponentiate=False)
        return pd.DataFrame(
            {"term": terms, "measure": "hazard_ratio", **_exponentiated(wald, np.ones(len(terms), dtype=bool))}
        )

    def summary(self) -> pd.DataFrame:
        """Return ratios with limits, one row a covariate of the first parameter (all coefficients where there is none)."""
        frame = self.to_frame(exponentiate=True)
        covariates = frame[(frame["parameter"] == self.family.names[0]) & (frame["term"] != INTERCEPT)]
        shown = covariates if len(covariates) else frame
        return shown[["parameter", "term", "measure", "estimate", "conf_low", "conf_high", "p_value"]].reset_index(
            drop=True
        )

    def influence(self) -> Array:
        """Return each person's influence on `theta`, shape (P, p); summed by cluster its square is the robust covariance."""
        return stack(self.asked, self.scores @ self.theta_model_covariance)

    # curves

    def at(self, times: float | str | Iterable[float | str], *, measure: str = "survival") -> pd.DataFrame:
        """Return curves of the arms at chosen times, standardised: everybody's covariates, as if all had been in the arm.

        Where there are weights the average is weighted; where they change over time, by what a person weighs at the start.

        Parameters
        ----------
        times : time or list of times
        measure : {"survival", "risk"}

        Returns
        -------
        pandas.DataFrame
            One row per arm and time: outcome, estimand, cause, arm, time, measure, estimate, std_error, conf_low, conf_high (on
            the log-log scale; of the model and of the people averaged over, who are a sample too), n, n_at_risk (in the arm, just
            before the time), extrapolated (the time lies beyond the last time anybody was at risk in that arm).
        """
        import pandas as pd

        one_of(measure, ("survival", "risk"), what="at: measure")
        moments = moments_of(times, self.data.unit)
        weight = self._averaged_over("at")
        people = self.asked.people_by_arm(self.data)
        frames = []
        for arm, name in enumerate(self.data.arms):
            curve = averaged_survival(self.family, self.design.in_arm(arm), weight, self.theta, moments)
            frames.append(
                pd.DataFrame(
                    {
                        "outcome": self.data.labels.get("outcome", ""),
                        "estimand": self.asked.estimand,
                        "cause": self.cause,
                        "arm": name,
                        "time": moments,
                        **self._shares(curve, measure),
                        "n": people[arm],
                        "n_at_risk": self._at_risk(arm, moments),
                        "extrapolated": moments > self.last_times[arm],
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    def predict(self, new: pd.DataFrame, times: float | str | Iterable[float | str]) -> pd.DataFrame:
        """Return the share still free of the event among people like each row of `new`, at chosen times.

        Columns: profile (the index of `new`, as text), time, measure, estimate, std_error, conf_low, conf_high, extrapolated (beyond
        the last time anybody was at risk; in the row's arm, where `new` names it). `new` names the arm as ``arm`` or by its column.
        """
        import pandas as pd

        moments, designs = moments_of(times, self.data.unit), self.design.columns_of(new, "predict")
        last, names = self._last_time_of(new), new.index.astype(str).to_numpy(dtype=object)
        frames = []
        for time in moments:
            each = survival(self.family, designs, self.theta, float(time))
            known = {"profile": names, "order": np.arange(len(new)), "time": time, **self._shares(each, "survival")}
            frames.append(pd.DataFrame({**known, "extrapolated": time > last}))
        return (
            pd.concat(frames, ignore_index=True)
            .sort_values(["order", "time"], kind="stable", ignore_index=True)
            .drop(columns="order")
        )

    def quantile(self, new: pd.DataFrame, shares: float | Iterable[float] = 0.5) -> pd.DataFrame:
        """Return the time by which a share of people like each row of `new` have had the event.

        Columns: profile, share, time, std_error, conf_low, conf_high (on the log scale), extrapolated. Infinite where the model says that
        so many never have it.
        """
        import pandas as pd

        wanted = [float(s) for s in ([shares] if isinstance(shares, (int, float, numbers.Real)) else shares)]
        if not all(0 < s < 1 for s in wanted):
            raise EstimationError("quantile: shares must lie between 0 and 1.")
        designs, last, critical = (
            self.design.columns_of(new, "quantile"),
            self._last_time_of(new),
            reach_of_model(self.asked, self.conf_level),
        )
        names = new.index.astype(str).to_numpy(dtype=object)
        frames = []
        for share in wanted:
            log_time = event_times(self.family, designs, self.theta, share)
            error = log_time.std_error(self.theta_covariance)
            with np.errstate(over="ignore", invalid="ignore"):
                time, reach = np.exp(log_time.value), np.exp(critical * error)
                limits = {"std_error": time * error, "conf_low": time / reach, "conf_high": time * reach}
            known = {"profile": names, "order": np.arange(len(new)), "share": share, "time": time, **limits}
            frames.append(pd.DataFrame({**known, "extrapolated": time > last}))
        return (
            pd.concat(frames, ignore_index=True)
            .sort_values(["order", "share"], kind="stable", ignore_index=True)
            .drop(columns="order")
        )

    def cured_share(self) -> pd.DataFrame:
        """Return the share that never has the event, by arm: arm, estimate, std_error, conf_low, conf_high, n; standardised as `at`.

        Raises
        ------
        NotSupportedError
            Every distribution but cure.
        """
        import pandas as pd

        if self.distribution != "cure":
            raise NotSupportedError("cured_share: this distribution has no cured share; fit distribution='cure'.")
        weight, frames = self._averaged_over("cured_share"), []
        for arm in range(len(self.data.arms)):
            share = cured_share(self.design.in_arm(arm), weight, self.theta)
            frames.append(pd.DataFrame(self._shares(share, "cured_share", "logit")))
        found = pd.concat(frames, ignore_index=True).assign(n=self.asked.people_by_arm(self.data))
        found.insert(0, "arm", list(self.data.arms))
        return found

    def _averaged_over(self, what: str) -> Array:
        """Return what each person counts for in an average over everybody, shape (P,)."""
        weight = self.asked.at_start(self.data)
        if not weight.sum() > 0:
            raise EstimationError(f"{what}: every weight is 0 at the start of people; there is nobody to average over.")
        return weight

    def _shares(self, found: Estimate, measure: str, conf_type: str = "log-log") -> dict[str, Any]:
        error = self._error_of_means(found) if isinstance(found, Averaged) else found.std_error(self.theta_covariance)
        low, high = probability_limits(found.value, error, reach_of_model(self.asked, self.conf_level), conf_type)
        value = np.clip(found.value, 0.0, 1.0)
        if measure == "risk":
            value, low, high = 1 - value, 1 - high, 1 - low
        return {"measure": measure, "estimate": value, "std_error": error, "conf_low": low, "conf_high": high}

    def _error_of_means(self, found: Averaged) -> Array:
        """Return standard errors of means over people, who are a sample too: of the model, and of who is averaged over."""
        weight, asked = self._averaged_over("at"), self.asked
        alone = asked.weight * asked.count
        share = np.divide(weight / weight.sum(), alone, out=np.zeros(len(weight)), where=alone > 0)
        averaging = share[:, None] * found.apart()
        if asked.variance == "model":
            own = ((asked.weight**2 * asked.count)[:, None] * averaging**2).sum(axis=0)
            return np.asarray(np.sqrt(found.std_error(self.theta_covariance) ** 2 + own))
        derivative = self.scores @ self.theta_model_covariance @ found.slope.T + averaging
        return np.sqrt(np.diag(covariance_of(asked, stack(asked, derivative))))

    def _last_time_of(self, new: pd.DataFrame) -> Array:
        """Return the last time at risk in each row's arm, of anybody where `new` does not name it, shape (n,)."""
        for name in ("arm", self.data.arm_column):
            if name is not None and name in new.columns and new[name].astype(str).isin(self.data.arms).all():
                return np.array([self.last_times[self.data.arms.index(str(value))] for value in new[name]])
        return np.full(len(new), max(self.last_times))

    def _at_risk(self, arm: int, times: Array) -> IntArray:
        """Return the number of people of an arm at risk just before each time (at 0, those who start there)."""
        rows = (self.data.row_arm == arm) & (self.asked.by_row(self.data) > 0)
        count = self.asked.count[self.data.person[rows]]
        entry, end = self.data.entry[rows], self.data.exit[rows]
        inside = [((entry < t) | (entry <= t) & (t == 0)) & (t <= end) for t in times]
        return np.array([count[here].sum() for here in inside]).astype(np.int64)

    # pictures and sentences

    def plot(self, ax: Axes | None = None, *, horizon: float | None = None) -> Axes:
        """Draw the risk in each arm up to `horizon`; extrapolation is dashed and labelled. Default: half as long again as follow-up."""
        from importlib import import_module

        return import_module("outcomes.figures").draw("parametric", self, ax=ax, horizon=horizon)  # type: ignore[no-any-return]

    def describe(self) -> str:
        """Return the ratios in plain sentences, and what is extrapolation."""
        unit, last = self.data.unit, max(self.last_times)
        when = in_words(last, unit)
        name = _NAMES.get(self.distribution, self.distribution)
        head = (
            f"{name[0].upper()}{name[1:]} model of the time to {self.cause} "
            f"({self.n:,} people, {self.n_events:,} events, {100 * self.conf_level:g} % intervals)."
        )
        shown = self.summary()
        if (shown["term"] != INTERCEPT).any():
            ratio = shown["measure"].iloc[0].replace("_", " ")
            parts = [f"{r['term']} {_interval(r, 1)}" for r in shown.to_dict("records")]
            head += f" {ratio.capitalize()}s: {'; '.join(parts)}. {self.family.sentence}"
        if self.distribution == "cure":
            cured = [f"{r['arm']} {_interval(r, 100)} %" for r in self.cured_share().to_dict("records")]
            head += f" Estimated share that never has the event: {'; '.join(cured)}."
        return f"{head} Nobody was at risk after {when}: what the model says of later times is extrapolation."


def _exponentiated(wald: dict[str, Array], where: Any) -> dict[str, Array]:
    with np.errstate(over="ignore"):  # the limits of a term that separates are infinite
        ratio = {
            name: np.where(where, np.exp(wald[name]), wald[name]) for name in ("estimate", "conf_low", "conf_high")
        }
    return {**wald, **ratio}


def _interval(row: Mapping[Any, Any], times: float) -> str:
    digits = 2 if times == 1 else 1
    shown = (f"{times * row[name]:.{digits}f}" for name in ("estimate", "conf_low", "conf_high"))
    value, low, high = shown
    return f"{value} ({low} to {high})"
