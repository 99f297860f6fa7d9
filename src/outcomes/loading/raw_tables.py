"""Tables as they came: their columns, what kind of value each holds, and what was wrong on the way in.

Columns get numbers for names here, so that no name of an extract meets SQL before the schema has been asked about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from outcomes.loading.dialect import Dialect, Family
from outcomes.loading.faults import Fault, nearest
from outcomes.loading.schema import SCHEMA

__all__ = ["RawColumn", "RawTable", "Sources", "described", "rename", "sound"]


@dataclass(frozen=True)
class RawColumn:
    """A column as it came: its name after renaming, the SQL of its cell, what kind of value that is."""

    name: str
    cell: str
    family: Family


@dataclass(frozen=True)
class RawTable:
    """A table as it came, ``raw_<name>`` on the engine: what it was called outside, what to say if it will not be read.

    `row` is the column that holds the number of each row, where the table can be read again as quickly as a copy of it.
    """

    name: str
    columns: tuple[RawColumn, ...]
    label: str
    trouble: Callable[[], str] = lambda: "it is damaged, or a column holds what is no text, number, date or boolean."
    row: str = ""


@dataclass
class Sources:
    """What reading found, filled while it goes.

    Attributes
    ----------
    tables : dict of table to RawTable
    hashes : dict of file name to sha256
    ignored : list of names of files, frames or tables the schema does not know
    unended : list of names of text files whose last line is not ended
    faults : list of what cannot be read
    """

    tables: dict[str, RawTable] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    unended: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def keep(self, table: RawTable | Fault) -> None:
        """Take in a table, or what is wrong with it."""
        if isinstance(table, Fault):
            self.faults.append(table)
        else:
            self.tables[table.name] = table


def described(
    dialect: Dialect,
    name: str,
    names: Sequence[str],
    types: Sequence[str],
    label: str,
    instant: Callable[[int], str] = lambda i: f"c{i}",
) -> RawTable | Fault:
    """Return a table with what its columns hold; `instant` gives the wall clock of a column of instants."""
    columns = []
    for i, (column, kind) in enumerate(zip(names, types, strict=True)):
        family = dialect.family(kind)
        if family == "other":
            return Fault(
                name, "", f"column {i + 1} of {label} holds lists, structures or bytes; expected plain values."
            )
        if family == "instant":
            columns.append(RawColumn(column, instant(i), "date"))
        else:
            columns.append(RawColumn(column, f"c{i}", family))
    return sound(RawTable(name, tuple(columns), label))


def sound(table: RawTable) -> RawTable | Fault:
    """Return the table without nameless columns; a fault where two names are the same but for their case."""
    named = tuple(column for column in table.columns if column.name.strip())
    if len({column.name.lower() for column in named}) < len(named):
        return Fault(table.name, "", f"{table.label} has two columns of one name (upper and lower case count as one).")
    return replace(table, columns=named)


def rename(found: Sources, columns: Mapping[str, Mapping[str, str]]) -> None:
    """Give columns the names of the schema, as the study's [columns] says."""
    for name, names in columns.items():
        if name not in SCHEMA:
            found.faults.append(Fault(name, "", f"[columns] speaks of a table that is none.{nearest(name, SCHEMA)}"))
            continue
        table = found.tables.get(name)
        if table is None:
            continue
        present = [column.name for column in table.columns]
        for theirs in names:
            if theirs not in present:
                text = f"[columns] renames a column that is not there.{nearest(theirs, present)}"
                found.faults.append(Fault(name, theirs, text))
        renamed = tuple(replace(column, name=names.get(column.name, column.name)) for column in table.columns)
        made = sound(replace(table, columns=renamed))
        if isinstance(made, Fault):
            made = replace(made, text="after [columns] two columns have one name.")
            found.tables.pop(name)
        found.keep(made)
