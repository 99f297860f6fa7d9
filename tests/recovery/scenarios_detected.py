"""Events of which only a share is recorded for some: as recorded, and with what was not recorded put back."""

from __future__ import annotations

import numpy as np
from scenario import Found, Key, Scenario, Truth, interval
from thinned_events import thinned, true_risk

import outcomes as oc

__all__ = ["OF_DETECTED"]

PEOPLE, YEARS, SHARE = 400, 2.0, 0.5


def _asked(rng: np.random.Generator) -> dict[Key, Found]:
    data = thinned(PEOPLE, SHARE, rng)
    found = oc.detection_sensitivity(data, less_detected={"less": True}, at=YEARS, shares=[SHARE]).frame
    return {
        ("as recorded", "difference in risk"): interval(found.iloc[0]),
        ("detection_sensitivity", "difference in risk"): interval(found.iloc[-1]),
    }


OF_DETECTED = (
    Scenario(
        name="events recorded by chance",
        said=(
            f"events come at constant rates; of some people, more of them in one arm, each is recorded with a chance of {SHARE}; another "
            "end competes; random censoring"
        ),
        people=PEOPLE,
        replicate=_asked,
        truths={"difference in risk": Truth(true_risk("new", YEARS) - true_risk("usual", YEARS))},
        reported={"as recorded": "of some people events are missing: this is what is undone"},
        daily=True,
    ),
)
