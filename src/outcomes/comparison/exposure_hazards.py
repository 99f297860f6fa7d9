"""Hazard ratios of an exposure that changes with time, raw and adjusted, and what was observed in each stretch of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.comparison.comparing import verdict
from outcomes.comparison.course_effect import no_answer
from outcomes.comparison.hazard_ratios import p_proportional
from outcomes.design.data import SurvivalData
from outcomes.durations import DAYS_PER_YEAR
from outcomes.errors import EstimationError
from outcomes.results import Note, p_in_words
from outcomes.survival.cox_model import cox
from outcomes.survival.cox_result import Cox

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["counts_by", "exposure_rows"]


def exposure_rows(
    data: SurvivalData,
    exposure: str,
    terms: Mapping[str, tuple[str, str]],
    formula: str,
    *,
    cause: str,
    strata: str | None,
    said: Mapping[str, str],
    conf_level: float,
    analysis: str = "time_varying",
) -> tuple[list[dict[str, Any]], tuple[Note, ...]]:
    """Return one row a term and adjustment, and what must be said of the model that has the answer.

    Parameters
    ----------
    exposure : str
        Column of ``data.frame``.
    terms : mapping
        Term of the model -> (arm, reference) as the row should call them.
    formula : str
        Baseline covariates; empty: raw only.
    strata : str or None
        Column whose values have a baseline hazard each.
    said : mapping
        Term -> what stands before its sentence.
    analysis : str
        What the rows are of.
    """
    rows: list[dict[str, Any]] = []
    notes: tuple[Note, ...] = ()
    asked = [("raw", exposure)] + ([("adjusted", f"{exposure} + {formula}")] if formula else [])
    for adjustment, text in asked:
        own = {"analysis": analysis, "adjustment": adjustment}
        try:
            model = cox(data, text, cause=cause, strata=strata, robust=True, conf_level=conf_level)
        except EstimationError as error:
            why = str(error).removeprefix("cox: ")
            rows += [
                {**no_answer("hazard_ratio", *pair, why), **own, "said": said[term]} for term, pair in terms.items()
            ]
            continue
        found = {row["term"]: row for row in model.to_frame(exponentiate=True).to_dict("records")}
        for term, (arm, reference) in terms.items():
            rows.append({**_row(found[term], data, arm, reference, adjustment), **own, "said": said[term]})
        notes = (*model.notes, _proportional(model, exposure, analysis))
    return rows, notes


def _row(found: Mapping[Any, Any], data: SurvivalData, arm: str, reference: str, adjustment: str) -> dict[str, Any]:
    labels = {name: data.labels.get(name, "") for name in ("outcome", "population", "scale")}
    names = ("cause", "estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high")
    row: dict[str, Any] = {
        **labels,
        **{name: found[name] for name in names},
        "estimand": "conditional" if adjustment == "adjusted" else "none",
        "arm": arm,
        "reference": reference,
        "time": np.nan,
        "measure": "hazard_ratio",
        "n": int(found["n"]),
        "n_events": int(found["n_events"]),
        "value_reference": np.nan,
        "value_arm": np.nan,
        "why": "",
    }
    return {**row, "verdict": verdict(row, "hazard_ratio", None)}


def _proportional(model: Cox, exposure: str, analysis: str) -> Note:
    """Return the test that the exposure's ratios stay the same over time."""
    p = p_proportional(model, exposure)
    what = "Exposure that changes with time" if analysis == "time_varying" else "Exposure by the landmark"
    if np.isnan(p):
        return Note("hazard_ratio", f"{what}: no test that its hazard ratios are constant can be had.")
    text = f"{what}: test that its hazard ratios stay the same over time, {p_in_words(p)}."
    return Note("hazard_ratio", text)


def counts_by(data: SurvivalData, column: str, levels: tuple[str, ...], cause: str) -> pd.DataFrame:
    """Return exposure, n_people, person_years, n_events and per_100_person_years of each level of a column of rows."""
    import pandas as pd

    event = data.event == 1 + data.causes.index(cause)
    where = data.frame[column].astype(str).to_numpy(dtype=object)
    rows = []
    for level in levels:
        mine = where == level
        years = float((data.exit - data.entry)[mine].sum()) / DAYS_PER_YEAR
        n = int((event & mine).sum())
        people = len(np.unique(data.person[mine]))
        rows.append((level, people, years, n, 100 * n / years if years else np.nan))
    return pd.DataFrame(rows, columns=["exposure", "n_people", "person_years", "n_events", "per_100_person_years"])
