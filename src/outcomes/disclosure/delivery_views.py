"""What is shown of delivery: the hazard over the scores of groups and the risk by third of them, and the sites of each arm in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.comparison.fidelity_result import FidelityEffect
from outcomes.comparison.site_result import SiteVariation
from outcomes.durations import in_words
from outcomes.results import Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["shown_of_delivery"]

Shown = tuple[str, dict[str, "pd.DataFrame"], dict[str, Any]]


def shown_of_delivery(result: Result) -> Shown | None:
    """Return kind, frames (the main one first) and facts of a result about delivery; None of any other."""
    if isinstance(result, FidelityEffect):
        return _fidelity(result)
    if isinstance(result, SiteVariation):
        return _sites(result)
    return None


def _fidelity(result: FidelityEffect) -> Shown:
    import pandas as pd

    frames = {
        "curve": result.curve(),
        "thirds": result.thirds(),
        "groups": pd.DataFrame({"score": result.scores}),
        "table": result.to_frame(),
    }
    within = (
        f"{100 * result.conf_level:g} % interval"
        if np.isfinite(result.line.low).any()
        else "too few clusters for an interval"
    )
    shape = "natural spline" if result.line.smooth else "straight line of the log"
    return "fidelity", frames, {
        "arm": result.arm,
        "scale": result.scale.replace("_", " "),
        "mean": result.mean,
        "axis": f"mean score of the group ({result.scale.replace('_', ' ')})",
        "risk": f"risk ({result.outcome}) by {in_words(result.horizon)}",
        "said": f"{result.arm}, {len(result.scores):,} groups (marks at the foot): hazard ratio for {result.outcome} against the mean score"
        f"; {shape}; {within}",
    }  # fmt: skip


def _sites(result: SiteVariation) -> Shown:
    places = result.sites()
    named = "sites" if result.by == "site" else "teams"
    numbers = ("observed", "estimate", "std_error", "conf_low", "conf_high")
    drawn = places.assign(**{name: 100 * places[name] for name in numbers if name in places})
    found = result.frame[result.frame["quantity"] == "icc"].set_index("arm")["estimate"].to_dict()
    frames = {"sites": drawn, "table": result.to_frame()}
    return "sites", frames, {
        "arms": tuple(map(str, found)),
        "icc": {str(arm): float(value) for arm, value in found.items()},
        "named": named,
        "axis": f"difference in risk ({result.outcome}) by {in_words(result.horizon)} from the arm's mean, per 100",
        "said": f"Filled: shrunken effects of {named} with {100 * result.conf_level:g} % intervals given the variances; hollow: as observed"
        f", given case mix; in brackets people. {named[0].upper()}{named[1:]} are not to be ranked by this",
    }  # fmt: skip
