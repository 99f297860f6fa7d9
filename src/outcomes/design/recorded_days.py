"""The last day on which an extract records anything, table by table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outcomes.loading.tables import Tables

__all__ = ["last_days"]


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
