"""Risk tables of all arms on one clock, stratum after stratum: what tests of the arms stand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from outcomes.results import Array, IntArray
from outcomes.survival.inputs import Asked
from outcomes.survival.risk_table import RiskTable, risk_table

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData

__all__ = ["ArmTables", "tables_by_arm"]


@dataclass(frozen=True)
class ArmTables:
    """A arms, K causes, G groups: distinct exit times of each stratum, stratum after stratum.

    Attributes
    ----------
    tables : tuple of RiskTable
        One an arm, on the shared clock.
    rows, event : tuple of ndarray
        Rows of the data in each arm, and the event of each.
    begin : ndarray of int, shape (S,)
        First group of each stratum.
    at_risk : ndarray, shape (A, G)
        Weighted number at risk.
    events : ndarray, shape (A, K, G)
        Weighted events by cause.
    """

    tables: tuple[RiskTable, ...]
    rows: tuple[IntArray, ...]
    event: tuple[IntArray, ...]
    begin: IntArray
    at_risk: Array
    events: Array

    def strata(self) -> list[slice]:
        """Return the groups of each stratum."""
        ends = np.append(self.begin[1:], self.at_risk.shape[1])
        return [slice(int(low), int(high)) for low, high in zip(self.begin, ends, strict=True)]


def tables_by_arm(
    data: SurvivalData, asked: Asked, event: IntArray, n_causes: int, stratum: IntArray | None
) -> ArmTables:
    """Return the risk tables of every arm; rows that weigh nothing are left out.

    Parameters
    ----------
    event : ndarray of int, shape (N,)
        0 = no event, k = cause k.
    stratum : ndarray of int, shape (N,), or None
        A number for each row's stratum, from 0.
    """
    weight = asked.by_row(data)
    count = asked.count[data.person]
    used = np.flatnonzero(weight > 0)
    entry, exit, span = _clock(np.asarray(data.entry)[used], np.asarray(data.exit)[used], stratum, used)
    groups = np.unique(exit)
    arm = data.row_arm[used]
    tables, rows = [], []
    for index in range(len(data.arms)):
        inside = np.flatnonzero(arm == index)
        mine = used[inside]
        number = count[mine]
        weighed = weight[mine] * number if asked.weighted else number
        tables.append(
            risk_table(entry[inside], exit[inside], event[mine], weighed, number, n_causes, times=groups),
        )
        rows.append(mine)
    of = groups // span if stratum is not None else np.zeros(len(groups))
    return ArmTables(
        tables=tuple(tables),
        rows=tuple(rows),
        event=tuple(event[mine] for mine in rows),
        begin=np.unique(of, return_index=True)[1],
        at_risk=np.stack([table.at_risk for table in tables]),
        events=np.stack([table.events for table in tables]),
    )


def _clock(entry: Array, exit: Array, stratum: IntArray | None, used: IntArray) -> tuple[Array, Array, int]:
    """Return entries and exits on a clock on which strata follow one another: whole ranks, so that nothing is rounded."""
    if stratum is None:
        return entry, exit, 1
    moments, rank = np.unique(np.concatenate((entry, exit)), return_inverse=True)
    span = len(moments) + 1
    offset = stratum[used] * span
    start, stop = offset + rank[: len(entry)], offset + rank[len(entry) :]
    return start.astype(np.float64), stop.astype(np.float64), span
