"""Everybody under each regime and under none, by models of who starts, when, and of what follows: a g-formula over starting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.adjust.case_mix import models_by_cause
from outcomes.adjust.propensity import fit_propensity
from outcomes.comparison.regime_kernel import Reached, reach_and_effect, under_regime
from outcomes.design.data import SurvivalData, survival_data
from outcomes.results import Array
from outcomes.survival.cox_baseline import encode
from outcomes.survival.cox_model import fit_cox
from outcomes.survival.design_matrix import DesignMatrix, design_matrix

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.survival.cox_result import Cox


__all__ = ["ELIGIBLE", "REGIME", "TARGET", "regime_worlds"]

REGIME, TARGET, ELIGIBLE = "_regime", "_target", "_eligible_"
"""Columns of the baseline: what was on offer, who is averaged over, and who may start a programme (with the arm's name after it)."""
_PIECES = 120
_EVENTS_A_TERM = 10
_WHO, _WHEN = "caseload, who starts", "caseload, when people start"


@dataclass(frozen=True)
class _Hazard:
    """A hazard in K pieces of time and everybody's log hazard ratio; P people."""

    pieces: Array
    log_ratio: Array

    def of(self, people: Any) -> Array:
        """Return the cumulative hazard of some people in each piece, shape (n, K)."""
        found: Array = np.exp(self.log_ratio[people])[:, None] * self.pieces
        return found


def regime_worlds(
    data: SurvivalData, arms: tuple[str, str], formula: str, starting: str, cause: str, horizon: float
) -> Mapping[str, float]:
    """Return risks under the regimes of two arms and under none, whom they reach, and what the difference is made of.

    Parameters
    ----------
    data : SurvivalData
        Rows cut where exposure changes, from release or sentence; the baseline with `REGIME`, `TARGET` and `ELIGIBLE`.
    arms : tuple of str
        The reference's and the arm's: levels of ``exposure`` and of `REGIME`.
    formula, starting : str
        Covariates at time zero that decide about the outcome, and about who starts and when; empty where none does.
    cause : str
    horizon : float

    Returns
    -------
    mapping of str to float
        ``risk_none``; for each arm ``risk_<arm>``, ``reach_<arm>`` and ``effect_<arm>`` (among those reached); ``difference``, and its
        parts ``from_reach`` and ``from_effect``.
    """
    edges = np.linspace(0.0, horizon, _PIECES + 1)
    people = np.flatnonzero(data.baseline[TARGET].to_numpy(dtype=bool))
    none = np.zeros(len(people))
    causes = _outcome_hazards(data, formula, cause, edges)
    before = np.stack([worlds[0].of(people) for worlds in causes])
    bare = under_regime(none, np.zeros((len(people), _PIECES)), before, before)
    found = {"risk_none": float(bare.risk.mean())}
    design = design_matrix(starting, data.baseline, arm=None, what=_WHO) if starting else None
    reach, effect = [], []
    for place, arm in enumerate(arms, start=1):
        begun, starts = _starts(data, arm, design, people, edges)
        after = np.stack([worlds[place].of(people) for worlds in causes])
        made: Reached = under_regime(begun, starts, before, after)
        risk, share = float(made.risk.mean()), float(made.reached.mean())
        reach.append(share)
        effect.append((risk - found["risk_none"]) / share if share > 0 else 0.0)
        found |= {f"risk_{arm}": risk, f"reach_{arm}": share, f"effect_{arm}": effect[-1] if share > 0 else np.nan}
    more, better = reach_and_effect((reach[0], reach[1]), (effect[0], effect[1]))
    difference = found[f"risk_{arms[1]}"] - found[f"risk_{arms[0]}"]
    return {**found, "difference": difference, "from_reach": more, "from_effect": better}


def _outcome_hazards(data: SurvivalData, formula: str, cause: str, edges: Array) -> list[list[_Hazard]]:
    """Return for each cause (the one asked about first) its hazard under no exposure and under each arm's."""
    levels = list(data.frame["exposure"].cat.categories)
    models, _ = models_by_cause(data, cause, formula, of="exposure")
    found = []
    for name, model in models.items():
        hit = data.event == 1 + data.causes.index(name)
        if not hit.any():
            continue
        if model is None:
            flat = _everybodys(data.entry, data.exit, hit, edges, len(data.baseline))
            found.append([flat] * len(levels))
            continue
        fit = fit_cox(
            data, model, cause=name, weights=None, strata=None, cluster=None, ties="efron", robust=False, conf_level=0.95,
            what=f"caseload, {name}",
        )  # fmt: skip
        pieces = _in_pieces(fit.rows.time, fit.sums.hazard, edges)
        nothing = _exposed(data.baseline, levels[:1] * len(data.baseline), levels)
        somebody = _exposed(data.baseline.iloc[[0] * len(levels)], levels, levels)
        unexposed, one = (np.asarray(_encoded(fit, frame) @ fit.scaled) for frame in (nothing, somebody))
        found.append([_Hazard(pieces, unexposed + shift) for shift in one - one[0]])  # exposure adds to the log hazard
    return found


def _encoded(fit: Cox, frame: pd.DataFrame) -> Array:
    return encode(fit, frame, np.zeros(len(frame), dtype=np.int64), what="caseload")


def _exposed(people: pd.DataFrame, to: list[str], levels: list[str]) -> pd.DataFrame:
    """Return people exposed to what is named for each."""
    import pandas as pd

    return people.reset_index(drop=True).assign(exposure=pd.Categorical(to, categories=levels))


def _in_pieces(time: Array, jumps: Array, edges: Array) -> Array:
    """Return the sum of the jumps in each piece (edge, next] of time."""
    reached = np.append(0.0, np.cumsum(jumps))[np.searchsorted(time, edges, side="right")]
    return np.diff(reached)


def _everybodys(entry: Array, exit_: Array, hit: Any, edges: Array, people: int) -> _Hazard:
    """Return a hazard that is the same for everybody: events over those at risk."""
    times, counts = np.unique(exit_[hit], return_counts=True)
    at_risk = np.searchsorted(np.sort(entry), times, side="left") - np.searchsorted(np.sort(exit_), times, side="left")
    return _Hazard(_in_pieces(times, counts / at_risk, edges), np.zeros(people))


def _starts(
    data: SurvivalData, arm: str, design: DesignMatrix | None, people: Any, edges: Array
) -> tuple[Array, Array]:
    """Return for some people the chance of starting on time zero and the hazard of starting later, under the regime of an arm.

    Those whom the arm's entry rules admit and those whom they shut out are modelled apart; a group with fewer than ten starts a term
    has one chance and one hazard for all of it.
    """
    baseline = data.baseline
    offered = (baseline[REGIME] == arm).to_numpy()
    admitted = baseline[f"{ELIGIBLE}{arm}"].to_numpy(dtype=bool)
    first, when, last = _first_start(data, arm)
    begun, starting = np.zeros(len(people)), np.zeros((len(people), _PIECES))
    for group in (admitted, ~admitted):
        mine = np.flatnonzero(offered & group)
        asked = group[people]
        if not len(mine) or not asked.any():
            continue
        begun[asked] = _chance(design, mine, first[mine], people[asked])
        waits = mine[~first[mine]]
        if len(waits) and when[waits].any():
            hazard = _start_hazard(design, waits, last[waits], when[waits], len(baseline), edges)
            starting[asked] = hazard.of(people[asked])
    return begun, starting


def _first_start(data: SurvivalData, arm: str) -> tuple[Any, Any, Array]:
    """Return for each person whether they had started an arm on time zero, started it later, and when (or until when they did not)."""
    here = (data.frame["exposure"] == arm).to_numpy()
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
    names: tuple[str, ...]


def _told(design: DesignMatrix, mine: Any, started: Any) -> _Told:
    """Return whose chance a yes-or-no column tells (a level none of whose people started), and what is left to be modelled.

    `known`, `value` (0 or 1) and `columns` are of everybody; `rest` says which of `mine` are left.
    """
    values = design.values
    known, value = np.zeros(len(values), dtype=bool), np.zeros(len(values))
    for column in values.T:
        sides = np.unique(column)
        if len(sides) != 2:
            continue
        for side in sides:
            here = column == side
            among = started[here[mine]]
            if len(among) and among.all() == among.any():
                value[here & ~known] = float(among[0])
                known |= here
    rest = ~known[mine]
    varies = values[mine[rest]].std(axis=0) > 0 if rest.any() else np.zeros(values.shape[1], dtype=bool)
    names = tuple(name for name, here in zip(design.columns, varies, strict=True) if here)
    return _Told(known, value, rest, values[:, varies], names)


def _chance(design: DesignMatrix | None, mine: Any, started: Any, people: Any) -> Array:
    """Return the chance of having started on time zero of some people, learned from others."""
    if design is None:
        return np.full(len(people), started.mean())
    told = _told(design, mine, started)
    left, begun = mine[told.rest], started[told.rest]
    chance = np.full(len(told.known), begun.mean() if len(begun) else 0.0)
    if told.names and min(begun.sum(), (~begun).sum()) >= _EVENTS_A_TERM * len(told.names):
        fit = fit_propensity(
            told.columns[left], begun.astype(np.float64), told.names, what=_WHO, sides="starters and others"
        )
        own = np.nan_to_num(fit.coefficients)
        chance = 1.0 / (1.0 + np.exp(-own[0] - told.columns @ own[1:]))
    return np.asarray(np.where(told.known, told.value, chance)[people])


def _start_hazard(
    design: DesignMatrix | None, mine: Any, last: Array, started: Any, people: int, edges: Array
) -> _Hazard:
    """Return the hazard of starting after time zero, learned from those who had not started on it."""
    flat = _everybodys(np.zeros(len(mine)), last, started, edges, people)
    if design is None:
        return flat
    told = _told(design, mine, started)
    never = told.known & (told.value == 0)
    left = ~never[mine]
    if not told.names or started.sum() < _EVENTS_A_TERM * len(told.names):
        alone = _everybodys(np.zeros(int(left.sum())), last[left], started[left], edges, people)
        return replace(alone, log_ratio=np.where(never, -np.inf, 0.0))
    waiting = _waits(told, mine[left], last[left], started[left])
    fit = fit_cox(
        waiting, " + ".join(waiting.frame.columns[2:]), cause="start", weights=None, strata=None, cluster=None, ties="efron",
        robust=False, conf_level=0.95, what=_WHEN,
    )  # fmt: skip
    log_ratio = ((told.columns - fit.centre) / fit.scale) @ fit.scaled
    return _Hazard(_in_pieces(fit.rows.time, fit.sums.hazard, edges), np.where(never, -np.inf, log_ratio))


def _waits(told: _Told, people: Any, last: Array, started: Any) -> SurvivalData:
    """Return the time some people waited for a start, with the columns that vary among them."""
    import pandas as pd

    columns = {f"x{k}": column for k, column in enumerate(told.columns[people].T)}
    return survival_data(pd.DataFrame({"wait": last, "start": started, **columns}), duration="wait", event="start")
