"""Fine–Gray regression of the cumulative incidence: the function people call, and its fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, NotSupportedError, did_you_mean, one_of
from outcomes.results import Array, IntArray, Note, read_only
from outcomes.survival.coefficient_table import without_spread
from outcomes.survival.competing_rows import CompetingRows, with_rivals
from outcomes.survival.cox_kernel import CoxFit, newton
from outcomes.survival.cox_rows import centre_and_scale, sort_rows, strata_codes
from outcomes.survival.design_matrix import DesignMatrix, check_columns, design_matrix, in_few_words
from outcomes.survival.estimates import covariance_of, stack
from outcomes.survival.few_clusters import few_clusters
from outcomes.survival.fine_gray_result import FineGray
from outcomes.survival.fitted_information import inverse_information, refuse_flat, runaway
from outcomes.survival.inputs import Asked, ClusterLike, WeightsLike, known_weights, normal_quantile, resolve
from outcomes.survival.observation_chances import Observation, observe

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FineGray", "fine_gray"]


def fine_gray(
    data: SurvivalData,
    formula: str,
    *,
    cause: str | None = None,
    weights: WeightsLike = None,
    strata: str | Sequence[str] | None = None,
    censoring_strata: str | Sequence[str] | None = None,
    cluster: ClusterLike = None,
    ties: str = "breslow",
    conf_level: float = 0.95,
) -> FineGray:
    """Fit a proportional subdistribution hazards model (Fine & Gray) to one of several competing causes.

    Use it to say how covariates go with the share of people who have the event in the presence of the competing ones. What they
    do to the rate of each cause is asked with `cause_specific`.

    Parameters
    ----------
    data : SurvivalData
        One row a person; late entry is allowed.
    formula : str
        Terms joined by ``+``, as in `cox`.
    cause : str, optional
        The cause whose incidence is modelled; required where there is more than one.
    weights : Weights, str or array of shape (P,), optional
        Sampling weights, one a person. The chances of being in view are estimated under the same weights.
    strata : str or list of str, optional
        Columns of ``data.frame``; each combination has its own baseline subdistribution hazard.
    censoring_strata : str or list of str, optional
        Columns of ``data.frame`` within which censoring (and entry) is the same for everyone. Default: for all people.
    cluster : str, optional
        Column of ``data.baseline`` whose groups vary together. Default: the cluster of the data.
    ties : {"breslow", "efron"}
        The first is the method as published and as in R's ``cmprsk::crr``; the second that of R's ``survival::finegray`` with a
        weighted ``coxph``. See Notes.
    conf_level : float

    Returns
    -------
    FineGray
        ``to_frame()`` has one row a term: term, estimate (log subdistribution hazard ratio), std_error, statistic, df, p_value,
        conf_low, conf_high, n, n_events, n_competing.

    Raises
    ------
    EstimationError
        Unknown or missing covariates (counted), constant or collinear columns, no events, causes competing without `cause`, a time
        at which all in view had been censored.
    NotSupportedError
        Several rows a person (covariates that change, gaps, split spells): after a competing event nobody could say what they
        would have been. Data that hold every event of a person.

    Notes
    -----
    Who had a competing event stays in the risk set, weighing at t what the chance of being in view at t is to that at their event.
    The standard error is always robust: by person, or by cluster.

    With ``ties="breslow"`` it counts the censoring distribution as estimated, and a person with an event at a time of censoring
    counts as at risk of being censored then. With ``ties="efron"`` the weights are taken as known, and events come before
    censorings. With late entry the latter order holds for both, the chance of having entered weighs too, and under ``"breslow"``
    counts as estimated. Where censoring strata are given each person moves only the censoring distribution of the own stratum
    (``crr`` lets all competing events count in every stratum's part of the variance).

    A coefficient that runs away is said in a note, never reported in silence.

    References
    ----------
    Fine & Gray (1999), JASA 94:496; Geskus (2011), Biometrics 67:39; Zhou et al. (2011, 2012), Biometrics 67:661 and
    Biostatistics 13:371 (strata, clusters).

    Examples
    --------
    >>> import pandas as pd, outcomes as oc
    >>> frame = pd.DataFrame({"week": [1, 2, 3, 4, 5, 6, 7, 8], "end": [1, 2, 1, 0, 1, 2, 1, 0], "x": [1, 0, 0, 1, 1, 0, 0, 1]})
    >>> data = oc.survival_data(frame, duration="week", event="end", causes={1: "arrest", 2: "death"}, unit="weeks")
    >>> oc.fine_gray(data, "x", cause="arrest").to_frame()["estimate"].round(3).tolist()
    [0.41]
    """
    must_be_data(data, "fine_gray(data, formula)")
    one_of(ties, ("breslow", "efron"), what="fine_gray: ties")
    normal_quantile(conf_level)
    name = _cause_of(data, cause)
    asked = resolve(data, weights, cluster, "robust", what="fine_gray")
    _refuse_several_rows(data)
    arm = (data.arm_column, data.row_arm.astype(np.float64), data.arms)
    matrix = design_matrix(formula, data.frame, arm=arm, what="fine_gray")
    stratum = strata_codes(data, strata, what="fine_gray")
    code = strata_codes(data, censoring_strata, what="fine_gray")
    levels = None if strata is None or stratum is None else _levels(data, strata, stratum)
    fit = _fit(data, asked, matrix, name, stratum, code, efron=ties == "efron")
    result = FineGray(
        data=data,
        asked=asked,
        formula=formula,
        cause=name,
        ties=ties,
        design=replace(matrix, values=matrix.values[:0].copy()),
        coefficients=read_only(fit.coefficients),
        covariance=read_only(fit.inverse),
        model_covariance=read_only(fit.inverse),
        loglik_null=fit.loglik_null,
        loglik=fit.loglik,
        rows=fit.rows,
        observation=fit.observation,
        centre=read_only(fit.centre),
        scale=read_only(fit.scale),
        strata_levels=levels,
        away=fit.away,
        n_competing=fit.n_competing,
        conf_level=conf_level,
        notes=(*data.notes, *fit.notes, *few_clusters(data, asked, matrix.terms).notes, *known_weights(asked)),
    )
    inverse = fit.inverse * fit.scale
    middle = covariance_of(asked, stack(asked, result.scores))
    robust = result.wide_where_away(inverse @ middle @ inverse.T)
    covariance, exact = without_spread(robust, 1 / fit.scale, matrix.columns)
    return replace(result, covariance=read_only(covariance), notes=(*result.notes, *exact))


@dataclass(frozen=True)
class _Fit:
    """A converged (or stopped) fit on the covariates' own scale; p terms. Names as in `FineGray`."""

    coefficients: Array
    inverse: Array
    loglik_null: float
    loglik: float
    rows: CompetingRows
    observation: Observation
    centre: Array
    scale: Array
    n_competing: int
    away: tuple[str, ...]
    notes: tuple[Note, ...]


def _fit(
    data: SurvivalData,
    asked: Asked,
    matrix: DesignMatrix,
    cause: str,
    stratum: IntArray | None,
    code: IntArray | None,
    *,
    efron: bool,
) -> _Fit:
    """Return the fit of one cause; `stratum` and `code` are the baseline and the censoring strata of the rows."""
    weight, count, values = asked.by_row(data), asked.count[data.person], matrix.values
    used, total = weight > 0, weight * count
    if not used.all():
        check_columns(values[used], matrix.columns, "fine_gray")
    died = used & (data.event == 1 + data.causes.index(cause))
    rival = used & (data.event > 0) & ~died
    if not died.any():
        raise EstimationError(f"fine_gray: nobody had the event {cause!r}; there is nothing to fit.")
    centre, scale = centre_and_scale(values, total)
    code = np.zeros(len(total), dtype=np.int64) if code is None else code
    observation = observe(data.entry, data.exit, data.event == 0, code, total, exact=efron)
    at_risk = sort_rows(data.entry, data.exit, died, stratum, weight, count, values, centre, scale, efron=efron)
    rows = with_rivals(at_risk, data.exit, rival, stratum, code, observation, (total, values, centre, scale))
    fit = newton(rows)
    refuse_flat(fit, matrix.columns, float(total[died].sum()), what="fine_gray")
    inverse = inverse_information(fit)
    n_competing = int(count[rival].sum())
    away = tuple(runaway(fit, inverse, matrix.columns))
    notes = _about(fit, away, matrix.columns, int(rows.deaths.sum()), n_competing)
    return _Fit(
        fit.beta / scale, inverse / np.outer(scale, scale), fit.loglik_null, fit.loglik, rows, observation, centre, scale,
        n_competing, away, notes,
    )  # fmt: skip


def _about(
    fit: CoxFit, away: tuple[str, ...], columns: tuple[str, ...], events: int, n_competing: int
) -> tuple[Note, ...]:
    """Return what must be said about a fit."""
    notes = []
    if away:
        text = (
            f"The coefficient of {in_few_words(away)} has no finite maximum (all or no events on one side); it and its interval mean "
            "nothing. Compare cumulative incidences, or join levels."
        )
        notes.append(Note("separation", text))
    elif not fit.converged:
        notes.append(Note("not_converged", f"The fit stopped after {fit.iterations} steps without converging."))
    if events < 10 * len(columns):
        text = f"Fewer than 10 events a term (events: {events:,}; terms: {len(columns)}). Estimates are unstable and biased away from 0."
        notes.append(Note("few_events", text))
    if not n_competing:
        notes.append(Note("nothing_competes", "Nobody had a competing event: this is the Cox model."))
    return tuple(notes)


def _levels(data: SurvivalData, strata: str | Sequence[str], stratum: IntArray) -> pd.DataFrame:
    """Return the values of the strata's columns, one row a code."""
    first = np.unique(stratum, return_index=True)[1]
    return data.frame[[strata] if isinstance(strata, str) else list(strata)].iloc[first].reset_index(drop=True)


def _refuse_several_rows(data: SurvivalData) -> None:
    if data.multi_row:
        raise NotSupportedError(
            f"fine_gray: {len(data.person) - len(data.baseline):,} rows are a person's second or later (covariates that change, gaps, "
            "split spells). Who has had a competing event stays at risk here, and what would have changed since is not known. "
            "Give one row a person, or use cause_specific."
        )


def _cause_of(data: SurvivalData, cause: str | None) -> str:
    if cause is None and len(data.causes) > 1:
        raise EstimationError(
            f"fine_gray: {len(data.causes)} causes compete here ({', '.join(data.causes)}); name the one whose incidence is asked (cause=)."
        )
    if cause is not None and cause not in data.causes:
        raise EstimationError(f"fine_gray: no cause {cause!r}. {did_you_mean(cause, data.causes)}")
    return data.causes[0] if cause is None else cause
