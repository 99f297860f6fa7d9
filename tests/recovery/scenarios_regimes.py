"""What areas offer, as the assignment: everybody under each regime, whom it reaches, and what the difference is made of."""

from __future__ import annotations

import numpy as np
from offered_worlds import AT, drawn, study, truths_of
from scenario import Found, Interval, Key, Scenario

import outcomes as oc

__all__ = ["OF_REGIMES"]

PEOPLE, AREAS = 8_000, 40
_B = "caseload, route B"
_NO_INTERVAL = "its intervals are bootstrap intervals, and are not drawn in each replicate"


def _asked(rng: np.random.Generator) -> dict[Key, Found]:
    tables = drawn(int(rng.integers(2**31)), PEOPLE, AREAS)
    found = oc.caseload(tables, study(), horizon=AT, replicates=0)
    frame = found.to_frame()
    rows: dict[Key, Found] = {}
    for adjustment, who in (("raw", "what was on offer, as it was"), ("adjusted", "caseload, route A")):
        here = (frame["route"] == "A") & (frame["adjustment"] == adjustment) & (frame["quantity"] == "difference")
        row = frame[here].iloc[0]
        rows[who, "difference"] = Interval(row["estimate"], row["std_error"], row["conf_low"], row["conf_high"])
    for row in frame[frame["route"] == "B"].to_dict("records"):
        name = f"{row['quantity']}_{row['arm']}".rstrip("_")
        if not name.startswith("from_"):
            rows[_B, name] = Interval(row["estimate"], np.nan, np.nan, np.nan)
    return rows


OF_REGIMES = (
    Scenario(
        name="what areas offer",
        said=(
            f"{AREAS} areas replace the bespoke programme by the manualised one, each at its own time; every bias of the invented cohort "
            "is on; risks by two years. True: what happens to the same people where one programme, or none, is on offer everywhere"
        ),
        people=PEOPLE,
        replicate=_asked,
        truths=truths_of(),
        reported={"what was on offer, as it was": "not adjusted: for showing what is wrong with it", _B: _NO_INTERVAL},
    ),
)
