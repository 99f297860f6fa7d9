"""Kaplan–Meier and Aalen–Johansen curves by arm: the functions people call and the results they get."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, did_you_mean, one_of
from outcomes.results import Array, IntArray, Note
from outcomes.survival.curve_kernel import ArmCurve, fit_arm
from outcomes.survival.curve_quantiles import crossing
from outcomes.survival.curve_results import Curves, fit_arms
from outcomes.survival.few_clusters import about_clusters_of_arms
from outcomes.survival.incidence_variance import aalen_variance
from outcomes.survival.influence_paths import InfluencePath
from outcomes.survival.inputs import ClusterLike, WeightsLike, known_weights, normal_quantile, resolve
from outcomes.survival.intervals import CONF_TYPES

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["CumulativeIncidence", "Curves", "KaplanMeier", "cumulative_incidence", "event_of", "kaplan_meier"]


def kaplan_meier(
    data: SurvivalData,
    *,
    weights: WeightsLike = None,
    cause: str | None = None,
    conf_type: str = "log-log",
    conf_level: float = 0.95,
    cluster: ClusterLike = None,
    variance: str | None = None,
) -> KaplanMeier:
    """Estimate the share still free of the event over time, by arm (Kaplan–Meier).

    Use it where nothing competes with the event. Where something does (death, deportation), `cumulative_incidence` gives
    risks; here say with `cause` what to do.

    Parameters
    ----------
    data : SurvivalData
    weights : Weights, str or array of shape (P,) or (N,), optional
        Sampling weights, one a person, or one a row where they change over time: a result of `weight`, a column of
        ``data.baseline``, or numbers.
    cause : str, optional
        Required where causes compete: the name of one cause (others are censored, with a note), or ``"any"`` (all causes are one
        event).
    conf_type : {"log-log", "log", "plain", "logit", "arcsine"}
    conf_level : float
    cluster : str or array of shape (P,), optional
        Column of ``data.baseline`` (or codes) whose groups vary together. Default: the cluster of the data. Limits are then on t with one
        less than the clusters G of the arm, and wider by sqrt(G/(G - 1)).
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
    must_be_data(data, "kaplan_meier(data)")
    one_of(conf_type, CONF_TYPES, what="kaplan_meier: conf_type")
    normal_quantile(conf_level)
    event, label, notes = event_of(data, cause, what="kaplan_meier")
    asked = resolve(data, weights, cluster, variance, what="kaplan_meier")
    fits, rows, more = fit_arms(data, asked, event, 1, "kaplan_meier")
    notes = (*notes, *more, *about_clusters_of_arms(data, asked), *known_weights(asked))
    return KaplanMeier(
        data=data, asked=asked, fits=fits, rows=rows, causes=(label,), conf_type=conf_type, conf_level=conf_level,
        notes=(*data.notes, *notes),
    )  # fmt: skip


