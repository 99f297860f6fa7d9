"""Regression of the time free of the event within a horizon, with weights for censoring: an adjusted restricted mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.durations import days, in_words
from outcomes.errors import EstimationError, NotSupportedError, one_of
from outcomes.results import Array, IntArray, Note, Result, read_only
from outcomes.survival.coefficient_table import coefficient_columns, without_spread
from outcomes.survival.design_matrix import design_matrix
from outcomes.survival.estimates import covariance_of, stack
from outcomes.survival.few_clusters import FewClusters, few_clusters
from outcomes.survival.inputs import Asked, ClusterLike, WeightsLike, known_weights, normal_quantile, resolve
from outcomes.survival.mean_time_kernel import fit_mean_time

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RmstRegression", "rmst_regression"]

_MEASURES = ("difference", "ratio", "lost_ratio")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class RmstRegression(Result):
    """Coefficients of a regression of restricted time.

    Attributes
    ----------
    horizon : float
    measure : str
        ``difference`` (of mean times free), ``ratio`` of them, or ``lost_ratio`` (of mean times lost); ratios are logs here.
    terms : tuple of str
    estimate : ndarray, shape (p,)
    covariance : ndarray, shape (p, p)
    variance : str
        ``robust`` or ``stacked``.
    few : FewClusters
        What clusters do to the intervals.
    """

    horizon: float
    measure: str
    terms: tuple[str, ...]
    estimate: Array
    covariance: Array
    variance: str
    n: int
    few: FewClusters
    conf_level: float
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    unit: str = "days"
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "intervals"
    title: ClassVar[str] = "Regression of restricted mean time"
    tabled: ClassVar[bool] = True

    def to_frame(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row a term: outcome, measure, term, time (the horizon), estimate, std_error, statistic, df, p_value,
        limits, n.

        Ratios are logs; with `exponentiate` they and their limits are ratios, and `std_error` stays that of the log.
        """
        import pandas as pd

        if exponentiate and self.measure == "difference":
            raise EstimationError("to_frame: a difference of times is no logarithm; exponentiate is for ratios.")
        found = coefficient_columns(
            self.estimate, self.covariance, self.few, self.conf_level, exponentiate=exponentiate
        )
        return pd.DataFrame(
            {
                "outcome": self.labels.get("outcome", ""),
                "measure": self.measure,
                "term": self.terms,
                "time": self.horizon,
                **found,
                "n": self.n,
            }
        )

    def describe(self) -> str:
        """Return the coefficients in words."""
        when = in_words(self.horizon, self.unit)
        rows = self.to_frame(exponentiate=self.measure != "difference")
        parts = [
            f"{r['term']} {r['estimate']:.3g} ({r['conf_low']:.3g} to {r['conf_high']:.3g})"
            for r in rows[rows["term"] != "intercept"].to_dict("records")
        ]
        what = {
            "difference": f"Difference in mean {self.unit} free of the event",
            "ratio": "Ratio of mean times free of the event",
            "lost_ratio": "Ratio of mean times lost to the event",
        }[self.measure]
        return f"{what} within {when}, adjusted for one another: {'; '.join(parts)}."


