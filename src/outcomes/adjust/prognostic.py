"""Balance of the prognostic score: how alike the arms are in what the covariates say about the outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from outcomes.adjust.balancing import Balance, balance_of
from outcomes.adjust.covariates import Covariate
from outcomes.adjust.scored_weights import ScoredWeights
from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, must_be
from outcomes.results import Note
from outcomes.survival.cox_model import fit_cox
from outcomes.survival.design_matrix import columns_of
from outcomes.survival.formula_text import names_in

__all__ = ["PROGNOSTIC", "prognostic_balance"]

PROGNOSTIC = "prognostic score"
_EVENTS_A_COLUMN = 10


def prognostic_balance(
    data: SurvivalData,
    weights: ScoredWeights,
    formula: str | None = None,
    *,
    cause: str | None = None,
    denominator: str | None = None,
) -> Balance:
    """Return how alike the arms are in the prognostic score: the log hazard of the reference arm at a person's covariates.

    Use it beside ``weights.balance()``: a difference in a covariate that foretells nothing does no harm, and many small ones that all
    point one way do. One number weighs them by what they foretell.

    Parameters
    ----------
    data : SurvivalData
        What the weights were made for.
    weights : ScoredWeights
        As `weight` or `match` gives them.
    formula : str, optional
        Covariates of the outcome, not the arm; default those of the weights.
    cause : str, optional
        Which outcome; required where causes compete.
    denominator : {"pooled", "arm", "reference"}, optional
        As in ``weights.balance``.

    Returns
    -------
    Balance
        One row (one for every two arms): term ``prognostic score``, and the columns of ``Balance.to_frame``.

    Raises
    ------
    EstimationError
        Weights made for other people; a formula that names the arm; no events in the reference arm; missing covariates.

    Notes
    -----
    A Cox model of the outcome in the people of the reference arm alone, under their sampling weights where there are some, gives each
    person of every arm a score: the covariates at time zero times the coefficients. It knows nothing of what happened to the other
    arms, so that looking at it is not looking at the effect. It was fitted to the reference, whose own scores it spreads too widely
    where events are few; a note says so.

    References
    ----------
    Hansen (2008), Biometrika 95:481; Stuart, Lee & Leacy (2013), Journal of Clinical Epidemiology 66:S84.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="wexp", reference=0)
    >>> w = oc.weight(data, "age + race + mar + paro + prio", estimand="ato")
    >>> oc.prognostic_balance(data, w).summary()[["smd_before", "smd_after"]].abs().round(3).to_numpy().tolist()
    [[0.315, 0.0]]
    """
    must_be_data(data, "prognostic_balance(data, weights)")
    must_be(
        weights,
        ScoredWeights,
        what="prognostic_balance(data, weights): weights",
        expected="what weight() or match() gives",
    )
    asked = weights.formula if formula is None else formula
    must_be(asked, str, what="prognostic_balance: formula", expected="text such as 'age + C(risk_band)'")
    arm = np.asarray(data.arm)
    if weights.arms != data.arms or len(weights.arm) != len(arm) or not (weights.arm == arm).all():
        raise EstimationError(
            "prognostic_balance: these weights were made for other people or arms. Make them from the same data."
        )
    if {"arm", data.arm_column} & set(names_in(asked)):
        raise EstimationError(
            "prognostic_balance: the formula names the arm; the score is what covariates say about the outcome in the reference arm."
        )
    base = np.ones(len(arm)) if weights.sampling is None else np.asarray(weights.sampling)
    as_one = replace(data, arm=np.zeros_like(arm), arms=("all",), cluster=None)
    fit = fit_cox(
        as_one, asked, cause=cause, weights=np.where(arm == 0, base, 0.0), strata=None, cluster=None, ties="efron", robust=None,
        conf_level=0.95, what="prognostic_balance",
    )  # fmt: skip
    score = columns_of(fit.design, data.baseline, arm=None, what="prognostic_balance") @ np.asarray(fit.coefficients)
    found = Covariate(PROGNOSTIC, "", score - score.mean(), np.ones(len(score), dtype=bool), False)
    balance = balance_of(weights, (), denominator=denominator, also=(found,))
    return replace(balance, notes=(*_few_events(data, cause, len(fit.coefficients)), *balance.notes))


def _few_events(data: SurvivalData, cause: str | None, columns: int) -> tuple[Note, ...]:
    events = int(data.events_by_arm(cause)[0])
    if events >= _EVENTS_A_COLUMN * columns:
        return ()
    text = (
        f"The prognostic score rests on {events:,} events of the reference arm for {columns} columns: fewer than 10 a column. Differences "
        "in it may be accidents of this sample."
    )
    return (Note("few_events", text),)
