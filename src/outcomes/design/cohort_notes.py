"""What a reader of a cohort must know: rules bent, arms that differ in setting or waits, how far era and place part them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.durations import in_words
from outcomes.results import Note

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.loading.tables import Tables

__all__ = ["cohort_notes"]

_FAR_CUT = 182.0  # days


def cohort_notes(
    rows: pd.DataFrame,
    kept: pd.DataFrame,
    stays: Any,
    tables: Tables,
    programmes: Mapping[str, frozenset[int]],
    refused: Mapping[str, Any],
    data_cut: float,
) -> tuple[Note, ...]:
    """Return what must stand beside a cohort.

    Parameters
    ----------
    rows, kept : pandas.DataFrame
        Index sentences of everyone, and of those compared.
    stays : ndarray of bool
        Which of `rows` are compared.
    tables : Tables
    programmes : mapping of arm to programme ids
    refused : mapping of arm to the reasons of the rules that excluded people from the comparison
    data_cut : float
        Last day the data speak of, as the study says.
    """
    notes = [*_far_cut(tables, data_cut), *_reasons(refused)]
    notes += _refused_though_eligible(rows, tables, programmes)
    for arm in programmes:
        column = f"eligible_{arm}"
        if column in rows:
            fuzzy = int(((rows["arm"] == arm) & (rows[column] == "no")).sum())
            if fuzzy:
                notes.append(
                    Note(
                        "started_though_ineligible",
                        f"{fuzzy:,} people started in {arm} though its entry rules exclude them.",
                    )
                )
    both = int(rows.loc[stays, "started_both"].sum())
    if both:
        notes.append(
            Note(
                "switched",
                f"{both:,} of the people compared later started the other arm's programme too; they stay in their first.",
            )
        )
    share = kept.groupby("arm")["setting"].apply(lambda s: float((s == "custody").mean()))
    if len(share) and share.max() - share.min() > 0.2:
        text = ", ".join(f"{100 * value:.0f} % in {arm}" for arm, value in share.items())
        notes.append(
            Note(
                "settings_differ",
                f"Arms differ in setting (released from custody: {text}); follow-up starts at other points of a sentence.",
            )
        )
    waits = kept.groupby("arm")["wait_days"].median()
    if len(waits) and waits.max() - waits.min() > 90:
        text = ", ".join(f"{value:.0f} days in {arm}" for arm, value in waits.items())
        notes.append(Note("waits_differ", f"Median waits before time zero lie more than 90 days apart: {text}."))
    concurrent = _started_where_both_ran(kept, tables, programmes)
    if concurrent is not None:
        notes.append(
            Note(
                "era",
                f"{concurrent:,} of {len(kept):,} people started where and when programmes of both arms were open; "
                "the others are compared across areas and years.",
            )
        )
    return tuple(notes)


def _started_where_both_ran(kept: pd.DataFrame, tables: Tables, programmes: Mapping[str, frozenset[int]]) -> int | None:
    """Return how many people started in an area and on a day on which every arm had an open programme."""
    treated = [ids for ids in programmes.values() if ids]
    if len(treated) < 2:
        return None
    provision = tables.frame("provision")
    open_for = np.ones(len(kept), dtype=bool)
    for ids in treated:
        mine = provision[provision["programme_id"].isin(ids)]
        joined = kept[["area", "start_date"]].assign(_row=np.arange(len(kept))).merge(mine, on="area", how="inner")
        running = (joined["open_from"] <= joined["start_date"]) & (
            joined["open_to"].isna() | (joined["open_to"] >= joined["start_date"])
        )
        there = np.zeros(len(kept), dtype=bool)
        there[joined.loc[running, "_row"].unique()] = True
        open_for &= there
    return int(open_for.sum())


def _far_cut(tables: Tables, data_cut: float) -> list[Note]:
    """Say so where the data cut lies far beyond anything recorded: follow-up would run on where nothing can be seen."""
    columns = (
        ("sentences", "sentence_date"),
        ("reoffences", "proven_date"),
        ("participation", "start_date"),
        ("spells", "start_date"),
        ("spells", "end_date"),
        ("exits", "exit_date"),
    )
    days = [tables.frame(table)[column] for table, column in columns]
    last = max((float(day.max()) for day in days if day.notna().any()), default=float("nan"))
    if not data_cut - last > _FAR_CUT:
        return []
    text = (
        f"The data cut lies more than {in_words(_FAR_CUT)} after the last sentence, start, proof, spell or exit. If the extract ends "
        "earlier, people are followed where nothing can be seen, and everybody looks safer than they were: check [follow_up] data_cut."
    )
    return [Note("far_data_cut", text)]


def _reasons(refused: Mapping[str, Any]) -> list[Note]:
    """Return how many people the entry rules of each arm left out, by the reason the rules give."""
    notes = []
    for arm, reasons in refused.items():
        names, counts = np.unique([str(reason) for reason in reasons], return_counts=True)
        if len(names):
            said = ", ".join(f"{name}: {count:,}" for name, count in zip(names, counts, strict=True))
            notes.append(
                Note("excluded_by_rules", f"The entry rules of {arm} leave out {len(reasons):,} people ({said}).")
            )
    return notes


def _refused_though_eligible(
    rows: pd.DataFrame, tables: Tables, programmes: Mapping[str, frozenset[int]]
) -> list[Note]:
    """Return how many people were refused as not eligible though no rule excludes them: rules are fuzzy in practice."""
    referrals = tables.frame("referrals")
    notes = []
    for arm, ids in programmes.items():
        turned = referrals[referrals["programme_id"].isin(ids) & (referrals["decision"] == "not_eligible")]
        if f"eligible_{arm}" not in rows:
            continue
        count = int((rows["sentence_id"].isin(turned["sentence_id"]) & (rows[f"eligible_{arm}"] == "yes")).sum())
        if count:
            text = (
                f"{count:,} people were refused by {arm} as not eligible though none of its entry rules excludes them."
            )
            notes.append(Note("refused_though_eligible", text))
    return notes
