"""Two groups as they stood on a landmark, from it on: hazard ratio and risk difference, raw and weighted."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from outcomes.adjust.weighting import weight
from outcomes.comparison.comparing import Comparison
from outcomes.comparison.contrasts import compare
from outcomes.comparison.course_effect import no_answer
from outcomes.design.data import SurvivalData
from outcomes.design.study import Adjust
from outcomes.errors import EstimationError
from outcomes.results import Note, Weights
from outcomes.survival.cox_model import cox
from outcomes.survival.curves import CumulativeIncidence, KaplanMeier, cumulative_incidence, kaplan_meier

__all__ = ["landmark_rows"]

_FEWEST = 2  # people in a group, below which there is nothing to compare


def landmark_rows(
    data: SurvivalData,
    formula: str,
    adjust: Adjust | None,
    *,
    cause: str,
    at: float | None,
    default: float,
    said: str,
    conf_level: float,
    margin: float | None,
) -> tuple[list[dict[str, Any]], tuple[Note, ...]]:
    """Return hazard ratio and risk difference of two arms, raw and (with a formula) weighted, and what must be said of them.

    Parameters
    ----------
    adjust : Adjust or None
        Estimand, method and what to do about missing values; None: overlap weights from a logistic score.
    at : float or None
        Days from the landmark by which risks are compared. None: `default`, or as long as both arms were followed if that is less.
    said : str
        What stands before the sentences.
    """
    own = {"analysis": "landmark", "said": said}
    reference, arm = data.arms
    people = data.people_by_arm()
    if people.min() < _FEWEST:
        fewest = data.arms[int(people.argmin())]
        why = f"{int(people.min()):,} people are in {fewest} on the landmark, and {int(people.max()):,} in the other group"
        rows = [no_answer(m, arm, reference, why) for m in ("hazard_ratio", "risk_difference")]
        return [{**row, **own, "adjustment": "raw"} for row in rows], ()
    asked: list[tuple[str, Weights | None]] = [("raw", None)]
    notes: tuple[Note, ...] = ()
    failed = ""
    if formula:
        try:
            asked.append(("adjusted", _weights(data, formula, adjust)))
        except EstimationError as error:
            failed = str(error).removeprefix("weight: ")
    rows = []
    for adjustment, weights in asked:
        moment = _moment(data, at, default)
        for measure in ("hazard_ratio", "risk_difference"):
            row, notes_of = _answer(data, weights, measure, cause, moment, conf_level, margin)
            rows.append({**row, **own, "adjustment": adjustment})
            notes = (*notes, *notes_of) if weights is not None or not formula else notes
    if failed:
        rows += [
            {**no_answer(m, arm, reference, failed), **own, "adjustment": "adjusted"}
            for m in ("hazard_ratio", "risk_difference")
        ]
    return rows, notes


def _weights(data: SurvivalData, formula: str, adjust: Adjust | None) -> Weights:
    if adjust is None:
        return weight(data, formula, estimand="ato")
    return weight(data, formula, estimand=adjust.estimand, method=adjust.method, missing=adjust.missing)


def _moment(data: SurvivalData, at: float | None, default: float) -> float:
    if at is not None:
        return at
    last = min(float(data.exit[data.row_arm == arm].max()) for arm in range(len(data.arms)))
    return min(default, float(np.floor(last)))


def _answer(
    data: SurvivalData,
    weights: Weights | None,
    measure: str,
    cause: str,
    at: float,
    conf_level: float,
    margin: float | None,
) -> tuple[dict[str, Any], tuple[Note, ...]]:
    try:
        if measure == "hazard_ratio":
            model = cox(data, "arm", cause=cause, weights=weights, robust=True, conf_level=conf_level)
            found = compare(model, measure=measure, conf_level=conf_level)
        else:
            found = _difference(data, weights, cause, at, conf_level, margin)
    except EstimationError as error:
        why = re.sub(r"^\w+: ", "", str(error))
        return no_answer(measure, data.arms[1], data.arms[0], why), ()
    return {**{str(key): value for key, value in found.frame.iloc[0].items()}, "why": ""}, found.notes


def _difference(
    data: SurvivalData, weights: Weights | None, cause: str, at: float, conf_level: float, margin: float | None
) -> Comparison:
    curves: KaplanMeier | CumulativeIncidence
    several = len(data.causes) > 1
    curves = (cumulative_incidence if several else kaplan_meier)(data, weights=weights, conf_level=conf_level)
    return compare(
        curves, measure="risk_difference", at=at, cause=cause if several else None, conf_level=conf_level, margin=margin
    )
