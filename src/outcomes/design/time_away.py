"""Time out of the community: in custody, on recall, in hospital, abroad. Spells may overlap, nest, touch, last a day or stay open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import narwhals as nw

    from outcomes.loading.tables import Tables

__all__ = ["AWAY", "INSIDE", "committed_inside", "served", "spells_away"]

INSIDE = ("custody", "recall")
"""States in which an offence does not count: the person was not at large."""

AWAY = ("custody", "recall", "hospital", "abroad")
"""States out of the community."""

_OPEN = 10_000_000  # the day an open spell ends on: later than any


def spells_away(kept: nw.LazyFrame[Any], tables: Tables) -> nw.LazyFrame[Any]:
    """Return time out of the community that ended after time zero, by sentence: sentence_id, start, end in days since time zero.

    Spells that overlap, nest or touch are one; what began before time zero has a start below 0; an open end lies beyond any
    horizon; a spell that ends on the day it starts is none. Custody under any sentence of the person, up to its release, is a spell
    too; what begins on the day of release touches it and is another.
    """
    import narwhals as nw

    spells = (
        tables.lazy("spells").filter(nw.col("state").is_in(list(AWAY))).select("person_id", "start_date", "end_date")
    )
    every = nw.concat([spells.with_columns(_served=nw.lit(0)), served(tables).with_columns(_served=nw.lit(1))])
    zero = nw.col("time_zero")
    end = nw.when(nw.col("end_date").is_null()).then(nw.lit(_OPEN)).otherwise(nw.col("end_date") - zero)
    cut = kept.select("sentence_id", "person_id", "time_zero").join(every, on="person_id", how="inner")
    cut = cut.select("sentence_id", "_served", start=nw.col("start_date") - zero, end=end)
    cut = cut.filter(nw.col("end") > nw.col("start"), nw.col("end") >= 0)
    alike = _merged(cut, tables, "sentence_id", "_served", touching=True)
    merged = _merged(alike, tables, "sentence_id", touching=False)
    return merged.filter(nw.col("end") > 0).sort("sentence_id", "start")


def _merged(spells: nw.LazyFrame[Any], tables: Tables, *by: str, touching: bool) -> nw.LazyFrame[Any]:
    """Return spells (`by`, start, end) of which those that overlap are one; `touching`: those that touch, too."""
    import narwhals as nw

    in_order = {"order_by": "start"}  # unique within a group: no engine can order two rows now so, now otherwise
    begun = tables.keep(spells.group_by(*by, "start").agg(nw.col("end").max()))
    reached = begun.with_columns(_reached=nw.col("end").cum_max().over(*by, **in_order))
    reached = reached.with_columns(_before=nw.col("_reached").shift(1).over(*by, **in_order))
    apart = nw.col("start") > nw.col("_before") if touching else nw.col("start") >= nw.col("_before")
    new = nw.col("_before").is_null() | apart.fill_null(False)
    reached = reached.with_columns(_new=nw.when(new).then(nw.lit(1)).otherwise(nw.lit(0)))
    reached = reached.with_columns(_spell=nw.col("_new").cum_sum().over(*by, **in_order))
    return reached.group_by(*by, "_spell").agg(start=nw.col("start").min(), end=nw.col("end").max()).drop("_spell")


def committed_inside(
    offences: nw.LazyFrame[Any], tables: Tables, states: tuple[str, ...] = INSIDE
) -> nw.LazyFrame[Any]:
    """Return the reoffence_id of offences committed in these states: not on a spell's first day, nor on its last.

    `offences` has reoffence_id, person_id, offence_date. Spells that touch or overlap are one, so the day between them is inside:
    a day is inside where one spell reaches up to it and one goes on from it. Custody under a sentence lasts from the sentence to
    the release and is one thing, what came after another: a recall on the day of release is a new spell.
    """
    import narwhals as nw

    day, start, end = nw.col("offence_date"), nw.col("start_date"), nw.col("end_date")
    spells = (
        tables.lazy("spells").filter(nw.col("state").is_in(list(states))).select("person_id", "start_date", "end_date")
    )
    found = []
    for away in (spells, served(tables)):
        met = offences.select("reoffence_id", "person_id", "offence_date").join(away, on="person_id", how="inner")
        met = met.filter(start <= day).filter(end.is_null() | (end >= day).fill_null(False))
        reaches = nw.when(start < day).then(nw.lit(1)).otherwise(nw.lit(0)).max()
        goes_on = nw.when(end.is_null() | (end > day).fill_null(False)).then(nw.lit(1)).otherwise(nw.lit(0)).max()
        met = met.group_by("reoffence_id").agg(_reaches=reaches, _goes_on=goes_on)
        found.append(met.filter((nw.col("_reaches") == 1) & (nw.col("_goes_on") == 1)).select("reoffence_id"))
    return nw.concat(found).group_by("reoffence_id").agg()


def served(tables: Tables) -> nw.LazyFrame[Any]:
    """Return person_id, start_date, end_date of custody under sentences, up to the first release."""
    import narwhals as nw

    custody = tables.lazy("sentences").filter(nw.col("setting") == "custody")
    return custody.select("person_id", start_date=nw.col("sentence_date"), end_date=nw.col("release_date"))
