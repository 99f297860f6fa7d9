"""The levels of a column as arms of one analysis: estimated jointly, contrasted within, tested against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from outcomes.adjust.refitting import refit_within
from outcomes.adjust.weighting import PropensityWeights
from outcomes.comparison.clustering import clustered
from outcomes.comparison.contrasts import arm_contrast, curve_row
from outcomes.comparison.measures import on_scale
from outcomes.design.some_people import some_people
from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array, IntArray, Note, Weights, read_only
from outcomes.survival.hotelling import joint_test

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData
    from outcomes.survival.curves import CumulativeIncidence, KaplanMeier
    from outcomes.survival.estimates import ArmEstimates

__all__ = ["Split", "WithinLevels", "levels_in_words", "levels_of", "within_levels"]

_MOST = 12
_ONE_LEVEL = "fewer than two levels have an estimate with an interval, with events and people without in both arms"
_FEW_CLUSTERS = "there are too few clusters for so many levels"
_ALIKE = "the levels' contrasts do not vary apart from each other"
MakeCurves = Callable[["SurvivalData", "Weights | None", "str | None"], "KaplanMeier | CumulativeIncidence"]


@dataclass(frozen=True)
class Split:
    """People by level of a column.

    Attributes
    ----------
    column : str
    levels : tuple of str
    level : ndarray of int, shape (P,)
        Index into `levels`; -1 where the column is missing.
    notes : tuple of Note
    """

    column: str
    levels: tuple[str, ...]
    level: IntArray
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class WithinLevels:
    """One row a level (people and events only where there is no estimate), the test of equal contrasts, notes."""

    rows: tuple[dict[str, Any], ...]
    test: dict[str, Any]
    notes: tuple[Note, ...]


def levels_of(data: SurvivalData, column: str) -> Split:
    """Return the levels of a column of the baseline: categories in their order, others sorted."""
    import pandas as pd

    if column not in data.baseline.columns:
        raise EstimationError(
            f"subgroup_effects: no column {column!r}. {did_you_mean(column, map(str, data.baseline.columns))}"
        )
    values = data.baseline[column]
    codes, found = pd.factorize(values, sort=True)
    if not 2 <= len(found) <= _MOST:
        raise EstimationError(
            f"subgroup_effects: column {column!r} has {len(found)} levels; expected 2 to {_MOST}. Group it into a few levels first."
        )
    missing = int((codes < 0).sum())
    text = f"{missing:,} of {len(codes):,} people have no {column} and are in none of its levels."
    levels = tuple(str(int(v)) if isinstance(v, float) and v.is_integer() else str(v) for v in found)
    return Split(column, levels, codes.astype(np.int64), (Note("missing_subgroup", text),) if missing else ())


def within_levels(
    data: SurvivalData,
    split: Split,
    *,
    weights: Weights | None,
    at: float,
    cause: str | None,
    measure: str,
    variance: str | None,
    cluster: str | None,
    conf_level: float,
    cluster_df: float | None,
    make_curves: MakeCurves,
) -> WithinLevels:
    """Return the contrast within each level, all levels estimated in one analysis with an arm a level and arm."""
    usable, notes = _usable(data, split, weights, at)
    rows = [_bare(data, split, index, cause, at) for index in range(len(split.levels))]
    if not usable:
        return WithinLevels(tuple(rows), _no_test((), _ONE_LEVEL), tuple(notes))
    place = np.full(len(split.levels) + 1, -1)
    place[usable] = np.arange(len(usable))
    level = place[split.level]  # -1 stays -1: the last place
    kept = np.flatnonzero(level >= 0)
    names = tuple(f"{split.column} {split.levels[index]}, {arm}" for index in usable for arm in data.arms)
    joint = some_people(data, kept, (2 * level + data.arm)[kept], names)
    given, more = _joint_weights(weights, data, split, usable, level, kept, joint)
    notes += more
    curves = make_curves(joint, given, cluster)
    chosen = variance
    if variance in (None, "stacked"):
        chosen = "stacked" if given is not None and given.influence is not None else None
    found = curves.arm_estimates([at], cause=cause, variance=chosen)
    asked = curves.asked_as(chosen)
    people = np.where(asked.used, joint.arm, -1)
    label = cause if cause is not None else curves.causes[0]
    for position, index in enumerate(usable):
        idle = int(((level[kept] == position) & ~asked.used).sum())
        if idle and weights is not None:
            text = (
                f"{split.column} {split.levels[index]}: {idle:,} people count for nothing (weight 0: no one like them in the other arm "
                "of this level, or trimmed) and are not among its people and events."
            )
            notes.append(Note("no_weight_in_level", text))
        pair = (2 * position, 2 * position + 1)
        groups = clustered(asked.cluster, people, names, pair, cluster_df)
        one, said = arm_contrast(curves, found, measure, label, 0, pair, groups, conf_level)
        notes += [*groups.notes, *said]
        rows[index] = curve_row(joint, asked, found, measure, label, 0, pair, one)
    sides = np.where(people >= 0, people % 2, -1)
    overall = clustered(asked.cluster, sides, data.arms, (0, 1), cluster_df)
    named = tuple(split.levels[index] for index in usable)
    sure = np.array([np.isfinite(rows[index]["conf_low"]) for index in usable])
    test = _same_in_all(found, measure, overall.factor, overall.df, named, sure)
    return WithinLevels(tuple(rows), test, tuple(notes))


def _usable(data: SurvivalData, split: Split, weights: Weights | None, at: float) -> tuple[list[int], list[Note]]:
    """Return the levels that can be estimated, and what must be said about the others."""
    counts = np.ones(len(data.baseline), dtype=bool) if weights is None else weights.values > 0
    last, ended = np.zeros(len(counts)), np.zeros(len(counts), dtype=bool)
    np.maximum.at(last, data.person, data.exit)
    ended[data.person[data.event > 0]] = True
    usable, notes = [], []
    for index, name in enumerate(split.levels):
        cells = [counts & (split.level == index) & (data.arm == arm) for arm in (0, 1)]
        sizes = [int(cell.sum()) for cell in cells]
        if min(sizes) < 2:
            counted = " and ".join(f"{n:,} in {arm}" for n, arm in zip(sizes, data.arms, strict=True))
            notes.append(Note("thin_level", f"{split.column} {name}: {counted}; too few people for an estimate."))
            continue
        short = [
            arm for arm, cell in zip(data.arms, cells, strict=True) if last[cell].max() < at and not ended[cell].all()
        ]
        if short:
            until = min(float(last[cell].max()) for cell in cells)
            whose = " and ".join(short)
            text = f"{split.column} {name}: follow-up of {whose} ends before {at:g} (last usable time {until:g}); no estimate."
            notes.append(Note("short_level", text))
            continue
        usable.append(index)
    return usable, notes


def _bare(data: SurvivalData, split: Split, index: int, cause: str | None, at: float) -> dict[str, Any]:
    """Return people and events (by `at`) of a level that has no estimate."""
    mine = split.level == index
    code = 1 if cause is None else 1 + data.causes.index(cause)
    hit = (data.event == code) & (data.exit <= at) & mine[data.person]
    count = np.ones(len(data.event)) if data.frequency is None else np.asarray(data.frequency)
    each = np.ones(len(mine))
    each[data.person] = count
    return {"estimand": "none", "n": int(each[mine].sum()), "n_events": int(count[hit].sum())}


def _joint_weights(
    weights: Weights | None,
    data: SurvivalData,
    split: Split,
    usable: list[int],
    level: IntArray,
    kept: IntArray,
    joint: SurvivalData,
) -> tuple[Weights | None, list[Note]]:
    """Return the weights of the joint analysis: refitted by level where they came from a score."""
    if weights is None:
        return None, []
    if not isinstance(weights, PropensityWeights):
        text = "The weights did not come from weight(); they are used within levels as they are, and taken as known."
        within = None if weights.within is None else read_only(weights.within[np.isin(data.person, kept)])
        made = Weights(
            values=read_only(weights.values[kept]),
            estimand=weights.estimand,
            arm=joint.arm,
            arms=joint.arms,
            within=within,
            sets=None if weights.sets is None else read_only(weights.sets[kept], np.int64),
            overlapping=None if weights.overlapping is None else weights.overlapping.among(kept),
        )
        return made, [Note("weights_as_given", text)]
    refit = refit_within(weights, level, len(usable))
    notes = [
        Note(
            "kept_overall_weights",
            f"{split.column} {split.levels[usable[i]]} keeps the weights of everyone's score, taken as known: {why}.",
        )
        for i, why in refit.kept_overall.items()
    ]
    fitted = refit.influence.shape[1] > 0
    made = Weights(
        values=read_only(refit.values[kept]),
        estimand=weights.estimand,
        arm=joint.arm,
        arms=joint.arms,
        influence=read_only(refit.influence[kept]) if fitted else None,
        gradient=read_only(refit.gradient[kept]) if fitted else None,
    )
    return made, notes


def levels_in_words(test: Mapping[Any, Any], levels: int) -> str:
    """Return which of so many levels are in a test of `within_levels`, where not all are; else nothing.

    Examples
    --------
    >>> levels_in_words({"n_levels": 2, "levels": "medium, very_high"}, 3)
    ' (in the test: medium, very high; elsewhere there is no estimate, or nobody or everybody in an arm had the event)'
    """
    if test["n_levels"] == levels:
        return ""
    named = str(test["levels"]).replace("_", " ")
    return f" (in the test: {named}; elsewhere there is no estimate, or nobody or everybody in an arm had the event)"


def _no_test(levels: tuple[str, ...], why: str) -> dict[str, Any]:
    none = float("nan")
    missing = dict.fromkeys(("statistic", "df", "df_residual", "p_value"), none)
    return {"n_levels": len(levels), "levels": ", ".join(levels), **missing, "why": why}


def _same_in_all(
    found: ArmEstimates, measure: str, factor: float, df: float, names: tuple[str, ...], sure: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    """Return the test that the contrasts of all levels are equal: Wald's, Hotelling's where people are clustered.

    Levels without a variance (nobody, or everybody, had the event in an arm) or without an interval (one cluster) do not take part.
    """
    risks, covariance = found.estimate[0], found.covariance[0] * factor
    inside: npt.NDArray[np.bool_] = ((risks > 0) & (risks < 1)).reshape(-1, 2).all(axis=1)
    levels = np.flatnonzero(inside & sure)
    named = tuple(names[index] for index in levels)
    if len(levels) < 2:
        return _no_test(named, _ONE_LEVEL)
    if not np.isfinite(factor):
        return _no_test(named, _FEW_CLUSTERS)
    values, slopes = np.zeros(len(levels)), np.zeros((len(levels), len(risks)))
    for row, index in enumerate(levels):
        pair = slice(2 * index, 2 * index + 2)
        values[row], slopes[row, pair] = on_scale(measure, risks[pair])
    apart: Array = np.column_stack([-np.ones(len(levels) - 1), np.eye(len(levels) - 1)])
    gaps, spread = apart @ values, apart @ slopes @ covariance @ slopes.T @ apart.T
    if np.linalg.matrix_rank(spread, hermitian=True) < len(gaps):
        return _no_test(named, _ALIKE if np.isinf(df) else _FEW_CLUSTERS)
    wald = float(gaps @ np.linalg.solve(spread, gaps))
    test = joint_test(wald, len(gaps), df)
    if np.isnan(test.p_value):
        return _no_test(named, _FEW_CLUSTERS)
    same = {"n_levels": len(levels), "levels": ", ".join(named), "statistic": wald, "df": len(gaps)}
    return {**same, "df_residual": test.df_residual, "p_value": test.p_value, "why": ""}
