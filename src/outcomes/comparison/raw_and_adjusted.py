"""One contrast of two arms as it was and made alike by a study's score; where there is none, why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.adjust.case_mix import telling_terms
from outcomes.adjust.entry_rules import without_comparison_people
from outcomes.adjust.weighting import weight
from outcomes.comparison.contrasts import compare
from outcomes.errors import EstimationError
from outcomes.survival.curves import CumulativeIncidence, cumulative_incidence

if TYPE_CHECKING:
    from outcomes.adjust.adjusted_results import AdjustedCurves
    from outcomes.design.data import SurvivalData
    from outcomes.design.study import Study
    from outcomes.results import Weights

__all__ = ["Asked", "no_numbers", "raw_and_adjusted", "rows_of"]

_NUMBERS = (
    "estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "value_reference", "value_arm", "detectable",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What every contrast is asked about; with fewer (effective) people in an arm than `fewest` there is no answer."""

    outcome: str
    horizon: float
    margin: float | None
    conf_level: float
    fewest: int = 0


def raw_and_adjusted(
    pair: SurvivalData, study: Study, asked: Asked, estimand: str
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return the contrast as it was and adjusted (where it cannot be had, why not), and the terms that say nothing there.

    Rows have adjustment, identified, why, detectable (with 80 % power) and those of `compare`.
    """
    rows = [{"adjustment": "raw", **_row(pair, None, asked)}]
    if study.adjust is None:
        return rows, ()
    absent = {**no_numbers(rows[0], estimand), "adjustment": "adjusted", "identified": False}
    barred = without_comparison_people(pair, estimand)
    if barred:
        return [*rows, {**absent, "why": f"entry rules leave nobody to compare them with: {barred}"}], ()
    formula, left = telling_terms(study.adjust.formula, pair.baseline)
    try:
        weights = weight(pair, formula, estimand=estimand, method=study.adjust.method, missing=study.adjust.missing)
    except EstimationError as error:
        return [*rows, {**absent, "why": str(error).removeprefix("weight: ")}], left
    few = [arm for arm, size in weights.effective_sample_size.items() if size < asked.fewest]
    if few:
        why = f"weighted, people of {' and '.join(few)} count as fewer than {asked.fewest}"
        return [*rows, {**absent, "why": why}], left
    return [*rows, {"adjustment": "adjusted", **_row(pair, weights, asked)}], left


def rows_of(curves: CumulativeIncidence | AdjustedCurves, asked: Asked) -> list[dict[str, Any]]:
    """Return the difference in risk of every arm from the reference, with what the design could have found."""
    several = asked.outcome if len(curves.causes) > 1 else None
    found = compare(
        curves,
        measure="risk_difference",
        at=asked.horizon,
        cause=several,
        conf_level=asked.conf_level,
        margin=asked.margin,
    )
    frame = found.frame.assign(detectable=found.detectable)
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _row(pair: SurvivalData, weights: Weights | None, asked: Asked) -> dict[str, Any]:
    """Return the row of one contrast; no numbers, and why, where follow-up is too short for one."""
    curves = cumulative_incidence(pair, weights=weights, conf_level=asked.conf_level)
    try:
        return {**rows_of(curves, asked)[0], "identified": True, "why": ""}
    except EstimationError as error:
        estimand = "none" if weights is None else weights.estimand
        about = {
            "reference": pair.arms[0],
            "arm": pair.arms[1],
            "cause": asked.outcome,
            "time": asked.horizon,
            "n": pair.n,
        }
        return {**no_numbers(about, estimand), "identified": False, "why": str(error).removeprefix("compare: ")}


def no_numbers(like: dict[str, Any], estimand: str) -> dict[str, Any]:
    """Return the row of a contrast that cannot be had: who and what, and no number."""
    return {**like, **dict.fromkeys(_NUMBERS, np.nan), "estimand": estimand, "verdict": "not determined"}
