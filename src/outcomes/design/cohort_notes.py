"""What a reader of a cohort must know: rules bent, arms that differ in setting or waits, how far era and place part them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from outcomes.design.assignment import arm_of
from outcomes.design.candidates import Candidates
from outcomes.design.selection import Selection, not_eligible
from outcomes.design.study import Study
from outcomes.durations import in_words
from outcomes.results import Note

if TYPE_CHECKING:
    import narwhals as nw
    import pandas as pd

    from outcomes.loading.tables import Tables

__all__ = ["cohort_notes"]

_FAR_CUT = 182.0  # days


def cohort_notes(
    candidates: Candidates, selection: Selection, baseline: pd.DataFrame, study: Study, sums: Mapping[str, int]
) -> tuple[Note, ...]:
    """Return what must stand beside a cohort.

    Parameters
    ----------
    candidates, selection
        Every sentence, and the index sentences of everyone.
    baseline : pandas.DataFrame
        Those compared.
    study : Study
    sums : mapping
        Counts over the index sentences, from `outcomes.design.cohort`.
    """
    tables, programmes = candidates.tables, candidates.programmes
    notes = [*_far_cut(tables, study.follow_up.data_cut), *_reasons(candidates, selection)]
    notes += _refused_though_eligible(candidates, selection)
    if study.arms.assigned_by != "provision":
        notes += _started_though_ineligible(candidates, sums)
    if sums["switched"] and study.arms.assigned_by == "start":
        text = f"{sums['switched']:,} of the people compared later started the other arm's programme too; they stay in their first."
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
        concurrent = _started_where_both_ran(selection.kept, tables, programmes)
        notes.append(
            Note(
                "era",
                f"{concurrent:,} of {len(baseline):,} people started where and when programmes of both arms were open; "
                "the others are compared across areas and years.",
            )
        )
    return tuple(notes)


def _count(tables: Tables, rows: nw.LazyFrame[Any]) -> int:
    import narwhals as nw

    return int(tables.collect(rows.select(n=nw.len()))["n"][0].as_py())


def _started_where_both_ran(kept: nw.LazyFrame[Any], tables: Tables, programmes: Mapping[str, frozenset[int]]) -> int:
    """Return how many people started in an area and on a day on which every arm had an open programme."""
    import narwhals as nw

    arms = [arm for arm, ids in programmes.items() if ids]
    offers = tables.lazy("provision").with_columns(offer=arm_of(programmes)).filter(~nw.col("offer").is_null())
    offers = offers.select("area", "open_from", "open_to", "offer")
    day = nw.col("start_date")
    running = kept.select("sentence_id", "area", "start_date").join(offers, on="area", how="inner")
    running = running.filter((nw.col("open_from") <= day).fill_null(False))
    running = running.filter(nw.col("open_to").is_null() | (nw.col("open_to") >= day).fill_null(False))
    each = {
        f"_{n}": nw.when(nw.col("offer") == arm).then(nw.lit(1)).otherwise(nw.lit(0)).max()
        for n, arm in enumerate(arms)
    }
    found = running.group_by("sentence_id").agg(**each)
    for name in each:
        found = found.filter(nw.col(name) == 1)
    return _count(tables, found)


def _far_cut(tables: Tables, data_cut: float) -> list[Note]:
    """Say so where the data cut lies far beyond anything recorded: follow-up would run on where nothing can be seen."""
    last = max((day for day in last_days(tables).values()), default=float("nan"))
    if not data_cut - last > _FAR_CUT:
        return []
    text = (
        f"The data cut lies more than {in_words(_FAR_CUT)} after the last sentence, start, proof, spell or exit. If the extract ends "
        "earlier, people are followed where nothing can be seen, and everybody looks safer than they were: check [follow_up] data_cut."
    )
    return [Note("far_data_cut", text)]


def last_days(tables: Tables) -> dict[str, float]:
    """Return the last day recorded in each table that says what happened."""
    import narwhals as nw

    columns = {
        "sentences": ("sentence_date",),
        "reoffences": ("proven_date",),
        "participation": ("start_date",),
        "spells": ("start_date", "end_date"),
        "exits": ("exit_date",),
    }
    found: dict[str, float] = {}
    for table, names in columns.items():
        row = tables.collect(tables.lazy(table).select(*(nw.col(name).max() for name in names)))
        days = [row[name][0].as_py() for name in names]
        if known := [float(day) for day in days if day is not None]:
            found[table] = max(known)
    return found


def _reasons(candidates: Candidates, selection: Selection) -> list[Note]:
    """Return how many people the entry rules of each arm left out, by the reason the rules give."""
    import narwhals as nw

    notes = []
    for arm in candidates.treated:
        if not_eligible(arm) not in selection.reasons:
            continue
        there = selection.index.filter(nw.col("left_at") == selection.reasons.index(not_eligible(arm)))
        counted = there.group_by(f"excluded_by_{arm}").agg(n=nw.len())
        rows = sorted(
            (str(row[f"excluded_by_{arm}"]), int(row["n"])) for row in candidates.tables.collect(counted).to_pylist()
        )
        if rows:
            said = ", ".join(f"{name}: {n:,}" for name, n in rows)
            total = sum(n for _, n in rows)
            notes.append(Note("excluded_by_rules", f"The entry rules of {arm} leave out {total:,} people ({said})."))
    return notes


def _refused_though_eligible(candidates: Candidates, selection: Selection) -> list[Note]:
    """Return how many people were refused as not eligible though no rule excludes them: rules are fuzzy in practice."""
    import narwhals as nw

    referrals = candidates.tables.lazy("referrals").filter(nw.col("decision") == "not_eligible")
    notes = []
    for arm in candidates.treated:
        turned = referrals.filter(nw.col("programme_id").is_in(sorted(candidates.programmes[arm]))).select(
            "sentence_id"
        )
        admitted = selection.index.filter(nw.col(f"eligible_{arm}") == "yes").select("sentence_id")
        count = _count(candidates.tables, admitted.join(turned, on="sentence_id", how="semi"))
        if count:
            text = (
                f"{count:,} people were refused by {arm} as not eligible though none of its entry rules excludes them."
            )
            notes.append(Note("refused_though_eligible", text))
    return notes


def _started_though_ineligible(candidates: Candidates, sums: Mapping[str, int]) -> list[Note]:
    notes = []
    for arm in candidates.treated:
        if fuzzy := sums[f"fuzzy_{arm}"]:
            text = f"{fuzzy:,} people started in {arm} though its entry rules exclude them."
            notes.append(Note("started_though_ineligible", text))
    return notes
