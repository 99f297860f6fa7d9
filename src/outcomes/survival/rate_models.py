"""Regression of the number of events a person on covariates, given time at risk: the function people call and its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, NotSupportedError, did_you_mean, one_of
from outcomes.results import Array, Note, Result, read_only
from outcomes.survival.coefficient_table import coefficient_columns, without_spread
from outcomes.survival.count_kernel import CountFit, fit_counts, shape_terms
from outcomes.survival.design_matrix import check_columns, design_matrix, in_few_words
from outcomes.survival.estimates import covariance_of, stack
from outcomes.survival.few_clusters import few_clusters
from outcomes.survival.fitted_information import held_wide
from outcomes.survival.inputs import Asked, ClusterLike, WeightsLike, known_weights, normal_quantile, resolve
from outcomes.survival.risk_table import summed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RateModel", "rate_model"]

_FAMILIES = ("quasi_poisson", "poisson", "negative_binomial")
_FEW = 10  # events a term


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class RateModel(Result):
    """A fitted model of event rates; p terms, the first of them the rate where all others are 0.

    Attributes
    ----------
    terms : tuple of str
        ``Intercept``, then the columns of the formula.
    coefficients : ndarray, shape (p,)
        Log rate per unit of time, then log rate ratios.
    covariance : ndarray, shape (p, p)
    theta, theta_std_error : float
        Negative binomial: variance mu + mu² / theta; the standard error is for fixed means. Infinite and missing otherwise.
    loglik, deviance, dispersion : float
        Log likelihood, deviance, and Pearson's chi-squared over its degrees of freedom.
    lr_against_poisson : float
        Twice the gain in log likelihood over the Poisson model.
    """

    data: SurvivalData
    asked: Asked
    formula: str
    family: str
    cause: str
    terms: tuple[str, ...]
    coefficients: Array
    covariance: Array
    theta: float
    theta_std_error: float
    loglik: float
    deviance: float
    dispersion: float
    lr_against_poisson: float
    n_events: int
    conf_level: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "intervals"
    title: ClassVar[str] = "Model of event rates"
    tabled: ClassVar[bool] = True

    def to_frame(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row a term: outcome, cause, term, measure, estimate, std_error, statistic, df (infinite: the
        normal distribution), p_value, conf_low, conf_high, n, n_events.

        Estimates are logs; ``exponentiate=True`` gives rate ratios (the intercept: a rate) and limits (std_error stays on the log
        scale).
        """
        import pandas as pd

        few = few_clusters(self.data, self.asked, self.terms)
        found = coefficient_columns(self.coefficients, self.covariance, few, self.conf_level, exponentiate=exponentiate)
        measures = ["rate", *(["rate_ratio"] * (len(self.terms) - 1))]
        return pd.DataFrame(
            {
                "outcome": self.data.labels.get("outcome", ""),
                "cause": self.cause,
                "term": self.terms,
                "measure": measures if exponentiate else [f"log_{name}" for name in measures],
                **found,
                "n": int(self.asked.people_by_arm(self.data).sum()),
                "n_events": self.n_events,
            }
        )

    def summary(self) -> pd.DataFrame:
        """Return rate ratios with limits, one row a term (the first a rate)."""
        frame = self.to_frame(exponentiate=True)
        return frame[["term", "measure", "estimate", "conf_low", "conf_high", "p_value"]]

    def describe(self) -> str:
        """Return the rate ratios in plain sentences."""
        rows = self.to_frame(exponentiate=True).to_dict("records")
        parts = [f"{r['term']}: {r['estimate']:.2f} ({r['conf_low']:.2f} to {r['conf_high']:.2f})" for r in rows[1:]]
        return (
            f"Ratios of the rate of {self.cause} ({rows[0]['n']:,} people, {self.n_events:,} events, {100 * self.conf_level:g} % "
            f"intervals): {'; '.join(parts)}."
        )


