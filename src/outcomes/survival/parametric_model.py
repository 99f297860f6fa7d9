"""Parametric models of time: the function people call. What it returns is in `parametric_results`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, NotSupportedError, did_you_mean, one_of
from outcomes.results import Array, IntArray, Note, read_only
from outcomes.survival.cured_share import follow_up_notes
from outcomes.survival.design_matrix import in_few_words
from outcomes.survival.estimates import by_person, covariance_of, stack
from outcomes.survival.few_clusters import few_clusters
from outcomes.survival.inputs import Asked, ClusterLike, WeightsLike, known_weights, normal_quantile, resolve
from outcomes.survival.parametric_design import INTERCEPT, ParametricDesign, parametric_design
from outcomes.survival.parametric_families import DISTRIBUTIONS, Family, family_of
from outcomes.survival.parametric_fit import FitRows, ParametricFit, maximise
from outcomes.survival.parametric_results import Parametric
from outcomes.survival.spline_basis import spline_basis

__all__ = ["Parametric", "parametric"]

_FAR = 8.0  # standard deviations of a covariate, or logs: nothing real lies so far out
_KNOTS = 2
_BOUNDED = ("log_scale", "shape", "cured")  # whose own level says something of the curve, whatever the unit of time


def parametric(
    data: SurvivalData,
    formula: str,
    *,
    distribution: str,
    knots: int | Sequence[float] | None = None,
    ancillary: Mapping[str, str] | None = None,
    cause: str | None = None,
    weights: WeightsLike = None,
    cluster: ClusterLike = None,
    robust: bool | None = None,
    conf_level: float = 0.95,
) -> Parametric:
    """Fit a distribution of the time to the event, with covariates.

    Use it to smooth, to say how much longer people stay free of the event (time ratios), to look beyond the end of follow-up with
    all due doubt, or to ask whether some never have it (cure).

    Parameters
    ----------
    data : SurvivalData
    formula : str
        Terms joined by ``+``: columns of ``data.frame``, ``C(column)`` for factors, ``arm`` (or its original column) with the
        reference first; ``"1"`` for no covariates. It is that of the location (time ratios); of the log cumulative hazard for
        ``spline`` (hazard ratios); of the share that never has the event for ``cure`` (odds ratios).
    distribution : {"weibull", "exponential", "lognormal", "loglogistic", "generalized_gamma", "spline", "cure"}
        ``spline`` is Royston and Parmar's, on the scale of proportional hazards; ``cure`` a mixture of people who never have the
        event and of others with one Weibull distribution of time.
    knots : int or sequence of float, optional
        Only for ``spline``: the number of inner knots (at quantiles of the event times; default 2), or their times. The boundaries are
        the first and the last event.
    ancillary : mapping of str to str, optional
        Formulas of further parameters: ``{"log_scale": "C(band)"}``, ``{"location": "arm"}`` for the time of those not cured.
    cause : str
        Required where causes compete: the cause whose hazard is modelled; the others are censored (cause-specific hazard).
    weights : Weights, str or array of shape (P,) or (N,), optional
        Sampling weights, one a person, or one a row where they change over time. Row counts belong to ``survival_data(frequency=)``.
    cluster : str or array of shape (P,), optional
        Column of ``data.baseline`` (or codes) whose groups vary together. Default: the cluster of the data.
    robust : bool, optional
        Default: robust whenever weighted, clustered or several rows a person.
    conf_level : float

    Returns
    -------
    Parametric
        ``to_frame()`` has one row a coefficient: parameter, term, measure, estimate, std_error, statistic, p_value, conf_low,
        conf_high, n, n_events. ``at(times)`` has standardised curves by arm with a column `extrapolated`.

    Raises
    ------
    EstimationError
        Unknown or missing covariates (counted), constant or collinear columns, no events, causes competing without `cause`, a
        likelihood without a top.
    NotSupportedError
        Covariates that change over time; `knots` or `ancillary` where they have no meaning.

    Notes
    -----
    Maximum likelihood over (entry, exit]: late entry counts from `entry` on, rows of one person add up, ties do not matter. The robust
    variance sums each person's (or cluster's) score, weights taken as known, and does not change when weights are multiplied. A
    coefficient without a finite maximum is said in a note. Log likelihoods are on the time scale, as R's ``survreg`` has them.

    References
    ----------
    Kalbfleisch & Prentice (2002), The Statistical Analysis of Failure Time Data, ch. 3; Royston & Parmar (2002), Statistics in Medicine
    21:2175; Farewell (1982), Biometrics 38:1041; White (1982), Econometrica 50:1.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    >>> fit = oc.parametric(data, "arm + prio", distribution="weibull")
    >>> fit.summary()["estimate"].round(3).tolist()
    [1.335, 0.927]
    >>> fit.at([52, 104], measure="risk")[["arm", "time", "estimate", "extrapolated"]].round(3).values.tolist()
    [['0', 52.0, 0.309, False], ['0', 104.0, 0.608, True], ['1', 52.0, 0.221, False], ['1', 104.0, 0.471, True]]
    """
    must_be_data(data, "parametric(data, formula)")
    one_of(distribution, DISTRIBUTIONS, what="parametric: distribution")
    normal_quantile(conf_level)
    died, name, notes = _events_of(data, cause)
    variance = None if robust is None else ("robust" if robust else "model")
    asked = resolve(data, weights, cluster, variance, what="parametric")
    weight = asked.by_row(data) * asked.count[data.person]
    used = np.flatnonzero(weight > 0)
    died = died & (weight > 0)
    if not died.any():
        raise EstimationError(f"parametric: nobody had the event {name!r}; there is nothing to fit.")
    if early := int((data.exit <= 0).sum()):
        raise EstimationError(
            f"parametric: {early:,} rows end at or before time 0, where no distribution of time reaches."
        )
    family = _family(data, distribution, knots, died, asked)
    design = parametric_design(data, _formulas(family, formula, ancillary), family.names, used)
    blocks, back = design.scaling(np.unique(data.person[used]))
    rows = _rows(data, used, died, weight, blocks)
    fit = _fit(family, rows, design)
    inverse, more = _inverse(family, fit, design)
    each = fit.scores * np.reshape(asked.beside(used), (-1, 1))
    scores = by_person(each, data.person[used], len(data.baseline))
    mean = float(weight[used].mean())
    model = inverse / mean
    chosen = model if asked.variance == "model" else covariance_of(asked, stack(asked, scores @ model))
    n_events = int(asked.count[data.person[died]].sum())
    theta = back @ fit.theta
    notes = (
        *data.notes,
        *notes,
        *more,
        *few_clusters(data, asked, design.term).notes,
        *_about(asked, n_events, design),
    )
    if distribution == "cure":
        notes += follow_up_notes(data, design.people, theta, died, used, weight)
    return Parametric(
        data=data,
        asked=asked,
        distribution=distribution,
        formula=formula,
        cause=name,
        family=family,
        design=design,
        theta=read_only(theta),
        theta_covariance=read_only(back @ chosen @ back.T),
        theta_model_covariance=read_only(back @ model @ back.T),
        scores=read_only(scores @ np.linalg.inv(back)),
        loglik=fit.loglik * mean,
        last_times=tuple(float(data.exit[used][data.row_arm[used] == arm].max()) for arm in range(len(data.arms))),
        n_events=n_events,
        conf_level=conf_level,
        notes=notes,
    )


def _rows(
    data: SurvivalData, used: IntArray, died: npt.NDArray[np.bool_], weight: Array, blocks: tuple[Array, ...]
) -> FitRows:
    late = np.asarray(data.entry[used] > 0)
    person, total = data.person[used], weight[used]
    return FitRows(
        log_exit=np.log(data.exit[used]),
        log_entry=np.log(np.where(late, data.entry[used], 1.0)),
        late=late,
        event=died[used],
        weight=total / total.mean(),
        designs=tuple(block[person] for block in blocks),
    )


def _events_of(data: SurvivalData, cause: str | None) -> tuple[npt.NDArray[np.bool_], str, tuple[Note, ...]]:
    """Return the rows that end in the event, its name, and what to say about the other causes."""
    if len(data.causes) == 1 and cause in (None, data.causes[0]):
        return np.asarray(data.event) > 0, data.causes[0], ()
    if cause is None:
        raise EstimationError(
            f"parametric: {len(data.causes)} causes compete here ({', '.join(data.causes)}); name the one whose hazard is asked (cause=)."
        )
    if cause not in data.causes:
        raise EstimationError(f"parametric: no cause {cause!r}. {did_you_mean(cause, data.causes)}")
    note = Note(
        "cause_specific",
        f"This is the cause-specific hazard of {cause}: ends of follow-up by {', '.join(c for c in data.causes if c != cause)} count as "
        "censored, and one minus the curve is the risk as if they did not happen. For the risk as it was, see the cumulative incidence.",
    )
    return np.asarray(data.event) == 1 + data.causes.index(cause), cause, (note,)


def _family(
    data: SurvivalData,
    distribution: str,
    knots: int | Sequence[float] | None,
    died: npt.NDArray[np.bool_],
    asked: Asked,
) -> Family:
    if distribution != "spline":
        if knots is not None:
            raise NotSupportedError(f"parametric: knots belong to distribution='spline'; {distribution} has none.")
        return family_of(distribution, None)
    times = np.repeat(data.exit[died], asked.count[data.person[died]].astype(np.int64))
    return family_of(distribution, spline_basis(_KNOTS if knots is None else knots, times))


def _formulas(family: Family, formula: str, ancillary: Mapping[str, str] | None) -> dict[str, str]:
    others = family.names[1:]
    for name in ancillary or {}:
        if name not in others:
            raise NotSupportedError(f"parametric: ancillary names {name!r}. {did_you_mean(name, others)}")
    if ancillary and family.name == "spline":
        raise NotSupportedError(
            "parametric: covariates on the shape of a spline are not supported; its hazards are proportional."
        )
    return {family.names[0]: formula, **(ancillary or {})}


def _fit(family: Family, rows: FitRows, design: ParametricDesign) -> ParametricFit:
    """Return the top of the likelihood, by lifelines' search where Newton steps from the exponential do not reach one."""
    events = float(rows.weight @ rows.event)
    at_risk = float(rows.weight @ (np.exp(rows.log_exit) - np.where(rows.late, np.exp(rows.log_entry), 0.0)))
    begin = family.start(float(np.log(at_risk / events)), events / float(rows.weight.sum()))
    pairs = zip(design.parameter, design.term, strict=True)
    start = np.array([begin.get(parameter, 0.0) if term == INTERCEPT else 0.0 for parameter, term in pairs])
    fit = maximise(family, rows, start)
    if not (fit.converged or fit.lost):
        from outcomes.survival.parametric_search import by_lifelines

        near = by_lifelines(family, rows, start)
        fit = fit if near is None else maximise(family, rows, near)
    if not fit.converged:
        moved = np.abs(fit.theta - start) > _FAR / 2
        names = zip(design.term, design.parameter, moved, strict=True)
        far = [f"{term} ({parameter})" for term, parameter, ran in names if ran]
        raise EstimationError(
            f"parametric: the likelihood of the {family.name} model has no top that could be found in these data (events: "
            f"{int(rows.event.sum()):,}, coefficients: {len(start):,}{'; running away: ' if far else ''}{in_few_words(far)}). Take fewer "
            "covariates or a distribution with fewer parameters."
        )
    return fit


