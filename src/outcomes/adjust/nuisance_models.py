"""The models behind adjusted curves: hazards of every cause, the score of the arm, the hazard of being censored; each fitted or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from outcomes.adjust.before_time_zero import must_come_before
from outcomes.adjust.estimands import weights_from_odds
from outcomes.adjust.fitted_hazards import FittedHazard, hazard_of_everybody, hazard_of_model
from outcomes.adjust.propensity import Propensity, fit_propensity
from outcomes.adjust.weight_fit import no_comparison_person
from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array, Note
from outcomes.survival.cox_model import fit_cox
from outcomes.survival.design_matrix import design_matrix
from outcomes.survival.few_clusters import CLUSTER_NOTES

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData
    from outcomes.survival.cox_result import Cox

__all__ = ["Score", "fit_censoring", "fit_outcome", "fit_treatment", "score_of_nobody"]

_WHAT = "adjusted_curves"


@dataclass(frozen=True)
class Score:
    """Weights of P people for the estimand, and how they depend on the score's K parameters.

    Attributes
    ----------
    weight : ndarray, shape (P,)
    gradient, influence : ndarray, shape (P, K)
    """

    weight: Array
    gradient: Array
    influence: Array


def score_of_nobody(people: int) -> Score:
    """Return what stands where nobody is weighted."""
    return Score(np.zeros(people), np.zeros((people, 0)), np.zeros((people, 0)))


def fit_treatment(data: SurvivalData, formula: str, estimand: str) -> Score:
    """Fit the score by logistic regression and return the weights that ask for the estimand.

    Raises
    ------
    EstimationError
        The formula names the arm; the covariates tell the arm of people the estimand speaks of; no convergence.
    """
    what = f"{_WHAT}, treatment"
    matrix = design_matrix(formula, data.baseline, arm=None, what=what)
    must_come_before(data, formula, what, "a score is fitted on what came before it")
    treated = (data.arm == 1).astype(np.float64)
    fit = fit_propensity(matrix.values, treated, matrix.columns, what=what)
    _refuse_separated(fit, treated, estimand, what)
    weight, slope = weights_from_odds(fit.linear, treated, estimand)
    return Score(weight, slope[:, None] * fit.design, fit.influence)


def _refuse_separated(fit: Propensity, treated: Array, estimand: str, what: str) -> None:
    """Raise where covariates tell exactly the arm of people the estimand speaks of."""
    asked = {"ate": np.ones(len(treated), dtype=bool), "att": treated == 1, "atc": treated == 0}[estimand]
    if people := int((fit.certain & asked).sum()):
        raise EstimationError(no_comparison_person(what, people, len(treated), fit.certain_columns))


def fit_outcome(
    data: SurvivalData, formulas: str | Mapping[str, str | None], cause: str, ties: str
) -> tuple[tuple[FittedHazard, ...], tuple[Note, ...]]:
    """Fit a Cox model to the hazard of every cause that happened, the one asked about first.

    `formulas` is one for all causes, or one a cause: causes it does not name have that of the cause asked about, and None is a hazard
    that is the same for everybody.

    Raises
    ------
    EstimationError
        A cause that the data do not have, or none for the one asked about; its formula leaves out the arm; a model cannot be fitted, or
        has a coefficient that runs away.
    """
    given = {cause: formulas} if isinstance(formulas, str) else dict(formulas)
    unknown = [name for name in given if name not in data.causes]
    if unknown:
        raise EstimationError(
            f"{_WHAT}: outcome= has a formula for {unknown[0]!r}, which is no cause here. {did_you_mean(unknown[0], data.causes)}"
        )
    if given.get(cause) is None:
        raise EstimationError(f"{_WHAT}: outcome= has no formula for {cause!r}, the cause asked about.")
    event = np.asarray(data.event)
    others = [name for k, name in enumerate(data.causes, start=1) if name != cause and (event == k).any()]
    hazards: list[FittedHazard] = []
    notes: list[Note] = []
    for name in (cause, *others):
        what = f"{_WHAT}, outcome model of {name}"
        formula = given[name] if name in given else given[cause]
        if formula is None:
            hazards.append(hazard_of_everybody(data, (event == 1 + data.causes.index(name)).astype(np.int64)))
            continue
        model = _fitted(data, formula, name, ties, what)
        if name == cause and not {"arm", data.arm_column} & {*model.design.needed}:
            raise EstimationError(f"{what}: the model does not know the arm; put arm into the outcome formula.")
        hazards.append(hazard_of_model(model))
        notes += _said(data, model, f"Outcome model of {name}")
    never = [name for name in data.causes if name not in (cause, *others)]
    if never:
        notes.append(Note("no_events_of_cause", f"Nobody had {', '.join(never)}; there is no model of it."))
    return tuple(hazards), tuple(notes)


def fit_censoring(
    data: SurvivalData, formula: str | None, ties: str
) -> tuple[FittedHazard | None, npt.NDArray[np.bool_], tuple[Note, ...]]:
    """Fit the hazard of being censored; return it (None where nobody was), who was censored, and notes.

    Without a formula everybody is as likely as anybody else to be censored. An event and a censoring at one time: both were at risk of
    being censored then.
    """
    censored = np.asarray(data.event) == 0
    if not censored.any():
        return None, censored, ()
    if formula is None:
        return hazard_of_everybody(data, censored.astype(np.int64)), censored, ()
    turned = replace(data, event=censored.astype(np.int64), causes=("censoring",))
    model = _fitted(turned, formula, "censoring", ties, f"{_WHAT}, censoring")
    return hazard_of_model(model), censored, _said(data, model, "Censoring model")


def _fitted(data: SurvivalData, formula: str, cause: str, ties: str, what: str) -> Cox:
    """Return a Cox model that has a maximum."""
    model = fit_cox(
        data, formula, cause=cause, weights=None, strata=None, cluster=None, ties=ties, robust=None, conf_level=0.95,
        what=what,
    )  # fmt: skip
    stopped = [note.text for note in model.notes if note.code in ("separation", "not_converged")]
    if stopped:
        raise EstimationError(
            f"{what}: {stopped[0].partition(';')[0].rstrip('.')}. What is predicted from it means nothing: leave out or join what only "
            "those with (or without) the event have. A rare cause may have a formula of its own (outcome={cause: formula}; None: the same "
            "hazard for everybody)."
        )
    return model


def _said(data: SurvivalData, model: Cox, which: str) -> tuple[Note, ...]:
    """Return what a model's own notes say, and of which model."""
    own = model.notes[len(data.notes) :]
    return tuple(Note(note.code, f"{which}: {note.text}") for note in own if note.code not in CLUSTER_NOTES)
