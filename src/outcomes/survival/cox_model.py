"""Cox regression: the function people call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, NotSupportedError, did_you_mean, must_be, one_of
from outcomes.results import Array, IntArray, Note, read_only
from outcomes.survival.coefficient_table import without_spread
from outcomes.survival.cox_exact import exact_fit
from outcomes.survival.cox_kernel import CoxFit, newton
from outcomes.survival.cox_penalty import climb
from outcomes.survival.cox_result import Cox
from outcomes.survival.cox_rows import CoxRows, centre_and_scale, sort_rows, strata_codes
from outcomes.survival.cox_variance import robust_covariance
from outcomes.survival.design_matrix import DesignMatrix, check_columns, dependent_columns, design_matrix, in_few_words
from outcomes.survival.few_clusters import few_clusters
from outcomes.survival.fitted_information import inverse_information, refuse_flat, runaway
from outcomes.survival.inputs import Asked, ClusterLike, WeightsLike, known_weights, normal_quantile, resolve

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Cox", "cox", "fit_cox"]


@dataclass(frozen=True)
class _Question:
    """What is fitted, resolved and checked; N rows, p columns.

    Attributes
    ----------
    died : ndarray of bool, shape (N,)
    matrix : DesignMatrix
    stratum : ndarray of int, shape (N,), or None
    levels : pandas.DataFrame or None
        Values of the strata's columns by code.
    offset : ndarray, shape (N,), or None
    weight, count : ndarray, shape (N,)
    """

    died: npt.NDArray[np.bool_]
    matrix: DesignMatrix
    stratum: IntArray | None
    levels: pd.DataFrame | None
    offset: Array | None
    weight: Array
    count: Array


def cox(
    data: SurvivalData,
    formula: str,
    *,
    cause: str | None = None,
    weights: WeightsLike = None,
    strata: str | Sequence[str] | None = None,
    cluster: ClusterLike = None,
    offset: str | None = None,
    ties: str = "efron",
    penalty: str | float | None = None,
    robust: bool | None = None,
    conf_level: float = 0.95,
) -> Cox:
    """Fit a Cox proportional hazards model.

    Use it for a relative answer beside an absolute one, or to adjust by regression.

    Parameters
    ----------
    data : SurvivalData
    formula : str
        Terms joined by ``+``: columns of ``data.frame``, ``C(column)`` for factors, ``arm`` (or its original column) with the
        reference first. An effect that changes over time is ``arm * time_band`` on data from `split_follow_up`.
    cause : str, optional
        Required where causes compete: the cause whose hazard is modelled; the others are censored (cause-specific hazard).
    weights : Weights, str or array of shape (P,) or (N,), optional
        Sampling weights, one a person, or one a row where they change over time. Row counts belong to ``survival_data(frequency=)``.
    strata : str or list of str, optional
        Columns of ``data.frame``; each combination has its own baseline hazard.
    cluster : str, optional
        Column of ``data.baseline`` whose groups vary together. Default: the cluster of the data.
    offset : str, optional
        Numeric column of ``data.frame``: a log hazard ratio that is known.
    ties : {"efron", "breslow", "exact"}
        Exact: every order of the tied could have been drawn from those at risk (Cox's discrete model; without weights).
    penalty : "firth" or float, optional
        ``"firth"``: Firth's penalised likelihood with profile-likelihood limits and tests, for few events or a term that separates.
        A number θ: a ridge, θ/2 times the squared coefficients per standard deviation is taken from the log likelihood.
    robust : bool, optional
        Default: robust whenever weighted, clustered or several rows a person.
    conf_level : float

    Returns
    -------
    Cox
        ``to_frame()`` has one row a term: term, estimate (log hazard ratio), std_error, statistic, df, p_value, conf_low, conf_high.

    Raises
    ------
    EstimationError
        Unknown or missing covariates (counted), constant or collinear columns, no events, causes competing without `cause`.
    NotSupportedError
        Exact ties with weights or clusters, Firth's penalty with weights or clusters, shared frailty.

    Notes
    -----
    Risk sets are (entry, exit]. The robust variance is Lin and Wei's with Efron's own scores. A coefficient that runs away
    (a term that separates those with from those without events) is said in a note, never reported in silence. With clusters limits
    are on t with G − 1 degrees of freedom, the variance times G/(G − 1). Limits of a ridge do not know that it pulls towards 0.

    References
    ----------
    Cox (1972), JRSS B 34:187; Efron (1977), JASA 72:557; Lin & Wei (1989), JASA 84:1074; Heinze & Schemper (2001), Biometrics 57:114.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    >>> oc.cox(data, "fin + prio").to_frame()["estimate"].round(4).tolist()
    [-0.3988, 0.1041]
    """
    must_be_data(data, "cox(data, formula)")
    return fit_cox(
        data, formula, cause=cause, weights=weights, strata=strata, cluster=cluster, ties=ties, robust=robust, offset=offset,
        penalty=penalty, conf_level=conf_level, what="cox",
    )  # fmt: skip


def fit_cox(
    data: SurvivalData,
    formula: str,
    *,
    cause: str | None,
    weights: WeightsLike,
    strata: str | Sequence[str] | None,
    cluster: ClusterLike,
    ties: str,
    robust: bool | None,
    conf_level: float,
    offset: str | None = None,
    penalty: str | float | None = None,
    what: str,
) -> Cox:
    """Return the fit of `cox` for whoever asks: `what` is named where something is refused."""
    must_be(formula, str, what=f"{what}(data, formula): formula", expected="text such as 'arm + age'")
    one_of(ties, ("efron", "breslow", "exact"), what=f"{what}: ties")
    normal_quantile(conf_level)
    _refuse_terms(formula, what)
    shrink = _checked_penalty(penalty)
    died, name = _events_of(data, cause, what)
    likelihood = ties == "exact" or penalty == "firth"
    asked = _asked(data, weights, cluster, robust, likelihood=likelihood, what=what)
    asking = _question(data, formula, asked, died, strata, offset, what)
    if not asking.died.any():
        raise EstimationError(f"{what}: nobody had the event {name!r}; there is nothing to fit.")
    rows, centre, scale = _sorted(data, asking, efron=ties == "efron")
    fit = _fit(rows, asking.count[rows.order], ties, penalty, shrink * _sample(asking))
    total = float((asking.weight * asking.count)[asking.died].sum())
    inverse, away, notes = _inverse(
        fit, asking.matrix.columns, int(rows.deaths.sum()), total, penalty, shrink * _sample(asking), what
    )
    model = read_only(inverse / np.outer(scale, scale))
    few = few_clusters(data, asked, asking.matrix.terms)
    result = Cox(
        data=data,
        asked=asked,
        formula=formula,
        cause=name,
        ties=ties,
        design=replace(asking.matrix, values=asking.matrix.values[:0].copy()),
        coefficients=read_only(fit.beta / scale),
        covariance=model,
        model_covariance=model,
        loglik_null=fit.loglik_null,
        loglik=fit.loglik,
        score_statistic=fit.score_statistic,
        rows=rows,
        centre=read_only(centre),
        scale=read_only(scale),
        strata=() if asking.levels is None else tuple(asking.levels.columns),
        strata_levels=asking.levels,
        away=away,
        offset=offset,
        penalty=penalty if penalty is None or isinstance(penalty, str) else float(penalty),
        conf_level=conf_level,
        notes=(*data.notes, *notes, *few.notes, *known_weights(asked)),
    )
    if asked.variance == "model":
        return result
    covariance, exact = without_spread(result.wide_where_away(robust_covariance(result)), 1 / scale, result.terms)
    return replace(result, covariance=read_only(covariance), notes=(*result.notes, *exact))


def _refuse_terms(formula: str, what: str) -> None:
    """Raise where the formula asks for what R writes into formulas and what is asked otherwise here."""
    instead = {
        "frailty": "a shared frailty is not fitted. Use cluster= for a robust variance by cluster, or strata= for a baseline of its own.",
        "strata": "give strata= the columns.",
        "cluster": "give cluster= the column.",
        "offset": "give offset= the column.",
        "tt": "cut the follow-up by split_follow_up(data, at=[…]) and fit arm * time_band.",
        "ridge": "give penalty= a number.",
    }
    for name, text in instead.items():
        if re.search(rf"\b{name}\s*\(", formula):
            raise NotSupportedError(f"{what}: {name}(…) in a formula: {text}")


def _checked_penalty(penalty: str | float | None) -> float:
    """Return the weight of a ridge, 0 where there is none."""
    if penalty is None:
        return 0.0
    if isinstance(penalty, str):
        one_of(penalty, ("firth",), what="cox: penalty")
        return 0.0
    if isinstance(penalty, bool) or not 0 < penalty < np.inf:
        raise EstimationError(f"cox: penalty must be 'firth' or a number above 0; got {penalty}.")
    return float(penalty)


def _asked(
    data: SurvivalData, weights: WeightsLike, cluster: ClusterLike, robust: bool | None, *, likelihood: bool, what: str
) -> Asked:
    """Return weights, clusters and variance; `likelihood`: the fit needs one of independent people."""
    variance = None if robust is None else ("robust" if robust else "model")
    if not likelihood:
        return resolve(data, weights, cluster, variance, what=what)
    if weights is not None or cluster is not None or data.cluster is not None or robust:
        raise NotSupportedError(
            f"{what}: ties='exact' and penalty='firth' stand on a likelihood of independent people: not with weights, clusters or a robust "
            "variance. Fit with ties='efron' and without a penalty."
        )
    return resolve(data, None, None, "model", what=what)


def _question(
    data: SurvivalData,
    formula: str,
    asked: Asked,
    died: npt.NDArray[np.bool_],
    strata: str | Sequence[str] | None,
    offset: str | None,
    what: str,
) -> _Question:
    arm = (data.arm_column, data.row_arm.astype(np.float64), data.arms)
    matrix = design_matrix(formula, data.frame, arm=arm, what=what, unsaid=data.time_columns)
    weight = asked.by_row(data)
    used = weight > 0
    if not used.all():
        check_columns(matrix.values[used], matrix.columns, what)
    stratum, levels = strata_codes(data, strata, what=what), None
    if strata is not None and stratum is not None:
        first = np.unique(stratum, return_index=True)[1]
        levels = data.frame[[strata] if isinstance(strata, str) else list(strata)].iloc[first].reset_index(drop=True)
    return _Question(died & used, matrix, stratum, levels, _offset(data, offset), weight, asked.count[data.person])


def _offset(data: SurvivalData, name: str | None) -> Array | None:
    if name is None:
        return None
    if name not in data.frame.columns:
        raise EstimationError(f"cox: no column {name!r} (offset). {did_you_mean(name, map(str, data.frame.columns))}")
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(data.frame[name]):
        raise EstimationError(f"cox: column {name!r} (offset) must hold numbers.")
    values = data.frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise EstimationError(f"cox: column {name!r} (offset) is missing or infinite in {bad:,} rows.")
    return np.asarray(values)


def _sorted(data: SurvivalData, asking: _Question, *, efron: bool) -> tuple[CoxRows, Array, Array]:
    """Return the sorted rows, and the mean and standard deviation of each column."""
    values = asking.matrix.values
    centre, scale = centre_and_scale(values, asking.weight * asking.count)
    rows = sort_rows(
        np.asarray(data.entry), np.asarray(data.exit), asking.died, asking.stratum, asking.weight, asking.count, values, centre, scale,
        efron=efron, offset=asking.offset,
    )  # fmt: skip
    return rows, centre, scale


def _sample(asking: _Question) -> float:
    """Return n/(n − 1): a ridge counts in standard deviations of a sample."""
    size = float((asking.count * (asking.weight > 0)).sum())
    return size / (size - 1) if size > 1 else 1.0


def _fit(rows: CoxRows, count: Array, ties: str, penalty: str | float | None, ridge: float) -> CoxFit:
    if ties == "exact":
        if penalty is not None:
            raise NotSupportedError("cox: no penalty with ties='exact'; take ties='efron'.")
        return exact_fit(rows, count)
    if penalty != "firth":
        return newton(rows, ridge=ridge)
    zero = np.zeros(len(rows.x))
    start = climb(rows, zero, np.zeros(len(zero), dtype=bool), firth=True)
    flat = dependent_columns(start.information, floor=1e-10 * float(rows.deaths.sum()))
    if flat:
        return CoxFit(zero, start.information, start.information, start.value, start.value, 0.0, 0, True)
    top = climb(rows, zero, np.ones(len(zero), dtype=bool), firth=True)
    return CoxFit(top.beta, top.information, start.information, top.value, start.value, float("nan"), 0, top.converged)


def _events_of(data: SurvivalData, cause: str | None, what: str) -> tuple[Any, str]:
    if cause is None:
        if len(data.causes) > 1:
            raise EstimationError(
                f"{what}: {len(data.causes)} causes compete here ({', '.join(data.causes)}); name the one whose hazard is asked (cause=)."
            )
        return np.asarray(data.event) > 0, data.causes[0]
    if cause not in data.causes:
        raise EstimationError(f"{what}: no cause {cause!r}. {did_you_mean(cause, data.causes)}")
    return np.asarray(data.event) == 1 + data.causes.index(cause), cause


def _inverse(
    fit: CoxFit,
    columns: tuple[str, ...],
    events: int,
    weight: float,
    penalty: str | float | None,
    ridge: float,
    what: str,
) -> tuple[Array, tuple[str, ...], tuple[Note, ...]]:
    """Return the inverse information on the scaled columns, terms that run away, and what must be said about the fit.

    `weight` is the events' total.
    """
    notes: list[Note] = []
    refuse_flat(fit, columns, weight, what=what)
    inverse = inverse_information(fit, ridge)
    away = () if penalty is not None else tuple(runaway(fit, inverse, columns))
    if away:
        notes.append(
            Note(
                "separation",
                f"The coefficient of {in_few_words(away)} has no finite maximum (all or no events on one side); it and its "
                "interval mean nothing. Firth's penalised likelihood (penalty='firth') gives an answer.",
            )
        )
    elif not fit.converged:
        notes.append(Note("not_converged", f"The fit stopped after {fit.iterations} steps without converging."))
    if events < 10 * len(columns) and penalty != "firth":
        text = (
            f"Fewer than 10 events a term (events: {events:,}; terms: {len(columns)}). Estimates are unstable and biased away from 0; "
            "penalty='firth' takes most of the bias."
        )
        notes.append(Note("few_events", text))
    if ridge:
        text = "Estimates are pulled towards 0 by a ridge; their intervals do not know it."
        notes.append(Note("ridge", text))
    return inverse, away, tuple(notes)
