"""How many people of the held data are alike on what others may know of them: k-anonymity, and what all of a kind did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.errors import DataError, did_you_mean, must_be
from outcomes.loading.births import year_of
from outcomes.loading.schema import SCHEMA
from outcomes.loading.tables import Tables
from outcomes.results import IntArray, Note, Result

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["QUASI_IDENTIFIERS", "KAnonymity", "k_anonymity"]

_OFFENCE_GROUP = (
    "CASE WHEN s.index_offence LIKE 'sexual%' THEN 'sexual' WHEN s.index_offence = 'violent' THEN 'violent' "
    "WHEN s.index_offence IS NOT NULL THEN 'other' END"
)
_DERIVED: Mapping[str, str] = MappingProxyType(
    {
        "age_band": "CAST(floor(s.age_at_sentence / 5) AS BIGINT)",
        "index_offence_group": _OFFENCE_GROUP,
        "period": year_of("coalesce(s.release_date, s.sentence_date)"),
    }
)
_COARSER: Mapping[str, tuple[str, int]] = MappingProxyType(
    {"age_band": ("age_band in tens of years", 2), "period": ("period in fives of years", 5)}
)
QUASI_IDENTIFIERS = ("sex", "ethnicity_group", "age_band", "area", "index_offence_group", "period")
_FEW = 3  # columns: so much is known about many people
_SMALL = 3
_MISSING = -1_000  # below any band or year
_COUNTABLE = 1_000_000
_COLUMNS = (
    "columns", "n_columns", "change", "people", "classes", "k", "n_unique", "share_unique", "share_below_3", "share_below_5",
    "share_below_10", "classes_all_reoffended", "n_all_reoffended",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class KAnonymity(Result):
    """How small the groups are of people who are alike on some columns. Counts only; which group is small is not in it.

    Attributes
    ----------
    columns : tuple of str
        The quasi-identifiers asked about.
    frame : DataFrame
        One row a set of columns, as `to_frame` returns it.
    """

    columns: tuple[str, ...]
    frame: pd.DataFrame
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "k-anonymity of the held data (not for release)"

    @property
    def k(self) -> int:
        """People in the smallest group, on all columns."""
        return int(self._on_all["k"])

    @property
    def _on_all(self) -> pd.Series[Any]:
        return self.frame[self.frame["change"] == "all columns"].iloc[0]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a set of columns: all of them, each left out or made coarser, and every set of up to three.

        Columns: columns, n_columns, change (``all columns``, ``without …``, ``… in tens of years``, or empty), people, classes
        (groups of people who are alike), k (people in the smallest), n_unique and share_unique (people alike with nobody),
        share_below_3, share_below_5, share_below_10 (share of people in groups smaller than that), classes_all_reoffended and
        n_all_reoffended (groups of two or more in which everyone reoffended, and their people).
        """
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return all columns, each change of one, and of one to three columns the set that tells most people apart."""
        changed = self.frame[self.frame["change"] != ""]
        few = self.frame[self.frame["change"] == ""].sort_values(
            ["n_unique", "k"], ascending=[False, True], kind="stable"
        )
        worst = few.drop_duplicates("n_columns").sort_values("n_columns", kind="stable")
        import pandas as pd

        chosen = pd.concat([changed, worst]).reset_index(drop=True)
        return chosen[
            ["columns", "change", "classes", "k", "n_unique", "share_unique", "share_below_5", "n_all_reoffended"]
        ]

    def describe(self) -> str:
        """Return how many people are alike with nobody, and which column says most about that, in plain sentences."""
        on_all = self._on_all
        people, unique, homogeneous = int(on_all["people"]), int(on_all["n_unique"]), int(on_all["n_all_reoffended"])
        said = (
            f"On {', '.join(self.columns)}, {unique:,} of {people:,} people ({on_all['share_unique']:.0%}) are alike with nobody "
            f"and {on_all['share_below_5']:.0%} are in groups of fewer than 5; the smallest group has {self.k:,}."
        )
        changed = self.frame[~self.frame["change"].isin(["", "all columns"])].sort_values("n_unique", kind="stable")
        if unique and len(changed):
            best = changed.iloc[0]
            said += f" Most would be won by one change: {best['change']}, which leaves {int(best['n_unique']):,} alike with nobody."
        if homogeneous:
            said += f" In groups of two or more that all reoffended are {homogeneous:,} people: to know the group is to know that."
        return f"{said} This is about the data held, not for release."


def k_anonymity(tables: Tables, columns: Sequence[str] | None = None) -> KAnonymity:
    """Count how many people are alike on what others may know of them.

    Use it on held data to see which columns tell people apart, before more is asked of an owner of data or kept than is needed.
    It is a report and no gate: what protects people is disclosure control of what leaves. Nor is it for release.

    Parameters
    ----------
    tables : Tables
    columns : sequence of str, optional
        Quasi-identifiers: columns of people or of their first sentence, the extract's own included, or one of ``age_band`` (five
        years), ``index_offence_group`` (sexual, violent, other) and ``period`` (calendar year of release or, without one, of
        sentence). Without it: sex, ethnicity_group, age_band, area, index_offence_group, period.

    Returns
    -------
    KAnonymity
        Counts by set of columns: people alike with nobody, in small groups, in groups of two or more that all reoffended.

    Raises
    ------
    DataError
        A column is not there, is named twice, is a key, or none is named.

    Notes
    -----
    Everyone in `people` counts. A missing value is a value of its own. Reoffended means any proven offence on or after the
    day of the first sentence, whenever. Groups are those of Sweeney (2002), *Int. J. Uncertain. Fuzz.* 10:557; groups that all
    share an outcome are the homogeneity attack of Machanavajjhala et al. (2007), *ACM TKDD* 1:3.

    Examples
    --------
    >>> import outcomes as oc
    >>> from outcomes.synthetic import make_cohort
    >>> tables = oc.load_tables(make_cohort(200, replicates=0).tables)
    >>> oc.k_anonymity(tables, ["sex"]).to_frame()["n_columns"].tolist()
    [1]
    """
    must_be(tables, Tables, what="k_anonymity(tables): tables", expected="Tables, from load_tables(…)", error=DataError)
    named = _named(tables, QUASI_IDENTIFIERS if columns is None else columns)
    codes, sizes, reoffended = _classes(tables, named)
    rows, names = [], list(named)
    dense: dict[tuple[int, int], IntArray] = {}
    for change, kept, coarser in _views(tuple(named)):
        asked = [(i, coarser.get(i, 1)) for i in kept]
        for i, by in asked:
            if (i, by) not in dense:
                dense[i, by] = np.unique(codes[:, i] // by, return_inverse=True)[1].astype(np.int64)
        rows.append(_row([names[i] for i in kept], change, [dense[key] for key in asked], sizes, reoffended))
    import pandas as pd

    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    return KAnonymity(columns=tuple(named), frame=frame, notes=_notes(frame))


def _named(tables: Tables, columns: Sequence[str]) -> dict[str, str]:
    """Return the columns asked about, each with its SQL over people `p` and their first sentences `s`."""
    if isinstance(columns, str) or not columns:
        raise DataError("k_anonymity: columns is a list of names of columns, such as ['sex', 'area'].")
    keys = {column.name for table in SCHEMA.values() for column in table.columns if column.kind == "id"}
    quoted = tables.engine.dialect.quoted
    known = {name: f"s.{quoted(name)}" for name in _columns(tables, "sentences")}
    known |= {name: f"p.{quoted(name)}" for name in _columns(tables, "people")} | dict(_DERIVED)
    for name in columns:
        if name in keys:
            raise DataError(f"k_anonymity: {name!r} is a key; it tells everybody apart.")
        if name not in known:
            raise DataError(f"k_anonymity: there is no column {name!r}. {did_you_mean(name, set(known) - keys)}")
    if len(set(columns)) < len(columns):
        raise DataError("k_anonymity: a column is named twice.")
    return {name: known[name] for name in columns}


def _columns(tables: Tables, table: str) -> list[str]:
    return [name for name in tables.lazy(table).collect_schema().names() if name != "_row"]


def _classes(tables: Tables, named: Mapping[str, str]) -> tuple[IntArray, IntArray, IntArray]:
    """Return the groups of people alike on all columns.

    Returns
    -------
    codes : ndarray of int, shape (classes, columns)
        Values as numbers; those of age bands and periods keep their order and distance.
    sizes, reoffended : ndarray of int, shape (classes,)
        People, and how many of them reoffended.
    """
    listed = ", ".join(f"{cell} AS q{i}" for i, cell in enumerate(named.values()))
    grouped = ", ".join(f"q{i}" for i in range(len(named)))
    place = tables.engine.place
    first = (
        "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY person_id ORDER BY sentence_date, _row) AS nth "
        f"FROM {place('sentences')}) t "
        "WHERE nth = 1"
    )
    again = f"SELECT person_id, max(offence_date) AS last_offence FROM {place('reoffences')} GROUP BY person_id"
    found = tables.ask(
        f"SELECT {grouped}, count(*), sum(again) FROM (SELECT {listed}, "
        "CASE WHEN r.last_offence >= s.sentence_date THEN 1 ELSE 0 END AS again "
        f"FROM {place('people')} p LEFT JOIN ({first}) s ON s.person_id = p.person_id "
        f"LEFT JOIN ({again}) r ON r.person_id = p.person_id) k "
        f"GROUP BY {grouped}"
    )
    table = list(zip(*found, strict=True))
    codes = np.column_stack(
        [_codes(values, ordered=name in _COARSER) for name, values in zip(named, table, strict=False)]
    )
    return codes, np.array(table[-2], dtype=np.int64), np.array(table[-1], dtype=np.int64)


def _codes(values: Sequence[Any], *, ordered: bool) -> IntArray:
    if ordered:
        return np.array([_MISSING if value is None else int(value) for value in values], dtype=np.int64)
    numbers: dict[Any, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)


def _views(names: tuple[str, ...]) -> list[tuple[str, tuple[int, ...], dict[int, int]]]:
    """Return every set of columns to look at: what is changed, the columns kept, and by how much some are made coarser."""
    everything = tuple(range(len(names)))
    views: list[tuple[str, tuple[int, ...], dict[int, int]]] = [("all columns", everything, {})]
    if len(names) > 1:
        views += [(f"without {names[i]}", tuple(j for j in everything if j != i), {}) for i in everything]
    views += [
        (_COARSER[name][0], everything, {i: _COARSER[name][1]}) for i, name in enumerate(names) if name in _COARSER
    ]
    for size in range(1, min(_FEW, len(names) - 1) + 1):
        views += [("", kept, {}) for kept in combinations(everything, size)]
    return views


def _combined(parts: Sequence[IntArray]) -> IntArray:
    """Return one number for each combination of codes 0, 1, …; small enough to be counted in an array."""
    group, largest = np.zeros(len(parts[0]), dtype=np.int64), 1
    for part in parts:
        width = int(part.max()) + 1
        group, largest = group * width + part, largest * width
        if largest > _COUNTABLE:
            group = np.unique(group, return_inverse=True)[1].astype(np.int64)
            largest = int(group.max()) + 1
    return group


def _row(
    names: Sequence[str], change: str, parts: Sequence[IntArray], sizes: IntArray, reoffended: IntArray
) -> tuple[Any, ...]:
    """Return the row of `to_frame` for one set of columns, from the groups on all columns."""
    group = _combined(parts)
    members = np.bincount(group, weights=sizes).astype(np.int64)
    again = np.bincount(group, weights=reoffended).astype(np.int64)
    members, again = members[members > 0], again[members > 0]
    people = int(members.sum())
    alike = (members >= 2) & (again == members)
    unique = int((members == 1).sum())
    below = [float(members[members < k].sum()) / people for k in (3, 5, 10)]
    return (
        ", ".join(names), len(names), change, people, len(members), int(members.min()), unique, unique / people, *below,
        int(alike.sum()), int(members[alike].sum()),
    )  # fmt: skip


def _notes(frame: pd.DataFrame) -> tuple[Note, ...]:
    """Return the note that few facts are enough, where they are."""
    few = frame[(frame["n_columns"] <= _FEW) & (frame["k"] < _SMALL)]
    if few.empty:
        return ()
    fewest = few.sort_values(["n_columns", "n_unique"], ascending=[True, False], kind="stable").iloc[0]
    text = (
        f"{fewest['columns']}: to know as little as this of somebody is enough to find a group of fewer than {_SMALL} people "
        f"({len(few)} sets of up to {_FEW} columns have such a group). Consider coarser bands, or to do without a column."
    )
    return (Note("small_groups", text),)
