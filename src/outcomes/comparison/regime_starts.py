"""Who starts a programme under a regime, and when: learned from those to whom it was offered, told of everybody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from outcomes.adjust.propensity import fit_propensity
from outcomes.comparison.piecewise_hazards import Hazard, everybodys, in_pieces
from outcomes.comparison.regime_models import ELIGIBLE, REGIME, exposure_to
from outcomes.design.data import SurvivalData, survival_data
from outcomes.results import Array
from outcomes.survival.cox_model import fit_cox

__all__ = ["handfuls", "starts_under"]

_EVENTS_A_TERM = 10
_FEWEST = 10
_WHO, _WHEN = "caseload, who starts", "caseload, when people start"


def starts_under(
    data: SurvivalData, arm: str, columns: tuple[str, ...], people: Any, edges: Array
) -> tuple[Array, Array]:
    """Return for some people the chance of starting on time zero and the hazard of starting later, under the regime of an arm.

    Those whom the arm's entry rules admit and those whom they shut out are modelled apart; a group with fewer than ten starts a term
    has one chance and one hazard for all of it.
    """
    baseline = data.baseline
    values = baseline[list(columns)].to_numpy(dtype=np.float64)
    offered = (baseline[REGIME] == arm).to_numpy()
    admitted = baseline[f"{ELIGIBLE}{arm}"].to_numpy(dtype=bool)
    first, when, last = _first_start(data, arm)
    begun, starting = np.zeros(len(people)), np.zeros((len(people), len(edges) - 1))
    for group in (admitted, ~admitted):
        mine = np.flatnonzero(offered & group)
        asked = group[people]
        if not len(mine) or not asked.any():
            continue
        begun[asked] = _chance(values, mine, first[mine], people[asked])
        waits = mine[~first[mine]]
        if len(waits) and when[waits].any():
            hazard = _start_hazard(values, waits, last[waits], when[waits], edges)
            starting[asked] = hazard.of(people[asked])
    return begun, starting


def handfuls(data: SurvivalData, arm: str, columns: tuple[str, ...]) -> int:
    """Return how many columns are left out of who starts on time zero: fewer than 10 people of a level, who all did the same."""
    baseline = data.baseline
    values = baseline[list(columns)].to_numpy(dtype=np.float64)
    offered = (baseline[REGIME] == arm).to_numpy()
    admitted = baseline[f"{ELIGIBLE}{arm}"].to_numpy(dtype=bool)
    first, _, _ = _first_start(data, arm)
    left = np.zeros(len(columns), dtype=bool)
    for mine in (np.flatnonzero(offered & group) for group in (admitted, ~admitted)):
        left |= ~_told(values, mine, first[mine]).used
    return int(left.sum())


def _first_start(data: SurvivalData, arm: str) -> tuple[Any, Any, Array]:
    """Return for each person whether they had started an arm on time zero, started it later, and when (or until when they did not)."""
    here = data.frame[exposure_to(arm)].to_numpy() > 0
    people = len(data.baseline)
    begin = np.full(people, np.inf)
    np.minimum.at(begin, data.person[here], data.entry[here])
    end = np.zeros(people)
    np.maximum.at(end, data.person, data.exit)
    return begin <= 0, np.isfinite(begin) & (begin > 0), np.minimum(begin, end)


@dataclass(frozen=True)
class _Told:
    """What some column tells of starting: those of whom nobody, or everybody, started; the others and columns that vary among them."""

    known: Any
    value: Array
    rest: Any
    columns: Array
    used: Any


def _told(values: Array, mine: Any, started: Any) -> _Told:
    """Return whose chance a yes-or-no column tells (a level none of whose people started), and what is left to be modelled.

    Fewer than 10 people tell nothing of others like them: where they all did the same the column is left out.
    `known`, `value` (0 or 1) and `columns` are of everybody; `rest` says which of `mine` are left, `used` which columns are not left out.
    """
    known, value = np.zeros(len(values), dtype=bool), np.zeros(len(values))
    used = np.ones(values.shape[1], dtype=bool)
    for place, column in enumerate(values.T):
        sides = np.unique(column)
        if len(sides) != 2:
            continue
        for side in sides:
            here = column == side
            among = started[here[mine]]
            if not len(among) or among.all() != among.any():
                continue
            if len(among) < _FEWEST:
                used[place] = False
            else:
                value[here & ~known] = float(among[0])
                known |= here
    rest = ~known[mine]
    varies = values[mine[rest]].std(axis=0) > 0 if rest.any() else np.zeros(values.shape[1], dtype=bool)
    return _Told(known, value, rest, values[:, varies & used], used)


def _chance(values: Array, mine: Any, started: Any, people: Any) -> Array:
    """Return the chance of having started on time zero of some people, learned from others."""
    told = _told(values, mine, started)
    left, begun = mine[told.rest], started[told.rest]
    chance = np.full(len(told.known), begun.mean() if len(begun) else 0.0)
    terms = told.columns.shape[1]
    if terms and min(begun.sum(), (~begun).sum()) >= _EVENTS_A_TERM * terms:
        fit = fit_propensity(
            told.columns[left],
            begun.astype(np.float64),
            tuple(f"x{k}" for k in range(terms)),
            what=_WHO,
            sides="starters and others",
        )
        own = np.nan_to_num(fit.coefficients)
        chance = 1.0 / (1.0 + np.exp(-own[0] - told.columns @ own[1:]))
    return np.asarray(np.where(told.known, told.value, chance)[people])


def _start_hazard(values: Array, mine: Any, last: Array, started: Any, edges: Array) -> Hazard:
    """Return the hazard of starting after time zero, learned from those who had not started on it."""
    told = _told(values, mine, started)
    never = told.known & (told.value == 0)
    left = ~never[mine]
    terms = told.columns.shape[1]
    if not terms or started.sum() < _EVENTS_A_TERM * terms:
        alone = everybodys(np.zeros(int(left.sum())), last[left], started[left], edges, len(values))
        return replace(alone, log_ratio=np.where(never, -np.inf, 0.0))
    waiting = _waits(told, mine[left], last[left], started[left])
    fit = fit_cox(
        waiting, " + ".join(waiting.frame.columns[2:]), cause="start", weights=None, strata=None, cluster=None, ties="efron",
        robust=False, conf_level=0.95, what=_WHEN,
    )  # fmt: skip
    log_ratio = ((told.columns - fit.centre) / fit.scale) @ fit.scaled
    return Hazard(in_pieces(fit.rows.time, fit.sums.hazard, edges), np.where(never, -np.inf, log_ratio))


def _waits(told: _Told, people: Any, last: Array, started: Any) -> SurvivalData:
    """Return the time some people waited for a start, with the columns that vary among them."""
    import pandas as pd

    columns = {f"x{k}": column for k, column in enumerate(told.columns[people].T)}
    return survival_data(pd.DataFrame({"wait": last, "start": started, **columns}), duration="wait", event="start")