def rate_model(
    data: SurvivalData,
    formula: str,
    *,
    family: str = "quasi_poisson",
    cause: str | None = None,
    weights: WeightsLike = None,
    conf_level: float = 0.95,
    cluster: ClusterLike = None,
    variance: str | None = None,
) -> RateModel:
    """Fit a log-linear model of the number of events a person, given time at risk.

    Use it for a rate ratio adjusted for covariates at time zero.

    Parameters
    ----------
    data : SurvivalData
        As in `event_rate`.
    formula : str
        As in `cox`, on columns of ``data.baseline`` (one value a person).
    family : {"quasi_poisson", "poisson", "negative_binomial"}
        The first two have the same estimates and differ in the model's variance; the third gives people with more time at risk, and
        more events, less say.
    cause : str, optional
        Required where first events of several causes compete; with repeated events the first cause is modelled unless named.
    weights : Weights, str or array of shape (P,), optional
        Sampling weights, one a person.
    conf_level : float
    cluster : str or array of shape (P,), optional
        Column of ``data.baseline`` whose groups vary together. Default: the cluster of the data.
    variance : {"robust", "stacked", "model", "expected"}, optional
        Default: robust by person or cluster; stacked: with the weights as estimated; model: inverse information (quasi-Poisson: times
        Pearson's dispersion; negative binomial: observed, of coefficients and theta together); expected: negative binomial with
        theta taken as known, as in R's glm.nb.

    Returns
    -------
    RateModel
        ``to_frame()`` has one row a term: term, estimate (log rate, then log rate ratios), std_error, statistic, p_value, conf_low,
        conf_high.

    Raises
    ------
    EstimationError
        Unknown or missing covariates (counted), constant or collinear columns, no events, causes competing without `cause`.
    NotSupportedError
        Weights that change over time: a count has one weight.

    Notes
    -----
    The mean is time at risk times exp(x beta); the robust variance holds if that is right, whatever the distribution. Where counts
    spread no more than Poisson counts, the negative binomial is the Poisson model, and a note says so.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models; Lawless (1987), Canadian Journal of Statistics 15:209.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    >>> oc.rate_model(data, "arm").to_frame()["estimate"].round(4).tolist()
    [-4.9886, -0.363]
    """
    must_be_data(data, "rate_model(data, formula)")
    one_of(family, _FAMILIES, what="rate_model: family")
    normal_quantile(conf_level)
    if variance == "expected" and family != "negative_binomial":
        raise EstimationError("rate_model: variance='expected' is for family='negative_binomial'.")
    name = _cause_of(data, cause)
    kind = "robust" if variance is None else "model" if variance == "expected" else variance
    asked = resolve(data, weights, cluster, kind, what="rate_model")
    if asked.within is not None:
        raise NotSupportedError(
            "rate_model: weights change over time, and a person's count has one weight. Use andersen_gill."
        )
    arm = (data.arm_column, data.arm.astype(np.float64), data.arms)
    matrix = design_matrix(formula, data.baseline, arm=arm, what="rate_model")
    used = asked.used
    if not used.all():
        check_columns(matrix.values[used], matrix.columns, "rate_model")
    people, hit = len(used), (data.event == 1 + data.causes.index(name)).astype(np.float64)
    y = summed(data.person, hit, people)[used]
    time = summed(data.person, data.exit - data.entry, people)[used]
    weight, count = (asked.weight * asked.count)[used], asked.count[used]
    if not y.any():
        raise EstimationError(f"rate_model: nobody had the event {name!r}; there is nothing to fit.")
    terms = len(matrix.columns) + 1
    if count.sum() <= terms:
        raise EstimationError(
            f"rate_model: {int(count.sum()):,} people cannot tell {terms:,} coefficients and a spread apart; more are needed."
        )
    centre, scale = matrix.values[used].mean(axis=0), matrix.values[used].std(axis=0)
    x = np.column_stack((np.ones(len(y)), (matrix.values[used] - centre) / scale))
    fit = fit_counts(x, y, time, weight, negative_binomial=family == "negative_binomial")
    _refuse_flat(fit)
    poisson = fit if np.isinf(fit.theta) else fit_counts(x, y, time, weight, negative_binomial=False)
    dispersion = float(weight @ ((y - fit.mean) ** 2 / _spread(fit))) / (float(count.sum()) - x.shape[1])
    each = np.zeros((people, x.shape[1]))
    each[used] = np.linalg.solve(fit.information, fit.scores.T).T[:, : x.shape[1]]
    back = _unscaled(centre, scale)
    away = np.append(False, _runaway(fit))
    scaled = held_wide(_covariance(fit, asked, each, dispersion, family, variance), _model_inverse(fit), away.tolist())
    covariance, exact = without_spread(
        back @ scaled @ back.T,
        np.append(1.0, 1 / scale),
        ("Intercept", *matrix.columns),
    )
    return RateModel(
        data=data, asked=asked, formula=formula, family=family, cause=name, terms=("Intercept", *matrix.columns),
        coefficients=read_only(back @ fit.beta),
        covariance=read_only(covariance),
        theta=fit.theta, theta_std_error=_theta_error(fit, y, weight), loglik=fit.loglik,
        deviance=float(weight @ _deviance(y, fit)), dispersion=dispersion,
        lr_against_poisson=2 * (fit.loglik - poisson.loglik), n_events=int(count @ y), conf_level=conf_level,
        notes=(
            *data.notes, *_about(fit, matrix.columns, int(count @ y), family),
            *few_clusters(data, asked, matrix.terms).notes, *known_weights(asked), *exact,
        ),
    )  # fmt: skip


