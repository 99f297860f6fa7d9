"""Ids as integers, the same in every table that speaks of the same thing; keys that repeat and references to nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from outcomes.loading.engine import Engine, Keys
from outcomes.loading.faults import Fault
from outcomes.loading.schema import SCHEMA
from outcomes.loading.staging import Staged

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
        How many keys there are, once it is known.
    dense : bool
        The keys are 1, 2, … `distinct` already: each is its own id, and no table (key, id) is made.
    """

    name: str
    places: tuple[tuple[str, int], ...]
    owner: str | None
    numbers: Literal["all", "some", "none"]
    said: int
    distinct: int | None = None
    dense: bool = False

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
            f"SELECT {self.key_of(f'v{i}')} AS key FROM {engine.place(f'staged_{table}')} WHERE v{i} IS NOT NULL"
            for table, i in self.places
            if self.owner in (None, table)
        )

    def ids(self, engine: Engine) -> str:
        """Return the relation (key, id), whether or not a table of it was made."""
        return f"(SELECT key, key AS id FROM ({self.keys(engine)}))" if self.dense else engine.place(self.table)


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

    Where the keys of a table are these numbers already, nothing is made. Ids without a table of their own always are counted.
    """
    looked = [domain for domain in domains.values() if domain.owner is not None and domain.numbers == "all"]
    shape = "SELECT count(DISTINCT key), coalesce(min(key), 0), coalesce(max(key), 0) FROM"
    found = dict(domains)
    asked = engine.ask_each([f"{shape} ({domain.keys(engine)})" for domain in looked])
    for domain, (distinct, low, high) in zip(looked, asked, strict=True):
        found[domain.name] = replace(domain, distinct=distinct, dense=low == 1 and high == distinct)
    rest = [domain for domain in found.values() if not domain.dense]
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
    """Return the references to rows that are not there, where the table referred to came: one query a typed table.

    Every row of every typed table is computed for it, so that what it was made from may go.
    """
    places: dict[str, list[Domain]] = {name: [] for name in tables}
    for domain in domains.values():
        for table, _ in domain.places:
            if domain.owner is not None and SCHEMA[table].column(domain.name).refers is not None:
                places[table].append(domain)
    asked = [_dangling(engine, tables[name], found) for name, found in places.items()]
    counts = dict(zip(places, engine.ask_each(asked), strict=True))
    return [
        Fault(table, domain.name, f"refers to nothing in {domain.owner}.{domain.name}.", n, tables[table].rows)
        for domain in domains.values()
        for table, _ in domain.places
        if domain in places[table] and (n := counts[table][1 + places[table].index(domain)])
    ]


def _dangling(engine: Engine, staged: Staged, domains: Sequence[Domain]) -> str:
    """Return the query of a typed table's rows, and of how many cells refer to nothing, domain by domain."""
    said = {part.name: count.said for part, count in staged.pairs()}
    asked = ["count(*)"]
    for domain in domains:
        cell = engine.dialect.quoted(domain.name)
        if domain.dense:
            asked.append(f"count(*) FILTER (WHERE {cell} NOT BETWEEN 1 AND {domain.distinct})")
        else:
            asked.append(f"{said[domain.name]} - count({cell})")
    return f"SELECT {', '.join(asked)} FROM {engine.place(staged.name)}"
