"""One contrast of two arms as it was and made alike by a study's score; where there is none, why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.adjust.case_mix import left_out_notes, telling_terms
from outcomes.adjust.entry_rules import without_comparison_people
from outcomes.adjust.weighting import weight
from outcomes.comparison.contrasts import compare
from outcomes.errors import EstimationError
from outcomes.results import Note
from outcomes.survival.curves import CumulativeIncidence, cumulative_incidence

if TYPE_CHECKING:
    from outcomes.adjust.adjusted_results import AdjustedCurves
    from outcomes.comparison.comparing import Comparison
    from outcomes.design.data import SurvivalData
    from outcomes.design.study import Study
    from outcomes.results import Weights

__all__ = ["Asked", "RawAndAdjusted", "contrast_notes", "first_sentence", "no_numbers", "raw_and_adjusted", "rows_of"]

_NUMBERS = (
    "estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "value_reference", "value_arm", "detectable",
)  # fmt: skip
_IN_THE_ROW = ("effective_sample_size",)
_WHOLE = ("excluded_by_rule",)


@dataclass(frozen=True)
class Asked:
    """What every contrast is asked about; with fewer (effective) people in an arm than `fewest` there is no answer."""

    outcome: str
    horizon: float
    margin: float | None
    conf_level: float
    fewest: int = 0


@dataclass(frozen=True)
class RawAndAdjusted:
    """A contrast as it was and adjusted.

    Attributes
    ----------
    rows : list of dict
        adjustment, identified, why (it is not), effective_reference and effective_arm (how many people each arm counts as), detectable
        (with 80 % power) and those of `compare`.
    left_out : tuple of str
        Terms of the formula that say nothing among those compared.
    notes : tuple of Note
        What weights and comparison say of the adjusted row; what the data say themselves is not repeated.
    weights : Weights or None
        Of the adjusted row.
    """

    rows: list[dict[str, Any]]
    left_out: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    weights: Weights | None = None


def raw_and_adjusted(pair: SurvivalData, study: Study, asked: Asked, estimand: str) -> RawAndAdjusted:
    """Return the contrast as it was and adjusted; where it cannot be had, why not."""
    raw, said = _row(pair, None, asked)
    rows = [{"adjustment": "raw", **raw}]
    if study.adjust is None:
        return RawAndAdjusted(rows, notes=said)
    absent = {**no_numbers(rows[0], estimand), "adjustment": "adjusted", "identified": False}
    barred = without_comparison_people(pair, estimand)
    if barred:
        return RawAndAdjusted([*rows, {**absent, "why": f"entry rules leave nobody to compare them with: {barred}"}])
    formula, left = telling_terms(study.adjust.formula, pair.baseline)
    try:
        weights = weight(pair, formula, estimand=estimand, method=study.adjust.method, missing=study.adjust.missing)
    except EstimationError as error:
        return RawAndAdjusted([*rows, {**absent, "why": str(error).removeprefix("weight: ")}], left)
    few = [arm for arm, size in weights.effective_sample_size.items() if size < asked.fewest]
    if few:
        why = f"weighted, people of {' and '.join(few)} count as fewer than {asked.fewest}"
        return RawAndAdjusted([*rows, {**absent, "why": why}], left)
    adjusted, said = _row(pair, weights, asked)
    return RawAndAdjusted([*rows, {"adjustment": "adjusted", **adjusted}], left, said, weights)


def contrast_notes(found: Mapping[str, RawAndAdjusted]) -> tuple[Note, ...]:
    """Return what must be said of several contrasts: terms left out of some, then one note a contrast, without advice to who asked."""
    said = []
    for whom, contrast in found.items():
        texts = dict.fromkeys(
            note.text if note.code in _WHOLE else first_sentence(note.text) for note in contrast.notes
        )
        if texts:
            said.append(Note("of_a_contrast", f"{whom[0].upper()}{whom[1:]}: {' '.join(texts)}"))
    return (*left_out_notes({whom: contrast.left_out for whom, contrast in found.items()}), *said)


def first_sentence(text: str) -> str:
    """Return what is the case, without the advice to others that follows."""
    head, stop, _ = text.partition(". ")
    return head + stop.strip()


def rows_of(curves: CumulativeIncidence | AdjustedCurves, asked: Asked) -> list[dict[str, Any]]:
    """Return the difference in risk of every arm from the reference, with what the design could have found."""
    return _rows(_compared(curves, asked))


def _compared(curves: CumulativeIncidence | AdjustedCurves, asked: Asked) -> Comparison:
    several = asked.outcome if len(curves.causes) > 1 else None
    return compare(
        curves,
        measure="risk_difference",
        at=asked.horizon,
        cause=several,
        conf_level=asked.conf_level,
        margin=asked.margin,
    )


def _rows(found: Comparison) -> list[dict[str, Any]]:
    frame = found.frame.assign(detectable=found.detectable)
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _row(pair: SurvivalData, weights: Weights | None, asked: Asked) -> tuple[dict[str, Any], tuple[Note, ...]]:
    """Return the row of one contrast and what must be said of it; no numbers, and why, where follow-up is too short for one."""
    curves = cumulative_incidence(pair, weights=weights, conf_level=asked.conf_level)
    counted = pair.people_by_arm() if weights is None else weights.effective_sample_size.values()
    sizes = dict(zip(("effective_reference", "effective_arm"), map(float, counted), strict=True))
    try:
        found = _compared(curves, asked)
    except EstimationError as error:
        estimand = "none" if weights is None else weights.estimand
        about = {
            "reference": pair.arms[0],
            "arm": pair.arms[1],
            "cause": asked.outcome,
            "time": asked.horizon,
            "n": pair.n,
        }
        return {**no_numbers(about, estimand), "identified": False, "why": str(error).removeprefix("compare: ")}, ()
    heard = {*pair.notes}
    said = tuple(note for note in found.notes if note not in heard and note.code not in _IN_THE_ROW)
    return {**_rows(found)[0], **sizes, "identified": True, "why": ""}, said


def no_numbers(like: dict[str, Any], estimand: str) -> dict[str, Any]:
    """Return the row of a contrast that cannot be had: who and what, and no number."""
    return {**like, **dict.fromkeys(_NUMBERS, np.nan), "estimand": estimand, "verdict": "not determined"}
