"""Ids as integers, the same in every table that speaks of the same thing; keys that repeat and references to nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from outcomes.loading.engine import Engine, Keys
from outcomes.loading.faults import Fault
from outcomes.loading.schema import SCHEMA
from outcomes.loading.staging import Staged

_EXACT = 9_000_000_000_000_000  # a larger whole number is not held exactly where a column with gaps becomes float64
_PRIME = 999_983

__all__ = ["Domain", "dangling_faults", "id_domains", "number_ids", "repeated_faults"]


@dataclass(frozen=True)
class Domain:
    """Everything called by one name of id, such as ``person_id``.

    Attributes
    ----------
    name : str
    places : tuple of (table, number of the column there)
    owner : str or None
        The table whose key it is, where there is one: its keys are all there are.
    numbers : str
        Whether ``all``, ``some`` or ``none`` of the ids are plainly written whole numbers. Where all are, keys are BIGINT,
        which join faster than text; where some are, these come first.
    said : int
        Cells of the owner that hold a key.
    distinct : int or None
        How many keys there are, once it is known and there is an owner.
    kept : bool
        Each key is its own id, and no table (key, id) is made: all are whole numbers.
    """

    name: str
    places: tuple[tuple[str, int], ...]
    owner: str | None
    numbers: Literal["all", "some", "none"]
    said: int
    distinct: int | None = None
    kept: bool = False

    @property
    def table(self) -> str:
        """Name of the table (key, id) on the engine."""
        return f"ids_{self.name}"

    def key_of(self, cell: str) -> str:
        """Return the SQL of the key in a staged cell."""
        return f"CAST({cell} AS {'BIGINT' if self.numbers == 'all' else 'STRING'})"

    def keys(self, engine: Engine) -> str:
        """Return the query of every key, as often as it is said, in a column called key."""
        return " UNION ALL ".join(
            self.keys_in(engine, table, i) for table, i in self.places if self.owner in (None, table)
        )

    def keys_in(self, engine: Engine, table: str, i: int) -> str:
        """Return the query of every key that column `i` of a table says."""
        return f"SELECT {self.key_of(f'v{i}')} AS key FROM {engine.place(f'staged_{table}')} WHERE v{i} IS NOT NULL"

    def referring(self) -> dict[str, int]:
        """Return the tables that refer to the owner, where it came, and the number of the column there."""
        if self.owner is None:
            return {}
        return {table: i for table, i in self.places if SCHEMA[table].column(self.name).refers is not None}

    def ids(self, engine: Engine) -> str:
        """Return the relation (key, id), whether or not a table of it was made."""
        return f"(SELECT key, key AS id FROM ({self.keys(engine)}))" if self.kept else engine.place(self.table)

    def every(self, n: int) -> str:
        """Return the SQL condition that about every n-th id meets, whatever distance ids keep; always the same ones."""
        return f"(id % {_PRIME}) * 7919 % {n} = 0" if self.kept else f"id % {n} = 0"


def id_domains(tables: Mapping[str, Staged]) -> dict[str, Domain]:
    """Return the id domains of the tables that came."""
    places: dict[str, list[tuple[str, int]]] = {}
    said: dict[str, dict[str, int]] = {}
    whole: dict[str, int] = {}
    for staged in tables.values():
        for part, count in staged.pairs():
            if part.kind == "id":
                places.setdefault(part.name, []).append((staged.name, part.i))
                said.setdefault(part.name, {})[staged.name] = count.said
                whole[part.name] = whole.get(part.name, 0) + count.whole
    owners = {table.key[0]: table.name for table in SCHEMA.values() if table.key}
    found = {}
    for name, where in places.items():
        owner = next((table for table, _ in where if owners.get(name) == table), None)
        given = sum(said[name].values())
        numbers: Literal["all", "some", "none"] = "all" if whole[name] == given else "some" if whole[name] else "none"
        found[name] = Domain(name, tuple(where), owner, numbers, said[name].get(owner or "", 0))
    return found


def number_ids(engine: Engine, domains: Mapping[str, Domain]) -> dict[str, Domain]:
    """Number the ids of each domain 1, 2, … in the order of the numbers, else of the text; return what is now known.

    Ids that are whole numbers stay as they are, and nothing is made: they are in that order already.
    """
    found = dict(domains)
    whole = [domain for domain in domains.values() if domain.numbers == "all"]
    owned, free = [d for d in whole if d.owner], [d for d in whole if not d.owner]
    tallied = engine.tally([domain.keys(engine) for domain in owned])
    for domain, (_, distinct, _, high) in zip(owned, tallied, strict=True):
        found[domain.name] = replace(domain, distinct=distinct, kept=high < _EXACT)
    highest = engine.ask_each([f"SELECT coalesce(max(key), 0) FROM ({domain.keys(engine)})" for domain in free])
    for domain, (high,) in zip(free, highest, strict=True):
        found[domain.name] = replace(domain, kept=high < _EXACT)
    rest = [domain for domain in found.values() if not domain.kept]
    engine.number([Keys(d.table, _distinct(engine, d), d.numbers) for d in rest])
    unknown = [domain for domain in rest if domain.distinct is None and domain.owner is not None]
    counted = engine.ask_each([f"SELECT count(*) FROM {engine.place(domain.table)}" for domain in unknown])
    for domain, (distinct,) in zip(unknown, counted, strict=True):
        found[domain.name] = replace(domain, distinct=distinct)
    return found


def _distinct(engine: Engine, domain: Domain) -> str:
    if domain.owner is not None and domain.distinct == domain.said:
        return domain.keys(engine)
    return f"SELECT DISTINCT key FROM ({domain.keys(engine)})"


def repeated_faults(tables: Mapping[str, Staged], domains: Mapping[str, Domain]) -> list[Fault]:
    """Return the keys that are in their table more than once."""
    return [
        Fault(d.owner, d.name, "the key is in the table already.", d.said - d.distinct, tables[d.owner].rows)
        for d in domains.values()
        if d.owner is not None and d.distinct is not None and d.said > d.distinct
    ]


def dangling_faults(engine: Engine, tables: Mapping[str, Staged], domains: Mapping[str, Domain]) -> list[Fault]:
    """Return the references to rows that are not there, where the table referred to came.

    Every row of every typed table that is no view is computed for it, so that what it was made from may go.
    """
    counts = _unnumbered(engine, tables, domains) | _unmatched(engine, domains)
    return [
        Fault(table, domain.name, f"refers to nothing in {domain.owner}.{domain.name}.", n, tables[table].rows)
        for domain in domains.values()
        for table, _ in domain.places
        if (n := counts.get((table, domain.name), 0))
    ]


def _unnumbered(
    engine: Engine, tables: Mapping[str, Staged], domains: Mapping[str, Domain]
) -> dict[tuple[str, str], int]:
    """Return how many references of each typed table got no number: one query a table."""
    found: dict[tuple[str, str], int] = {}
    places = {
        name: [d for d in domains.values() if not d.kept and name in d.referring()] for name, staged in tables.items()
    }
    asked = [_computed(engine, tables[name], mine) for name, mine in places.items()]
    for (name, mine), row in zip(places.items(), engine.ask_each(asked), strict=True):
        found |= {(name, domain.name): n for domain, n in zip(mine, row[1:], strict=True)}
    return found


def _computed(engine: Engine, staged: Staged, domains: Sequence[Domain]) -> str:
    """Return the query of a typed table's rows, and of how many cells refer to nothing, domain by domain."""
    said = {part.name: count.said for part, count in staged.pairs()}
    asked = [f"{said[domain.name]} - count({engine.dialect.quoted(domain.name)})" for domain in domains]
    return f"SELECT {', '.join(['count(*)', *asked])} FROM {engine.place(staged.name)}"


def _unmatched(engine: Engine, domains: Mapping[str, Domain]) -> dict[tuple[str, str], int]:
    """Return how many references of each table are no key, of ids that stay as they are."""
    found: dict[tuple[str, str], int] = {}
    for domain in domains.values():
        refers = domain.referring()
        if domain.kept and refers:
            cells = [domain.keys_in(engine, table, i) for table, i in refers.items()]
            absent = engine.absent(domain.keys(engine), cells)
            found |= {(table, domain.name): n for table, n in zip(refers, absent, strict=True)}
    return found
