"""Who is in which arm, sentence by sentence: by the first qualifying start or referral, or by what was on offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.design.first_rows import first_rows
from outcomes.design.study import Arms, ArmSpec
from outcomes.errors import DesignError
from outcomes.loading.faults import nearest

if TYPE_CHECKING:
    import narwhals as nw
    import pandas as pd

    from outcomes.loading.tables import Tables

__all__ = ["arm_programmes", "assigned", "at_liberty", "offered", "unassigned"]


def arm_programmes(tables: Tables, arms: Arms) -> dict[str, frozenset[int]]:
    """Return the programmes (integer ids) of each arm; none for the arm of people who started nothing.

    Raises
    ------
    DesignError
        A family, programme or strand the catalogue does not have, or a programme that two arms claim.
    """
    catalogue = tables.frame("programmes")
    found: dict[str, frozenset[int]] = {}
    for name, spec in arms.definitions.items():
        found[name] = frozenset() if spec.none else _programmes(name, spec, catalogue, tables.programme_ids)
    for name, ids in found.items():
        for other, others in found.items():
            if name < other and ids & others:
                raise DesignError(
                    f"[arms] {name} and {other} claim {len(ids & others)} of the same programmes; arms must not share any."
                )
    return found


def _programmes(arm: str, spec: ArmSpec, catalogue: pd.DataFrame, names: Mapping[str, int]) -> frozenset[int]:
    keep, none = np.ones(len(catalogue), dtype=bool), f"[arms] {arm}: none of the {len(catalogue):,} rows of programmes"
    for column, wanted in (("family_id", spec.family), ("strand", spec.strand)):
        present = set(catalogue[column])
        for value in wanted:
            if value not in present:
                raise DesignError(f"{none} has {column} {value!r}.{nearest(value, present)}")
        if wanted:
            keep &= catalogue[column].isin(wanted).to_numpy()
    for value in spec.programme:
        if value not in names:
            raise DesignError(f"{none} has programme_id {value!r}.{nearest(value, names)}")
    if spec.programme:
        keep &= catalogue["programme_id"].isin([names[value] for value in spec.programme]).to_numpy()
    if not keep.any():
        raise DesignError(f"{none} fits all of its conditions.")
    return frozenset(int(i) for i in catalogue.loc[keep, "programme_id"])


def at_liberty() -> nw.Expr:
    """Return the day a sentence leaves a person in the community: release (custody), else the sentence; null if not yet."""
    import narwhals as nw

    return nw.when(nw.col("setting") == "custody").then(nw.col("release_date")).otherwise(nw.col("sentence_date"))


def assigned(
    tables: Tables, arms: Arms, programmes: Mapping[str, frozenset[int]], within: float | None = None
) -> nw.LazyFrame[Any]:
    """Return one row a sentence with the arm its first start or referral puts it into.

    Parameters
    ----------
    tables : Tables
    arms : Arms
    programmes : mapping of arm to programme ids, from `arm_programmes`
    within : float, optional
        Days after release (custody) or sentence within which the start or referral must come; default the window of `arms`.

    Returns
    -------
    LazyFrame
        The sentence's own columns, ``arm`` (null where none), ``assigned_date`` (of the start or referral that decided),
        ``start_date``, ``referral_date``, ``site_id``, ``status`` (of the first start in that arm), ``started_both`` (qualified
        for two arms), ``started_other`` (started a programme of no arm).

    Notes
    -----
    The first start (referral) under the sentence in a programme of any arm decides; later ones are ignored and counted. With a
    window, those later than that after release (custody) or sentence (community) do not count; those before release do, and
    those before a release that has not come. Two on one day: the smaller id. An arm ``none = true`` takes those who, so counted,
    started (were referred to) no programme at all; who started one that belongs to no arm was not untreated.
    """
    import narwhals as nw

    by_start = arms.assigned_by != "referral"
    events = _starts(tables, programmes) if by_start else _referrals(tables, programmes)
    window = arms.window if within is None else within
    if window is not None:
        since = tables.lazy("sentences").select("sentence_id", at_liberty().alias("_since"))
        late = (nw.col("assigned_date") > nw.col("_since") + window).fill_null(False)
        events = events.join(since, on="sentence_id", how="inner").filter(~late).drop("_since")
    events = tables.keep(events)
    mine = events.filter(~nw.col("arm").is_null())
    several = tables.keep(
        mine.group_by("sentence_id")
        .agg(_n=nw.len(), _low=nw.col("arm").min(), _high=nw.col("arm").max())
        .filter(nw.col("_n") > 1)
    )
    first = _first(mine, tables, several)
    if not by_start:
        starts = tables.keep(_starts(tables, programmes).filter(~nw.col("arm").is_null()))
        again = starts.group_by("sentence_id", "arm").agg(_n=nw.len()).filter(nw.col("_n") > 1)
        begun = _first(starts, tables, again, by=("sentence_id", "arm"))
        begun = begun.select("sentence_id", "arm", "start_date", "site_id", "status")
        first = first.join(begun, on=["sentence_id", "arm"], how="left")
    first = first.select("sentence_id", "arm", "assigned_date", "start_date", "referral_date", "site_id", "status")
    both = several.filter(nw.col("_low") != nw.col("_high")).select("sentence_id", _both="_n")
    other = events.filter(nw.col("arm").is_null()).group_by("sentence_id").agg(_others=nw.len())
    joined = tables.lazy("sentences").join(first, on="sentence_id", how="left")
    joined = joined.join(both, on="sentence_id", how="left").join(other, on="sentence_id", how="left")
    joined = joined.with_columns(
        started_both=~nw.col("_both").is_null(), started_other=~nw.col("_others").is_null()
    ).drop("_both", "_others")
    if arms.untreated is None:
        return joined
    nothing = nw.col("arm").is_null() & ~nw.col("started_other")
    return joined.with_columns(arm=nw.when(nothing).then(nw.lit(arms.untreated)).otherwise(nw.col("arm")))


def unassigned(tables: Tables) -> nw.LazyFrame[Any]:
    """Return the sentences with ``arm`` ``all`` and no ``assigned_date``: whatever people start later, it is not known at time zero."""
    import narwhals as nw

    nothing = nw.lit(None, dtype=nw.Int64)
    return tables.lazy("sentences").with_columns(arm=nw.lit("all"), assigned_date=nothing, started_both=nw.lit(False))


def offered(
    rows: nw.LazyFrame[Any], tables: Tables, arms: Arms, programmes: Mapping[str, frozenset[int]], *, day: str
) -> nw.LazyFrame[Any]:
    """Return the rows with ``arm``: the one with a programme open in the person's area on `day`, whoever was referred.

    Where programmes of two arms were open, ``started_both`` says so; where none was, the arm is that of ``none = true``, or null.
    """
    import narwhals as nw

    provision = tables.lazy("provision").select("programme_id", "area", "open_from", "open_to")
    found = rows.drop("arm", "started_both", "assigned_date", "started_other")
    open_there = (
        rows.select("sentence_id", "area", day)
        .join(provision.with_columns(arm=arm_of(programmes)), on="area", how="inner")
        .filter(~nw.col("arm").is_null(), (nw.col("open_from") <= nw.col(day)).fill_null(False))
        .filter((nw.col("open_to").is_null()) | (nw.col("open_to") >= nw.col(day)).fill_null(False))
        .group_by("sentence_id")
        .agg(arm=nw.col("arm").min(), _high=nw.col("arm").max())
    )
    found = found.join(open_there, on="sentence_id", how="left").with_columns(
        started_both=(nw.col("arm") != nw.col("_high")).fill_null(False),
        assigned_date=nw.col(day),
    )
    if arms.untreated is not None:
        found = found.with_columns(arm=nw.coalesce(nw.col("arm"), nw.lit(arms.untreated)))
    return found.drop("_high")


def arm_of(programmes: Mapping[str, frozenset[int]]) -> nw.Expr:
    """Return the arm of ``programme_id``; null where it belongs to none."""
    import narwhals as nw

    found: nw.Expr = nw.lit(None, dtype=nw.String)
    for name, ids in programmes.items():
        if ids:
            found = nw.when(nw.col("programme_id").is_in(sorted(ids))).then(nw.lit(name)).otherwise(found)
    return found


def _starts(tables: Tables, programmes: Mapping[str, frozenset[int]]) -> nw.LazyFrame[Any]:
    import narwhals as nw

    referred = tables.lazy("referrals").select("referral_id", "referral_date")
    return (
        tables.lazy("participation")
        .select("participation_id", "referral_id", "sentence_id", "programme_id", "start_date", "site_id", "status")
        .with_columns(arm=arm_of(programmes), assigned_date=nw.col("start_date"), _key=nw.col("participation_id"))
        .drop("participation_id", "programme_id")
        .join(referred, on="referral_id", how="left")
    )


def _referrals(tables: Tables, programmes: Mapping[str, frozenset[int]]) -> nw.LazyFrame[Any]:
    import narwhals as nw

    return (
        tables.lazy("referrals")
        .select("referral_id", "sentence_id", "programme_id", "referral_date")
        .with_columns(arm=arm_of(programmes), assigned_date=nw.col("referral_date"), _key=nw.col("referral_id"))
    )


def _first(
    events: nw.LazyFrame[Any], tables: Tables, several: nw.LazyFrame[Any], by: tuple[str, ...] = ("sentence_id",)
) -> nw.LazyFrame[Any]:
    """Return the first event of each group: by day, then by id."""
    return first_rows(events, tables, several, by=by, key="_key", order_by=("assigned_date", "_key"))