def _cause_of(data: SurvivalData, cause: str | None) -> str:
    if cause is not None and cause not in data.causes:
        raise EstimationError(f"rate_model: no cause {cause!r}. {did_you_mean(cause, data.causes)}")
    if cause is None and len(data.causes) > 1 and not data.repeated:
        raise EstimationError(
            f"rate_model: {len(data.causes)} causes compete here ({', '.join(data.causes)}); name the one whose rate is asked (cause=)."
        )
    return data.causes[0] if cause is None else cause


def _covariance(
    fit: CountFit, asked: Asked, each: Array, dispersion: float, family: str, variance: str | None
) -> Array:
    """Return the covariance of the scaled coefficients, shape (p, p); `each` (P, p): derivative by people's weights."""
    if asked.variance != "model":
        return covariance_of(asked, stack(asked, each))
    if variance == "expected":
        return np.asarray(np.linalg.inv(fit.expected))
    size = len(fit.beta)
    inverse = np.linalg.inv(fit.information)[:size, :size]
    return np.asarray(inverse * (dispersion if family == "quasi_poisson" else 1.0))


def _refuse_flat(fit: CountFit) -> None:
    """Raise where coefficients have run so far away that no information is left."""
    singular = False
    try:
        np.linalg.inv(fit.information)
        np.linalg.inv(fit.expected)
    except np.linalg.LinAlgError:
        singular = True
    if singular:
        raise EstimationError(
            "rate_model: some coefficient has no finite maximum (no events on one side of a column), and nothing is left to judge the "
            "others by. Join levels, or leave columns out."
        )


def _unscaled(centre: Array, scale: Array) -> Array:
    """Return the matrix that takes coefficients of centred and scaled columns to those of the columns as they are."""
    back = np.diag(np.append(1.0, 1.0 / scale))
    back[0, 1:] = -centre / scale
    return back


def _spread(fit: CountFit) -> Array:
    """Return the variance of each person's count under the model."""
    return fit.mean if np.isinf(fit.theta) else fit.mean + fit.mean**2 / fit.theta


def _deviance(y: Array, fit: CountFit) -> Array:
    """Return each person's part of the deviance."""
    ratio = np.log(np.where(y > 0, y, 1.0) / np.where(y > 0, fit.mean, 1.0))
    if np.isinf(fit.theta):
        return np.asarray(2 * (y * ratio - (y - fit.mean)))
    return np.asarray(2 * (y * ratio - (y + fit.theta) * np.log((y + fit.theta) / (fit.mean + fit.theta))))


def _theta_error(fit: CountFit, y: Array, weight: Array) -> float:
    """Return the standard error of theta for fixed means; missing where theta is infinite."""
    if np.isinf(fit.theta):
        return float("nan")
    curvature = float(weight @ shape_terms(y, fit.mean, fit.theta)[1])
    return float(1 / np.sqrt(-curvature)) if curvature < 0 else float("nan")


def _model_inverse(fit: CountFit) -> Array:
    """Return the inverse of the expected information; where a coefficient runs away variances are large and never negative."""
    values, vectors = np.linalg.eigh(fit.expected)
    return np.asarray((vectors / np.maximum(values, 1e-15 * values.max())) @ vectors.T)


def _runaway(fit: CountFit) -> npt.NDArray[np.bool_]:
    """Return which columns' coefficients have no finite maximum, shape (p - 1,), the intercept left out."""
    error = np.sqrt(np.diag(_model_inverse(fit)))[1:]
    return np.asarray((np.abs(fit.beta[1:]) > 8) | (error > 100))


def _about(fit: CountFit, columns: tuple[str, ...], events: int, family: str) -> list[Note]:
    """Return what must be said about the fit."""
    notes = []
    runaway = [name for name, far in zip(columns, _runaway(fit), strict=True) if far]
    if runaway:
        away = in_few_words(runaway)
        text = f"The coefficient of {away} has no finite maximum (no events on one side); it and its interval mean nothing."
        notes.append(Note("separation", text))
    elif not fit.converged:
        notes.append(Note("not_converged", "The fit stopped after 100 steps without converging."))
    if events < _FEW * len(columns):
        text = f"Fewer than {_FEW} events a term (events: {events:,}; terms: {len(columns)}). Estimates are unstable."
        notes.append(Note("few_events", text))
    if family == "negative_binomial" and np.isinf(fit.theta):
        text = "The counts spread no more than Poisson counts would: theta is infinite, and this is the Poisson model."
        notes.append(Note("no_overdispersion", text))
    return notes
