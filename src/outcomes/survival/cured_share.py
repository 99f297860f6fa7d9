"""The share that never has the event under a mixture cure model, and whether follow-up was long enough to speak of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from outcomes.results import Array, IntArray, Note
from outcomes.survival.parametric_curves import Averaged
from outcomes.survival.parametric_fit import predictors

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData

__all__ = ["cured_share", "follow_up_notes"]

_STILL_TO_COME = 0.05
_ENOUGH = 3


def cured_share(designs: tuple[Array, ...], weight: Array, theta: Array) -> Averaged:
    """Return the weighted mean share of people (n, p_k) who never have the event, and its slope; shape (1,)."""
    never = 1 / (1 + np.exp(-predictors(designs, theta)[0]))
    part = weight / weight.sum()
    slope = np.zeros((1, len(theta)))
    slope[0, : designs[0].shape[1]] = (part * never * (1 - never)) @ designs[0]
    return Averaged(np.array([part @ never]), slope, never[:, None], np.arange(len(never)))


def follow_up_notes(
    data: SurvivalData,
    designs: tuple[Array, ...],
    theta: Array,
    died: npt.NDArray[np.bool_],
    used: IntArray,
    weight: Array,
) -> tuple[Note, ...]:
    """Return what must be said where an arm's follow-up is too short to see a plateau.

    Too short is an arm where the model expects more than 5 % of those not cured to have the event after the last time anybody was at
    risk, or where events go on until close to that time: the quiet time from the last event to the last time at risk is a plateau
    only if 3 events or more lie within as long a time before it (Maller & Zhou 1994, JASA 89:1499: (1 - 3/n)^n is below 5 %).
    Events are counted; what is expected is a mean over people by `weight` (N,), of rows, frequencies counted: that of a person's first.
    """
    notes = []
    count = np.ones(len(data.exit)) if data.frequency is None else np.asarray(data.frequency)
    for arm, name in enumerate(data.arms):
        rows = used[data.row_arm[used] == arm]
        who, first = np.unique(data.person[rows], return_index=True)
        last = float(data.exit[rows].max())
        _, location, log_scale = predictors(tuple(block[who] for block in designs), theta)
        with np.errstate(over="ignore"):
            free = np.exp(-np.exp((np.log(last) - location) * np.exp(-log_scale)))
        to_come = float(np.average(free, weights=weight[rows[first]]))
        hit = rows[died[rows]]
        final = float(data.exit[hit].max()) if len(hit) else last
        close = int(count[hit[data.exit[hit] > 2 * final - last]].sum())
        if to_come > _STILL_TO_COME or close < _ENOUGH:
            notes.append(
                Note(
                    "no_plateau",
                    f"Arm {name}: follow-up is too short to tell who never has the event from who has it later; do not read the "
                    f"cured share as one. At the last time at risk the model expects {100 * to_come:.0f} % of those not cured still to "
                    f"have the event (rule: at most {100 * _STILL_TO_COME:g} %), and as long a time before the last event as after it "
                    f"holds {close:,} events (rule: {_ENOUGH} or more, Maller & Zhou 1994).",
                )
            )
    return tuple(notes)