def rmst_regression(
    data: SurvivalData,
    formula: str,
    *,
    horizon: float | str,
    measure: str = "difference",
    weights: WeightsLike = None,
    cluster: ClusterLike = None,
    variance: str | None = None,
    conf_level: float = 0.95,
) -> RmstRegression:
    """Regress the time free of the event within a horizon on the arm and covariates.

    Use it for a difference in mean event-free time that is adjusted for covariates, where hazards are not proportional.

    Parameters
    ----------
    data : SurvivalData
        Everybody from time zero; a person may have several rows if they follow one another.
    formula : str
        Columns of ``data.baseline``, such as ``"arm + age + C(risk_band)"``.
    horizon : float or str
        In the data's unit, or (in days) ``"2y"``. Must lie inside the follow-up of every arm.
    measure : {"difference", "ratio", "lost_ratio"}
        Linear in the mean time free, or log-linear in the mean time free or lost.
    weights : Weights, str or array of shape (P,), optional
        Sampling weights, one a person.
    cluster : str or array of shape (P,), optional
        Column of ``data.baseline`` (or codes) whose groups vary together. Default: the cluster of the data.
    variance : {"robust", "stacked"}, optional
        Influences summed by person or cluster, weights as known (default) or as estimated.
    conf_level : float

    Returns
    -------
    RmstRegression
        ``to_frame()``: one row a term with outcome, measure, term, time, estimate, std_error, statistic, p_value, conf_low,
        conf_high, n.

    Raises
    ------
    EstimationError
        The horizon lies beyond the follow-up of an arm; a formula or covariate that cannot be used; nobody lost a time (ratios of
        times lost).
    NotSupportedError
        Late entry, gaps, weights that change over time.

    Notes
    -----
    The event is the first of any cause. Each person whose time to the event or the horizon is known counts for those who were
    censored before: by one over the Kaplan–Meier share not yet censored in the same arm, censorings at the same time taken
    off first (as R's ``survRM2``). Valid if censoring depends on the arm alone. The variance knows that those shares were
    estimated.

    References
    ----------
    Tian, Zhao & Wei (2014), Biostatistics 15:222.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    >>> oc.rmst_regression(data, "fin + age + prio", horizon=52).to_frame()["estimate"].round(3).tolist()
    [43.171, 1.918, 0.161, -0.746]
    """
    must_be_data(data, "rmst_regression(data, formula)")
    one_of(measure, _MEASURES, what="rmst_regression: measure")
    normal_quantile(conf_level)
    one_of(variance or "robust", ("robust", "stacked"), what="rmst_regression: variance")
    end = days(horizon, what="rmst_regression: horizon", unit=data.unit)
    asked = resolve(data, weights, cluster, variance or "robust", what="rmst_regression")
    exit, event = _whole_people(data, asked)
    _inside_follow_up(data, asked, exit, event, end)
    matrix = design_matrix(
        formula, data.baseline, arm=(data.arm_column, np.asarray(data.arm, dtype=np.float64), data.arms),
        what="rmst_regression",
    )  # fmt: skip
    x = np.column_stack((np.ones(len(exit)), matrix.values))
    fit = fit_mean_time(
        x, exit, event, np.asarray(data.arm), asked.weight * asked.count, end, log=measure != "difference",
        lost=measure == "lost_ratio",
    )  # fmt: skip
    few = few_clusters(data, asked, ("intercept", *matrix.terms))
    unit = np.append(1.0, 1 / np.maximum(matrix.values.std(axis=0), 1e-300)) * (end if measure == "difference" else 1.0)
    covariance, exact = without_spread(
        covariance_of(asked, stack(asked, fit.influence)), unit, ("intercept", *matrix.columns)
    )
    return RmstRegression(
        horizon=end,
        measure=measure,
        terms=("intercept", *matrix.columns),
        estimate=read_only(fit.coefficients),
        covariance=read_only(covariance),
        variance=asked.variance,
        n=int(asked.people_by_arm(data).sum()),
        few=few,
        conf_level=conf_level,
        labels=data.labels,
        unit=data.unit,
        notes=(*data.notes, *few.notes, *known_weights(asked), *exact),
    )


def _whole_people(data: SurvivalData, asked: Asked) -> tuple[Array, IntArray]:
    """Return each person's time and whether it ended with an event, shape (P,)."""
    if asked.within is not None:
        raise NotSupportedError(
            "rmst_regression: weights that change over time weigh rows, and this is a regression of people. Give one a person."
        )
    person, entry, exit = data.person, np.asarray(data.entry), np.asarray(data.exit)
    again = person[1:] == person[:-1]
    late = int((entry[np.append(True, ~again)] > 0).sum())
    gaps = int((again & (entry[1:] > exit[:-1])).sum())
    if late or gaps:
        raise NotSupportedError(
            f"rmst_regression: {late:,} people enter after time zero and {gaps:,} rows follow a gap; a mean time from zero is known for "
            "nobody like that. Use rmst with weights."
        )
    last = np.append(~again, True)
    return exit[last], (data.event[last] > 0).astype(np.int64)


def _inside_follow_up(data: SurvivalData, asked: Asked, exit: Array, event: IntArray, end: float) -> None:
    for index, arm in enumerate(data.arms):
        inside = (data.arm == index) & asked.used
        last = float(exit[inside].max())
        if end > last and (event[inside & (exit == last)] == 0).any():
            raise EstimationError(
                f"rmst_regression: the horizon {end:g} lies beyond the follow-up of arm {arm!r}, whose last usable time is {last:g}."
            )
