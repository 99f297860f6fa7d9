"""Risks by arm adjusted by weighting, by an outcome model, or by both (doubly robust): the function people call."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from outcomes.adjust.adjusted_results import METHODS, AdjustedCurves
from outcomes.adjust.arms_needed import must_have_two_arms
from outcomes.adjust.entry_rules import entry_rule_notes, must_have_comparison_people
from outcomes.adjust.nuisance_models import fit_censoring, fit_outcome, fit_treatment, score_of_nobody
from outcomes.design.data import SurvivalData, must_be_data, must_name_cause
from outcomes.errors import EstimationError, NotSupportedError, did_you_mean, must_be, one_of
from outcomes.results import Array, Note
from outcomes.survival.arm_curves import head_count
from outcomes.survival.few_clusters import about_clusters_of_arms
from outcomes.survival.inputs import ClusterLike, normal_quantile, resolve
from outcomes.survival.intervals import CONF_TYPES

if TYPE_CHECKING:
    from outcomes.adjust.fitted_hazards import FittedHazard

__all__ = ["adjusted_curves"]

_ESTIMANDS = ("ate", "att", "atc")
_NEEDS = {"g-formula": ("outcome",), "iptw": ("treatment",), "aipw": ("outcome", "treatment")}
_LARGE = 0.10  # share of an arm's weight carried by one person
_RARE = 0.05  # chance of being in view (or in the arm) below which it is said


def adjusted_curves(
    data: SurvivalData,
    *,
    outcome: str | Mapping[str, str | None] | None = None,
    treatment: str | None = None,
    censoring: str | None = None,
    estimand: str,
    cause: str | None = None,
    method: str = "aipw",
    cluster: ClusterLike = None,
    ties: str = "efron",
    conf_type: str = "log-log",
    conf_level: float = 0.95,
) -> AdjustedCurves:
    """Estimate the risk of the event over time had the same people been in each arm.

    Use it for an adjusted answer that survives one wrong model: the doubly robust curves are right if the models of the outcome are,
    or if those of the treatment and of censoring are.

    Parameters
    ----------
    data : SurvivalData
        Two arms (more with ``g-formula`` for the ATE), one row a person, everybody from time zero.
    outcome : str or mapping of cause to str
        Formula of a Cox model of every cause, with the arm in it: ``"arm + age"``; or one a cause, where some are too rare for it:
        ``{"any": "arm + age + prior", "death": "age", "deportation": None}`` (causes that are not named have that of `cause`; None: the
        same hazard for everybody). For ``g-formula`` and ``aipw``.
    treatment : str
        Formula of the propensity score (logistic regression on ``data.baseline``), without the arm. For ``iptw`` and ``aipw``.
    censoring : str, optional
        Formula of a Cox model of being censored, with the arm in it where the arms were followed for different lengths. Default:
        everybody is as likely to be censored. Not for ``g-formula``.
    estimand : {"ate", "att", "atc"}
        Over whom risks are averaged; required: everybody, the people of the arm that is not the reference, those of the reference.
    cause : str, optional
        Whose cumulative incidence; the other causes compete. Default: the outcome (the first cause).
    method : {"aipw", "iptw", "g-formula"}
        Doubly robust; inverse probability of treatment and censoring weights; an outcome model averaged over people.
    cluster : str or array of shape (P,), optional
        Column of ``data.baseline`` (or codes) whose groups vary together. Default: the cluster of the data.
    ties : {"efron", "breslow"}
        In the Cox models.
    conf_type : {"log-log", "log", "plain", "logit", "arcsine"}
    conf_level : float

    Returns
    -------
    AdjustedCurves
        ``at(times)``: outcome, estimand, method, arm, cause, time, estimate (the risk), std_error, conf_low, conf_high, n.
        ``positivity()``: how many people the weights leave, and who was hardly ever in view. Taken by
        ``compare(curves, measure="risk_difference", at=…)``; ``curves.rmst(horizon)`` by ``compare(…, measure="rmst_difference")``.

    Raises
    ------
    EstimationError
        A formula that is missing for the method, or does not know (or names) the arm; nobody had the cause; missing, constant or collinear
        covariates; covariates that tell the arm of people asked about exactly; a coefficient that runs away, as where an arm has no
        event of a cause.
    NotSupportedError
        More than two arms, late entry, several rows a person, row counts, repeated events, states.

    Notes
    -----
    With score e, A the arm, T the time seen, G(t) the modelled chance of not being censored by t and F(t) the modelled incidence in arm
    a: weighting is the mean of 1(A = a) y(t) / (P(A = a) G(T-)), where y(t) = 1 if the event was seen by t; doubly robust curves add
    (1 - 1(A = a) / P(A = a)) F(t) and, for those censored, the weighted integral of (F(t) - F(s)) / (S(s) G(s)) over the martingale of
    censoring. ATT and ATC weigh by the odds and divide by the number of those asked about. Weights are not normalised, so that
    a weighted risk may exceed 1, and a doubly robust one may fall a little between two times.
    Incidences come from the hazards of all causes: at each time the causes share exp(-hazard so far) in proportion to their jumps.
    The variance is that of influence functions which know that every model was estimated (sandwich, summed by cluster where there are
    clusters; then on t by the clusters of each arm). It is right if the models are right, or, for ``aipw``, if one of each pair is.
    Assumes that all that decides both about the arm and the outcome (and, for weighting, about censoring and the outcome) stands in the
    formulas, and that everybody asked about could have been in either arm and in view.

    References
    ----------
    Ozenne, Scheike, Stærk & Gerds (2020), Biometrical Journal 62:751; Bang & Robins (2005), Biometrics 61:962; g-formula of
    cause-specific hazards: Benichou & Gail (1990), Biometrics 46:813.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="wexp", reference=0, unit="weeks")
    >>> curves = oc.adjusted_curves(data, outcome="arm + age + prio", treatment="age + prio + mar", estimand="att")
    >>> oc.compare(curves, measure="risk_difference", at=50).to_frame()["estimate"].round(3).tolist()
    [-0.112]
    """
    must_be_data(data, "adjusted_curves(data, …)")
    one_of(method, METHODS, what="adjusted_curves: method")
    _check_formulas(method, {"outcome": outcome, "treatment": treatment, "censoring": censoring})
    one_of(estimand, _ESTIMANDS, what="adjusted_curves: estimand")
    one_of(ties, ("efron", "breslow"), what="adjusted_curves: ties")
    one_of(conf_type, CONF_TYPES, what="adjusted_curves: conf_type")
    normal_quantile(conf_level)
    asked = resolve(data, None, cluster, "robust", what="adjusted_curves")
    _check_people(data, method, estimand)
    must_have_comparison_people(data, estimand, "adjusted_curves")
    must_name_cause(data, cause, "adjusted_curves")
    name = _cause(data, cause)
    people, notes = len(data.baseline), [*data.notes, *entry_rule_notes(data)]
    hazards: tuple[FittedHazard, ...] = ()
    hazard, censored, score = None, np.asarray(data.event) == 0, score_of_nobody(people)
    if outcome is not None and method != "iptw":
        hazards, said = fit_outcome(data, outcome, name, ties)
        notes += said
    if treatment is not None and method != "g-formula":
        score = fit_treatment(data, treatment, estimand)
        hazard, censored, said = fit_censoring(data, censoring, ties)
        notes += said
    target = np.ones(people) if estimand == "ate" else (data.arm == (estimand == "att")).astype(np.float64)
    curves = AdjustedCurves(
        data=data, asked=asked, method=method, estimand=estimand, cause=name, outcome=hazards, censoring=hazard,
        censored=censored, score=score, target=target, conf_type=conf_type, conf_level=conf_level,
        provenance=MappingProxyType(
            {"outcome": outcome, "treatment": treatment, "censoring": censoring, "estimand": estimand, "cause": name,
             "method": method, "ties": ties}
        ),
        notes=(*notes, *about_clusters_of_arms(data, asked), *_about_weights(data, score.weight, method)),
    )  # fmt: skip
    return curves.noting(_about_view(curves))


def _check_formulas(method: str, formulas: dict[str, str | Mapping[str, str | None] | None]) -> None:
    for name, formula in formulas.items():
        if formula is not None:
            kinds = (str, Mapping) if name == "outcome" else str
            must_be(
                formula, kinds, what=f"adjusted_curves(data, …): {name}", expected="text such as 'arm + age' or 'age + prior'"
            )  # fmt: skip
        elif name in _NEEDS[method]:
            raise EstimationError(f"adjusted_curves: method={method!r} needs {name}= (a formula).")


def _check_people(data: SurvivalData, method: str, estimand: str) -> None:
    if method != "g-formula" or estimand != "ate" or len(data.arms) < 3 or data.frequency is not None:
        must_have_two_arms(data, "adjusted_curves")
    late = int((np.asarray(data.entry) > 0).sum())
    if data.multi_row or not data.row_a_person or late:
        raise NotSupportedError(
            f"adjusted_curves: one row a person from time zero is needed; here are {len(data.exit):,} rows of "
            f"{len(data.baseline):,} people, {late:,} of them begin after time zero. cox(…).standardised() takes late entry."
        )


def _cause(data: SurvivalData, cause: str | None) -> str:
    """Return the cause asked about, which somebody had."""
    name = data.causes[0] if cause is None else cause
    if name not in data.causes:
        raise EstimationError(f"adjusted_curves: no cause {name!r}. {did_you_mean(name, data.causes)}")
    counts = data.events_by_arm(name)
    none = [arm for arm, count in zip(data.arms, counts, strict=True) if count == 0]
    if none:
        raise EstimationError(
            f"adjusted_curves: nobody in arm {' or arm '.join(none)} had {name}; nothing can be adjusted there. compare() of plain curves "
            "gives the difference in risk an interval without events."
        )
    return name


def _about_weights(data: SurvivalData, weight: Array, method: str) -> tuple[Note, ...]:
    """Return what must be said of the weights: how many people they leave, and who carries a large part."""
    if method == "g-formula":
        return ()
    notes = []
    for index, arm in enumerate(data.arms):
        mine = weight[data.arm == index]
        share, size = float(mine.max() / mine.sum()), float(mine.sum() ** 2 / (mine**2).sum())
        if share > _LARGE:
            notes.append(Note("large_weight", f"One person carries {100 * share:.0f} % of the weight of arm {arm}."))
        if size < 0.5 * len(mine):
            text = (
                f"The weights leave {100 * size / len(mine):.0f} % of the effective sample of arm {arm} ({size:,.0f} of {len(mine):,} "
                "people): few there are like those asked about."
            )
            notes.append(Note("poor_overlap", text))
    return tuple(notes)


def _about_view(curves: AdjustedCurves) -> tuple[Note, ...]:
    """Return what must be said where people with the event were hardly likely to be in view."""
    if curves.censoring is None:
        return ()
    chance = curves.chances_of_being_in_view()
    seen = (np.asarray(curves.data.event) == 1 + curves.data.causes.index(curves.cause)) & (chance < _RARE)
    if not seen.any():
        return ()
    text = (
        f"{head_count(seen.sum())} people with {curves.cause} had a chance below {100 * _RARE:g} % of still being in view then: "
        "late, the curves stand on few."
    )
    return (Note("hardly_in_view", text),)