def cumulative_incidence(
    data: SurvivalData,
    *,
    weights: WeightsLike = None,
    conf_type: str = "log-log",
    conf_level: float = 0.95,
    cluster: ClusterLike = None,
    variance: str | None = None,
) -> CumulativeIncidence:
    """Estimate the share that has had each cause by each time, by arm (Aalen–Johansen).

    Use it for risks whenever something competes with the outcome; with a single cause it is one minus Kaplan–Meier.

    Parameters
    ----------
    data : SurvivalData
    weights : Weights, str or array of shape (P,) or (N,), optional
        Sampling weights, one a person, or one a row where they change over time.
    conf_type : {"log-log", "log", "plain", "logit", "arcsine"}
    conf_level : float
    cluster : str or array of shape (P,), optional
        Column of ``data.baseline`` (or codes) whose groups vary together. Default: the cluster of the data. Limits are then on t with one
        less than the clusters G of the arm, and wider by sqrt(G/(G - 1)).
    variance : {"robust", "stacked", "aalen"}, optional
        Default: infinitesimal jackknife by person or cluster; stacked: with the weights as estimated; aalen: the sum of squared
        martingale terms, for plain data (as R's ``cmprsk``).

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
    Aalen & Johansen (1978), Scandinavian Journal of Statistics 5:141; Aalen (1978), Annals of Statistics 6:534.

    Examples
    --------
    >>> import pandas as pd, outcomes as oc
    >>> frame = pd.DataFrame({"day": [5, 8, 9, 12], "end": ["sexual", "death", "sexual", "none"]})
    >>> data = oc.survival_data(frame, duration="day", event="end", censored="none", causes=["sexual", "death"])
    >>> oc.cumulative_incidence(data).at(9)[["cause", "estimate"]].values.tolist()
    [['sexual', 0.5], ['death', 0.25]]
    """
    must_be_data(data, "cumulative_incidence(data)")
    one_of(conf_type, CONF_TYPES, what="cumulative_incidence: conf_type")
    normal_quantile(conf_level)
    kind = one_of(variance or "robust", ("robust", "stacked", "aalen"), what="cumulative_incidence: variance")
    asked = resolve(data, weights, cluster, "model" if kind == "aalen" else kind, what="cumulative_incidence")
    fits, rows, more = fit_arms(data, asked, np.asarray(data.event), len(data.causes), "cumulative_incidence")
    notes = (*more, *about_clusters_of_arms(data, asked), *known_weights(asked))
    return CumulativeIncidence(
        data=data, asked=asked, fits=fits, rows=rows, causes=data.causes, conf_type=conf_type, conf_level=conf_level,
        notes=(*data.notes, *notes),
    )  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class KaplanMeier(Curves):
    """Share still free of the event over time, by arm."""

    drawing: ClassVar[str | None] = "kaplan_meier"
    title: ClassVar[str] = "Kaplan–Meier"
    rising: ClassVar[bool] = False

    def steps(self, arm: int, cause: int) -> Array:
        """Return the curve after each number of times passed, shape (T + 1,)."""
        return np.concatenate(([1.0], self.fits[arm].survival))

    def path(self, arm: int, cause: int) -> InfluencePath:
        """Return how the curve moves with each row's weight."""
        return self.fits[arm].survival_path()

    def _model_variance(self, arm: int, cause: int) -> Array:
        table = self.fits[arm].table
        greenwood = np.cumsum(table.per_at_risk(table.ended) * table.per_survivor())
        return self.steps(arm, 0) ** 2 * np.concatenate(([0.0], greenwood))

    def summary(self) -> pd.DataFrame:
        """Return one row an arm: n, n_events, n_censored, median time with limits, median follow-up (reverse Kaplan–Meier)."""
        import pandas as pd

        median = self.quantile(0.5)
        people = self.asked.people_by_arm(self.data)
        return pd.DataFrame(
            {
                "arm": self.arms,
                "n": people,
                "n_events": [int(fit.table.n_events.sum()) for fit in self.fits],
                "n_censored": [int(fit.table.n_censored.sum()) for fit in self.fits],
                "median": median["time"],
                "conf_low": median["conf_low"],
                "conf_high": median["conf_high"],
                "median_follow_up": [_median_follow_up(fit) for fit in self.fits],
            }
        )


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CumulativeIncidence(Curves):
    """Share that has had each cause by each time, by arm, all causes at once."""

    drawing: ClassVar[str | None] = "cumulative_incidence"
    title: ClassVar[str] = "Cumulative incidence"

    def steps(self, arm: int, cause: int) -> Array:
        """Return the curve after each number of times passed, shape (T + 1,)."""
        return np.concatenate(([0.0], self.fits[arm].cif[cause]))

    def path(self, arm: int, cause: int) -> InfluencePath:
        """Return how the curve moves with each row's weight."""
        return self.fits[arm].incidence_path(cause + 1)

    def _model_variance(self, arm: int, cause: int) -> Array:
        fit = self.fits[arm]
        return np.concatenate(([0.0], aalen_variance(fit.table, fit.survival, fit.cif[cause], cause)))

    def event_free(self, times: float | str | Iterable[float | str]) -> pd.DataFrame:
        """Return the share free of every cause: one row an arm and time, columns as in `at` (cause ``event_free``)."""
        free = KaplanMeier(
            data=self.data, asked=self.asked, fits=self.fits, rows=self.rows, causes=("event_free",),
            conf_type=self.conf_type, conf_level=self.conf_level,
        )  # fmt: skip
        frame = free.at(times)
        total = self.at(times).groupby(["arm", "time"], sort=False)["n_events"].sum()
        return frame.assign(n_events=total.loc[list(zip(frame["arm"], frame["time"], strict=True))].to_numpy())


def _median_follow_up(fit: ArmCurve) -> float:
    """Return the median time to censoring, events taken as its censoring (Schemper & Smith 1996)."""
    ended = ((fit.event == 0) & fit.final).astype(np.int64)
    reverse = fit_arm(fit.entry, fit.exit, ended, fit.weight, fit.count, 1)
    return crossing(reverse.times, reverse.survival, 0.5)


def event_of(data: SurvivalData, cause: str | None, *, what: str) -> tuple[IntArray, str, tuple[Note, ...]]:
    """Return the event of a curve that knows one cause, its name, and what to say about the others."""
    if len(data.causes) == 1 and cause in (None, "any", data.causes[0]):
        return np.asarray(data.event), data.causes[0], ()
    if cause is None:
        together = "" if "any" in data.causes else " or cause='any' (all of them one event)"
        raise EstimationError(
            f"{what}: {len(data.causes)} causes compete here ({', '.join(data.causes)}). Use cumulative_incidence for risks; or "
            f"cause={data.causes[0]!r} (the others censored){together}."
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
    raise EstimationError(f"{what}: no cause {cause!r}. {did_you_mean(cause, [*data.causes, 'any'])}")
