"""What is wrong with the structure of the tables: columns, codes, cells, and how days are counted."""

from __future__ import annotations

from collections.abc import Mapping

from outcomes.loading.faults import Fault, nearest
from outcomes.loading.identifiers import names_a_person
from outcomes.loading.raw_tables import RawTable
from outcomes.loading.schema import SCHEMA, Column
from outcomes.loading.staging import Staged

__all__ = ["cell_faults", "code_faults", "column_faults", "origin_of_days"]

_NEVER_EMPTY = ("people", "sentences", "programmes")


def column_faults(raw: RawTable) -> list[Fault]:
    """Return the columns that are missing, and those whose name says a direct identifier or is too near one of ours."""
    table = SCHEMA[raw.name]
    known = {column.name for column in table.columns}
    present = [column.name for column in raw.columns]
    extras = [name for name in present if name not in known]
    required = [column.name for column in table.columns if not column.optional]
    if not known & set(present):
        text = f"none of its columns is in {raw.label}; is the line of column names missing? Expected {', '.join(required)}."
        return [Fault(raw.name, "", text)]
    faults = [
        Fault(raw.name, name, f"the column is missing.{nearest(name, extras)}")
        for name in required
        if name not in present
    ]
    near = {"_row", *known} - {name for name in required if name not in present}  # these are missing, and hinted at
    for name in extras:
        if names_a_person(name):
            faults.append(
                Fault(raw.name, name, "the column's name says a direct identifier; take it out of the extract.")
            )
        if name.lower() in near:
            faults.append(Fault(raw.name, name, "the name is too near one of ours; rename it in [columns]."))
    return faults


def code_faults(codes: Mapping[str, Mapping[str, str]], tables: Mapping[str, RawTable]) -> list[Fault]:
    """Return the entries of [codes] that speak of no column, or map to no code of ours."""
    places = {f"{table.name}.{column.name}": column for table in SCHEMA.values() for column in table.columns}
    faults = []
    for place, mapping in codes.items():
        table, _, name = place.partition(".")
        if place not in places:
            text = f"[codes] speaks of a column the schema does not know.{nearest(place, places)}"
            faults.append(Fault(table, name, text))
            continue
        valid = places[place].codes
        for ours in mapping.values():
            if valid and str(ours) not in (*valid, ""):
                text = f"[codes] maps to {str(ours)!r}, which is no code of ours; expected one of {', '.join(valid)}."
                faults.append(Fault(table, name, text))
        present = [column.name for column in tables[table].columns] if table in tables else [name]
        if name not in present and places[place].optional:
            faults.append(Fault(table, name, "[codes] maps the codes of a column that is not there."))
    return faults


def cell_faults(staged: Staged) -> list[Fault]:
    """Return what the counts of one table say is wrong."""
    name, rows, faults = staged.name, staged.rows, []
    if not rows and name in _NEVER_EMPTY:
        faults.append(Fault(name, "", "the table has no rows."))
    for part, count in staged.pairs():
        if part.column is None:
            continue
        if not part.column.nullable and count.said < rows:
            text = f"the cell is empty{'; a key never is' if part.name in SCHEMA[name].key else ' and may not be'}."
            faults.append(Fault(name, part.name, text, rows - count.said, rows))
        if count.bad:
            faults.append(Fault(name, part.name, _expected(part.column), count.bad, rows))
        if count.far:
            text = "a whole number too large for a day; a date such as 20100331 is written 2010-03-31."
            faults.append(Fault(name, part.name, text, count.far, rows))
    return faults


def _expected(column: Column) -> str:
    return {
        "date": "not a date; expected an ISO date such as 2010-03-31, or a whole number of days.",
        "int": "not a whole number.",
        "float": "not a number.",
        "bool": "neither true nor false; expected true/false, yes/no, t/f, y/n or 1/0.",
        "code": f"not a known code; expected one of {', '.join(column.codes)}. Map others in [codes].",
    }[column.kind]


def origin_of_days(tables: Mapping[str, Staged]) -> tuple[str, list[Fault]]:
    """Return whether days count from 1970 or from an undisclosed origin, and the faults where an extract mixes both."""
    found = [
        (staged, part, count) for staged in tables.values() for part, count in staged.pairs() if part.kind == "date"
    ]
    dates = sum(count.said - count.bad - count.whole for _, _, count in found)
    numbers = sum(count.whole for _, _, count in found)
    if not (dates and numbers):
        return ("undisclosed" if numbers else "1970-01-01"), []
    odd, rest = ("day numbers", "dates") if numbers <= dates else ("dates", "day numbers")
    text = f"{odd}, where the rest of the extract has {rest}; use one of the two."
    faults = []
    for staged, part, count in found:
        n = count.whole if odd == "day numbers" else count.said - count.bad - count.whole
        if n:
            faults.append(Fault(staged.name, part.name, text, n, staged.rows))
    return "1970-01-01", faults
