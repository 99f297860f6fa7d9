"""The same people drawn again: data in which each person stands as often as they, or their group, were drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from outcomes.design.data import SurvivalData
from outcomes.errors import NotSupportedError
from outcomes.results import IntArray, sealed

__all__ = ["Units", "data_from", "parts_of", "resampled"]


@dataclass(frozen=True)
class Units:
    """What is drawn: groups of rows of the baseline, such as people, clusters or matched sets.

    Attributes
    ----------
    rows : ndarray of int
        Rows of the baseline, unit after unit.
    first : ndarray of int, shape (U + 1,)
        Where in `rows` each unit starts.
    """

    rows: IntArray
    first: IntArray

    @classmethod
    def of(cls, codes: IntArray) -> Units:
        """Return the units of a code for each row of the baseline; rows whose code is negative are in none."""
        inside = np.flatnonzero(codes >= 0)
        order = inside[np.argsort(codes[inside], kind="stable")]
        starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0])
        return cls(order.astype(np.int64), np.append(starts, len(order)).astype(np.int64))

    def __len__(self) -> int:
        return len(self.first) - 1

    def taken(self, drawn: IntArray) -> tuple[IntArray, IntArray]:
        """Return the rows of the units drawn, and the number of the draw that each came with."""
        size = np.diff(self.first)[drawn]
        draw = np.repeat(np.arange(len(drawn)), size)
        within = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
        return self.rows[self.first[drawn][draw] + within], draw


def resampled(data: SurvivalData, units: Units, drawn: IntArray, *, as_clusters: bool) -> tuple[SurvivalData, IntArray]:
    """Return the data of the units drawn, and the row of the old baseline that each row of the new one was.

    Somebody drawn twice is two people. With `as_clusters` each draw is a cluster of its own, under the name the clusters had.

    Raises
    ------
    NotSupportedError
        Row counts: a row is then no person.
    """
    if data.frequency is not None:
        raise NotSupportedError("bootstrap: row counts (frequency) are not drawn again; give one row a person.")
    people, draw = units.taken(drawn)
    baseline = data.baseline.take(people).reset_index(drop=True)
    changed: dict[str, Any] = {}
    if as_clusters and data.cluster is not None:
        baseline = baseline.assign(**{data.cluster: draw})
    if data.row_a_person:
        rows, person, frame = people, np.arange(len(people)), baseline
    else:
        of_person = Units.of(data.person)
        rows, person = of_person.taken(people)
        frame = data.frame.take(rows).reset_index(drop=True)
        if as_clusters and data.cluster is not None:
            frame = frame.assign(**{data.cluster: draw[person]})
    if data.clones is not None:
        held = data.clones
        changed["clones"] = replace(
            held,
            person=_renumbered(draw, held.person[people]),
            **{name: getattr(held, name)[people] for name in ("begun", "complied", "departed", "last")},
        )
    new = replace(
        data,
        entry=sealed(data.entry[rows]),
        exit=sealed(data.exit[rows]),
        event=sealed(data.event[rows]),
        person=sealed(person.astype(np.int64)),
        arm=sealed(data.arm[people]),
        frame=frame,
        baseline=baseline,
        state=None if data.state is None else sealed(data.state[rows]),
        drawn_again=True,
        **changed,
    )
    return new, people


def _renumbered(draw: IntArray, person: IntArray) -> IntArray:
    """Return numbers of people that are the same where draw and person are: clones of one person, of one draw, stay together."""
    return np.unique(np.stack([draw, person]), axis=1, return_inverse=True)[1].reshape(-1).astype(np.int64)


def parts_of(data: SurvivalData) -> dict[str, Any]:
    """Return what data consist of, for a process of the same machine: data themselves are not written anywhere."""
    parts = {one.name: getattr(data, one.name) for one in fields(data)}
    return {name: dict(part) if isinstance(part, Mapping) else part for name, part in parts.items()}


def data_from(parts: dict[str, Any]) -> SurvivalData:
    """Return the data that consist of these parts."""
    return SurvivalData(**{**parts, "labels": MappingProxyType(parts["labels"])})
