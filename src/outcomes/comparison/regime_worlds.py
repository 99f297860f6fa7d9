"""Everybody under each regime and under none, by models of who starts, when, and of what follows: a g-formula over starting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from outcomes.comparison.piecewise_hazards import Hazard, everybodys, in_pieces
from outcomes.comparison.regime_kernel import Reached, reach_and_effect, under_regime
from outcomes.comparison.regime_models import TARGET, RegimeModels
from outcomes.comparison.regime_starts import starts_under
from outcomes.design.data import SurvivalData
from outcomes.results import Array
from outcomes.survival.cox_model import fit_cox

if TYPE_CHECKING:
    from outcomes.survival.cox_result import Cox


__all__ = ["regime_worlds"]

_PIECES = 120  # of the time up to the horizon, in which hazards are constant


def regime_worlds(data: SurvivalData, models: RegimeModels) -> Mapping[str, float]:
    """Return risks under the regimes of two arms and under none, whom they reach, and what the difference is made of.

    Parameters
    ----------
    data : SurvivalData
        As `laid_out` gives it.
    models : RegimeModels

    Returns
    -------
    mapping of str to float
        ``risk_none``; for each arm ``risk_<arm>``, ``reach_<arm>`` and ``effect_<arm>`` (among those reached); ``difference``, and its
        parts ``from_reach`` and ``from_effect``.
    """
    edges, arms = np.linspace(0.0, models.horizon, _PIECES + 1), models.arms
    people = np.flatnonzero(data.baseline[TARGET].to_numpy(dtype=bool))
    causes = _outcome_hazards(data, models, edges)
    before = np.stack([worlds[0].of(people) for worlds in causes])
    bare = under_regime(np.zeros(len(people)), np.zeros((len(people), _PIECES)), before, before)
    found = {"risk_none": float(bare.risk.mean())}
    reach, effect = [], []
    for place, arm in enumerate(arms, start=1):
        begun, starts = starts_under(data, arm, models.starting, people, edges)
        after = np.stack([worlds[place].of(people) for worlds in causes])
        made: Reached = under_regime(begun, starts, before, after)
        risk, share = float(made.risk.mean()), float(made.reached.mean())
        reach.append(share)
        effect.append((risk - found["risk_none"]) / share if share > 0 else 0.0)
        found |= {f"risk_{arm}": risk, f"reach_{arm}": share, f"effect_{arm}": effect[-1] if share > 0 else np.nan}
    more, better = reach_and_effect((reach[0], reach[1]), (effect[0], effect[1]))
    difference = found[f"risk_{arms[1]}"] - found[f"risk_{arms[0]}"]
    return {**found, "difference": difference, "from_reach": more, "from_effect": better}


def _outcome_hazards(data: SurvivalData, models: RegimeModels, edges: Array) -> list[list[Hazard]]:
    """Return for each cause (the one asked about first) its hazard under no exposure and under each arm's."""
    found = []
    for name, columns in models.outcome.items():
        hit = data.event == 1 + data.causes.index(name)
        if not hit.any():
            continue
        if columns is None:
            found.append([everybodys(data.entry, data.exit, hit, edges, len(data.baseline))] * 3)
            continue
        varying = [one for one in (*models.exposures, *columns) if np.ptp(data.frame[one].to_numpy()) > 0]
        fit = _cox(data, varying, name)
        slope = dict(zip(varying, fit.scaled / fit.scale, strict=True))
        known = [one for one in varying if one in columns]
        log_ratio = data.baseline[known].to_numpy(dtype=np.float64) @ np.array([slope[one] for one in known])
        log_ratio = log_ratio - float(np.asarray(fit.centre) @ (fit.scaled / fit.scale))
        pieces = in_pieces(fit.rows.time, fit.sums.hazard, edges)
        shifts = (0.0, *(slope.get(one, 0.0) for one in models.exposures))
        found.append([Hazard(pieces, log_ratio + shift) for shift in shifts])
    return found


def _cox(data: SurvivalData, columns: list[str], cause: str) -> Cox:
    """Return a Cox model on columns that are numbers."""
    return fit_cox(
        data, " + ".join(columns), cause=cause, weights=None, strata=None, cluster=None, ties="efron", robust=False, conf_level=0.95,
        what=f"caseload, {cause}",
    )  # fmt: skip
