"""What a reader of a cohort must know: rules bent, arms that differ in setting or waits, how far era and place part them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.design.candidates import Candidates
from outcomes.design.selection import Selection, not_eligible
from outcomes.design.study import Study
from outcomes.durations import in_words
from outcomes.results import Note

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["cohort_notes"]

_FAR_CUT = 182.0  # days
_TIME_VARYING = Note(
    "time_varying_confounding",
    "Exposure changes with time: its hazard ratios compare people who have and have not started by the same day since time zero. Who "
    "starts, and when, is not chance: what changes between time zero and the start (risk, work, motivation, a recall) and decides both "
    "the start and reoffending is not adjusted for by values at time zero. There are no risks or curves by such an exposure.",
)
_CLONES = Note(
    "clones",
    "Everyone stands in each arm they could join at time zero, and leaves an arm when they do something else than it says. Who does is "
    "not chance: the weights of censoring_weights put right what was known at time zero, and nothing that came between it and a start.",
)
_NOBODY = np.empty(0, dtype=np.int64)


def cohort_notes(selection: Selection, baseline: pd.DataFrame, study: Study) -> tuple[Note, ...]:
    """Return what must stand beside a cohort.

    Parameters
    ----------
    selection : Selection
        The index sentences of everyone.
    baseline : pandas.DataFrame
        Those compared.
    study : Study
    """
    candidates = selection.candidates
    notes = [*_far_cut(candidates.last_day, study.follow_up.data_cut), *_reasons(selection, study.eligibility.unit)]
    notes += _refused_though_eligible(selection, study.eligibility.unit)
    if study.time_zero.strategy == "time_varying":
        return (*notes, _TIME_VARYING)
    if study.time_zero.strategy == "clone_censor_weight":
        return (*notes, _CLONES)
    if study.arms.assigned_by != "provision":
        notes += _started_though_ineligible(selection, study.eligibility.unit)
    switched = int(candidates.rows["started_both"].to_numpy()[selection.index[selection.stays]].sum())
    if switched and study.arms.assigned_by == "start":
        compared = f"{switched:,} of the {study.eligibility.unit} compared"
        text = f"{compared} later started the other arm's programme too; they stay in their first."
        notes.append(Note("switched", text))
    share = (baseline["setting"] == "custody").groupby(baseline["arm"], observed=True).mean()
    if len(share) and share.max() - share.min() > 0.2:
        text = ", ".join(f"{100 * value:.0f} % in {arm}" for arm, value in share.sort_index().items())
        notes.append(
            Note(
                "settings_differ",
                f"Arms differ in setting (released from custody: {text}); follow-up starts at other points of a sentence.",
            )
        )
    waits = baseline.groupby("arm", observed=True)["wait_days"].median()
    if len(waits) and waits.max() - waits.min() > 90:
        text = ", ".join(f"{value:.0f} days in {arm}" for arm, value in waits.sort_index().items())
        notes.append(Note("waits_differ", f"Median waits before time zero lie more than 90 days apart: {text}."))
    if len(candidates.treated) > 1 and study.arms.assigned_by != "provision":
        concurrent = _started_where_both_ran(baseline, candidates)
        notes.append(
            Note(
                "era",
                f"{concurrent:,} of {len(baseline):,} {study.eligibility.unit} started where and when programmes of both arms were open; "
                "the others are compared across areas and years.",
            )
        )
    return tuple(notes)


def _started_where_both_ran(baseline: pd.DataFrame, candidates: Candidates) -> int:
    """Return how many people started in an area and on a day on which every arm had an open programme."""
    provision = candidates.tables.frame("provision")
    start = baseline["start_date"].to_numpy(dtype=np.float64)
    by_area = baseline.groupby("area", observed=True).indices
    both = np.ones(len(baseline), dtype=bool)
    for ids in candidates.programmes.values():
        if not ids:
            continue
        there = np.zeros(len(baseline), dtype=bool)
        offers = provision[provision["programme_id"].isin(ids)]
        last = offers["open_to"].to_numpy(dtype=np.float64, na_value=np.inf)
        for area, opens, closes in zip(offers["area"], offers["open_from"].astype(float), last, strict=True):
            rows = by_area.get(area, _NOBODY)
            there[rows] |= (start[rows] >= opens) & (start[rows] <= closes)
        both &= there
    return int(both.sum())


def _far_cut(last: float, data_cut: float) -> list[Note]:
    """Say so where the data cut lies far beyond anything recorded: follow-up would run on where nothing can be seen."""
    if not data_cut - last > _FAR_CUT:
        return []
    text = (
        f"The data cut lies more than {in_words(_FAR_CUT)} after the last sentence, start, proof, spell or exit. If the extract ends "
        "earlier, people are followed where nothing can be seen, and everybody looks safer than they were: check [follow_up] data_cut."
    )
    return [Note("far_data_cut", text)]


def _reasons(selection: Selection, unit: str) -> list[Note]:
    """Return how many the entry rules of each arm left out, by the reason the rules give."""
    notes = []
    for arm in selection.candidates.treated:
        if not_eligible(arm) not in selection.reasons:
            continue
        left = selection.left_at == selection.reasons.index(not_eligible(arm))
        counts = selection.counted(f"excluded_by_{arm}", left)
        if counts:
            listed = ", ".join(f"{name}: {n:,}" for name, n in sorted(counts.items()))
            text = f"The entry rules of {arm} leave out {sum(counts.values()):,} {unit} ({listed})."
            notes.append(Note("excluded_by_rules", text))
    return notes


def _refused_though_eligible(selection: Selection, unit: str) -> list[Note]:
    """Return how many were refused as not eligible though no rule excludes them: rules are fuzzy in practice."""
    notes = []
    for arm, refused in selection.candidates.refused.items():
        count = int((refused[selection.index] & selection.says(f"eligible_{arm}", "yes")).sum())
        if count:
            text = (
                f"{count:,} {unit} were refused by {arm} as not eligible though none of its entry rules excludes them."
            )
            notes.append(Note("refused_though_eligible", text))
    return notes


def _started_though_ineligible(selection: Selection, unit: str) -> list[Note]:
    arms = selection.candidates.rows["arm"]
    notes = []
    for arm in selection.candidates.treated:
        mine = (arms == arm).to_numpy()[selection.index]
        if fuzzy := int((mine & selection.says(f"eligible_{arm}", "no")).sum()):
            text = f"{fuzzy:,} {unit} started in {arm} though its entry rules exclude them."
            notes.append(Note("started_though_ineligible", text))
    return notes
