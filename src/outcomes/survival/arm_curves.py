"""The curves of every arm of a data set, and what must be said where a risk set is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.errors import EstimationError
from outcomes.results import IntArray, Note
from outcomes.survival.curve_kernel import ArmCurve, fit_arm
from outcomes.survival.inputs import Asked

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData

__all__ = ["fit_arms", "head_count"]

_FEW = 5


def fit_arms(
    data: SurvivalData, asked: Asked, event: IntArray, n_causes: int, what: str
) -> tuple[tuple[ArmCurve, ...], tuple[IntArray, ...], tuple[Note, ...]]:
    """Return each arm's curves, the rows they come from, and what must be said about empty risk sets.

    Raises
    ------
    EstimationError
        An arm with nobody at risk.
    """
    fits, rows, notes = [], [], []
    person, by_row = np.asarray(data.person), asked.by_row(data)
    count = asked.count if data.row_a_person else asked.count[person]
    final = np.append(person[1:] != person[:-1], True)
    for index, arm in enumerate(data.arms):
        used = by_row > 0 if len(data.arms) == 1 else (data.row_arm == index) & (by_row > 0)
        inside = np.flatnonzero(used)
        if len(inside) == 0:
            raise EstimationError(f"{what}: arm {arm!r} has nobody at risk.")
        part = slice(None) if len(inside) == len(used) else inside  # everybody: as they lie
        number = count[part]
        weight = by_row[part] * number if asked.weighted else number
        fit = fit_arm(data.entry[part], data.exit[part], event[part], weight, number, n_causes, final=final[part])
        fits.append(fit)
        rows.append(inside)
        notes += _empty_risk_sets(arm, fit)
    return tuple(fits), tuple(rows), tuple(notes)


def head_count(people: float) -> str:
    """Return a number of people as a message gives it beside a time.

    Examples
    --------
    >>> head_count(1), head_count(1200)
    ('fewer than 5', '1,200')
    """
    return f"fewer than {_FEW}" if people < _FEW else f"{int(people):,}"


def _empty_risk_sets(arm: str, fit: ArmCurve) -> list[Note]:
    table = fit.table
    ended = table.n_events.sum(axis=0)
    if not ended.any():
        return [
            Note("no_events_in_arm", f"Arm {arm}: nobody had an event; an interval without width is not certainty.")
        ]
    emptied = np.flatnonzero((ended[:-1] > 0) & (ended[:-1] >= table.n_at_risk[:-1]))
    if len(emptied):
        people = head_count(table.n_at_risk[emptied[0]])
        text = (
            f"Arm {arm}: everybody at risk at time {fit.times[emptied[0]]:g} ({people}) had an event, so the "
            "event-free share is 0 from there on although others enter later. Begin later, where enough people are at risk."
        )
        return [Note("risk_set_emptied", text)]
    empty = fit.times[:-1][table.n_left[:-1] == 0]
    if len(empty) and not np.isin(empty, fit.entry).all():  # else others enter just then
        text = (
            f"Arm {arm}: for a time nobody was at risk; the curve is carried across, as if nothing had happened then."
        )
        return [Note("risk_set_gap", text)]
    return []