def _inverse(family: Family, fit: ParametricFit, design: ParametricDesign) -> tuple[Array, tuple[Note, ...]]:
    """Return the inverse information, and what must be said where a coefficient has no finite maximum."""
    values, vectors = np.linalg.eigh(fit.information)
    inverse = vectors @ np.diag(1 / np.maximum(values, 1e-10 * values.max())) @ vectors.T
    level = {(name, INTERCEPT) for name in family.names if name not in _BOUNDED}
    names = list(zip(design.parameter, design.term, strict=True))
    runaway = [
        f"{term} ({parameter})"
        for (parameter, term), b, v in zip(names, fit.theta, np.diag(inverse), strict=True)
        if v > 1e4 or (abs(b) > _FAR and (parameter, term) not in level)
    ]
    if not runaway:
        return inverse, ()
    away = in_few_words(runaway)
    note = Note(
        "separation",
        f"The coefficient of {away} has no finite maximum (all or no events on one side, or no plateau to a curve); it and "
        "its interval mean nothing.",
    )
    return inverse, (note,)


def _about(asked: Asked, n_events: int, design: ParametricDesign) -> tuple[Note, ...]:
    notes = []
    covariates = sum(term != INTERCEPT for term in design.term)
    if n_events < 10 * max(covariates, 1):
        text = f"Fewer than 10 events a covariate (events: {n_events:,}; covariates: {covariates}). Estimates are unstable."
        notes.append(Note("few_events", text))
    if len(design.data.arms) > 1 and not design.names_the_arm:
        notes.append(
            Note(
                "arm_not_in_model",
                "The formula does not name the arm, so the model's curves are the same in every arm.",
            )
        )
    notes += known_weights(asked)
    return tuple(notes)
