"""What a column holds, for the checks that protect people: counts, lengths and a sample of its values, in few queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from outcomes.loading.engine import Engine
from outcomes.loading.staging import Counts, Part, Staged

__all__ = ["MOST_VALUES", "Profile", "profiles_of", "sampled_by_hash"]

MOST_VALUES = 20_000  # distinct values of a column that are looked at
_EXACT = 9e15  # a larger whole number is not held exactly


@dataclass(frozen=True)
class Profile:
    """One column of codes, text or whole numbers.

    Attributes
    ----------
    table, column : str
    own : bool
        The column is the extract's own: the schema does not know it.
    number : int
        Its number in the staged table.
    filled, distinct : int
        Rows that say something, and how many different things they say.
    mean_length, mean_words : float
        Of the rows that say something.
    sample : tuple of (value, rows)
        Every distinct value with its rows; of more than `MOST_VALUES`, about so many, chosen by a hash of the value.
    """

    table: str
    column: str
    own: bool
    number: int
    filled: int
    distinct: int
    mean_length: float
    mean_words: float
    sample: tuple[tuple[str, int], ...]


def profiles_of(engine: Engine, staged: Staged) -> list[Profile]:
    """Return the columns of a staged table whose values are not settled by the schema: measures with decimals are left out."""
    parts = [part for part, count in staged.pairs() if count.said and _is_text(part, count)]
    numbers = [part for part, count in staged.pairs() if _is_number(part, count)]
    cells = [(part, f"v{part.i}") for part in parts] + [
        (part, _integer(part)) for part in _whole(engine, staged, numbers)
    ]
    if not cells:
        return []
    asked = (
        f"SELECT {part.i} AS i, CAST(k AS STRING) AS v, n FROM (SELECT {cell} AS k, count(*) AS n "
        f"FROM {engine.place(f'staged_{staged.name}')} WHERE v{part.i} IS NOT NULL GROUP BY {cell} LIMIT {MOST_VALUES + 1}) t"
        for part, cell in cells
    )
    found: dict[int, list[tuple[str, int]]] = {part.i: [] for part, _ in cells}
    for i, value, rows in engine.ask(" UNION ALL ".join(asked)):
        found[i].append((value, int(rows)))
    return [
        _of_few(staged.name, part, found[part.i])
        if len(found[part.i]) <= MOST_VALUES
        else _of_many(engine, staged.name, part, cell)
        for part, cell in cells
    ]


def sampled_by_hash(cell: str, distinct: int) -> str:
    """Return the SQL condition that about `MOST_VALUES` of `distinct` values of a text cell meet, the same ones each time."""
    return f"md5({cell}) < '{int(MOST_VALUES / max(distinct, MOST_VALUES + 1) * 16**8):08x}'"


def _is_text(part: Part, count: Counts) -> bool:
    if part.column is None:
        return count.whole < count.said
    return part.column.kind in ("code", "text") and not part.column.codes


def _is_number(part: Part, count: Counts) -> bool:
    return part.column is None and 0 < count.said == count.whole


def _integer(part: Part) -> str:
    return f"CAST(CAST(v{part.i} AS DOUBLE) AS BIGINT)"


def _whole(engine: Engine, staged: Staged, parts: Sequence[Part]) -> list[Part]:
    """Return the columns of numbers that hold whole numbers only."""
    if not parts:
        return []
    number = {part.i: f"CAST(v{part.i} AS DOUBLE)" for part in parts}
    broken = (
        f"count(CASE WHEN {cell} <> floor({cell}) OR abs({cell}) >= {_EXACT:.0f} THEN 1 END)"
        for cell in number.values()
    )
    found = engine.ask(f"SELECT {', '.join(broken)} FROM {engine.place(f'staged_{staged.name}')}")[0]
    return [part for part, n in zip(parts, found, strict=True) if not n]


def _of_few(table: str, part: Part, values: list[tuple[str, int]]) -> Profile:
    filled = sum(rows for _, rows in values)
    length = sum(len(value) * rows for value, rows in values)
    blanks = sum(value.count(" ") * rows for value, rows in values)
    return Profile(
        table, part.name, part.column is None, part.i, filled, len(values), length / filled, 1 + blanks / filled, tuple(values)
    )  # fmt: skip


def _of_many(engine: Engine, table: str, part: Part, cell: str) -> Profile:
    cells = f"(SELECT CAST({cell} AS STRING) AS k FROM {engine.place(f'staged_{table}')}) t"
    filled, distinct, length, unbroken = engine.ask(
        f"SELECT count(k), count(DISTINCT k), sum(length(k)), sum(length(replace(k, ' ', ''))) FROM {cells}"
    )[0]
    sample = engine.ask(f"SELECT k, count(*) FROM {cells} WHERE {sampled_by_hash('k', distinct)} GROUP BY k")
    return Profile(
        table,
        part.name,
        part.column is None,
        part.i,
        int(filled),
        int(distinct),
        int(length) / int(filled),
        1 + (int(length) - int(unbroken)) / int(filled),
        tuple((value, int(rows)) for value, rows in sample),
    )
