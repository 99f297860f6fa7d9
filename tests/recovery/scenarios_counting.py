"""Who counts as treated: starters and completers, and whoever starts some time after everybody is followed."""

from __future__ import annotations

import numpy as np
from drawn_waits import HORIZON, drawn_waits
from offending_starters import offending_starters
from scenario import Found, Key, Scenario, Truth, interval, log_interval
from scipy.stats import poisson
from small_study import small_study

import outcomes as oc
from outcomes.design.study import Adjust

__all__ = ["OF_COUNTING"]

PEOPLE, AT = 600, 730
RATIO, MEAN_DAYS, BY_RISK, BY_SANCTION = 0.7, 900, 0.9, 0.1
_STUDY = small_study(horizon=AT).replace(adjust=Adjust("prior_sanctions", "ato"))
_WAITING = small_study(horizon=HORIZON).replace(adjust=Adjust("prior_sanctions", "ate"))


def _completing(rng: np.random.Generator) -> dict[Key, Found]:
    risk, sanctions = rng.normal(size=PEOPLE), rng.poisson(2, PEOPLE)
    bespoke = np.arange(1, PEOPLE + 1) % 2 == 0
    rate = np.exp(BY_RISK * risk + BY_SANCTION * (sanctions - 2)) * np.where(bespoke, RATIO, 1.0) / MEAN_DAYS
    offends = np.ceil(rng.exponential(1 / rate)).astype(int)
    dropped = rng.random(PEOPLE) < 1 / (1 + np.exp(0.5 - 1.2 * risk))
    extract = offending_starters(
        offends, sentences={"prior_sanctions": sanctions},
        participation={"status": np.where(dropped, "dropped_out", "completed")},
    )  # fmt: skip
    frame = oc.starters_and_completers(extract, _STUDY).to_frame()
    frame = frame[frame["adjustment"] == "adjusted"].set_index(["people", "against"])
    return {
        ("starters_and_completers", "difference in risk"): interval(frame.loc[("starters", "starters")]),
        ("completers against starters", "difference in risk"): interval(frame.loc[("completers", "starters")]),
        ("completers against completers", "difference in risk"): interval(frame.loc[("completers", "completers")]),
    }


def _of_starters() -> float:
    """Return the difference in risk over a normal risk and Poisson sanctions."""
    node, mass = np.polynomial.hermite_e.hermegauss(80)
    count = np.arange(40)
    rate = np.exp(BY_RISK * node[:, None] + BY_SANCTION * (count - 2)) / MEAN_DAYS
    weight = (mass / mass.sum())[:, None] * poisson.pmf(count, 2)
    return float((weight * (np.exp(-AT * rate) - np.exp(-AT * rate * RATIO))).sum())


def _waiting(rng: np.random.Generator) -> dict[Key, Found]:
    tables = drawn_waits(PEOPLE, rng, by_sanctions=0.25)
    frame = oc.immortal_time(tables, _WAITING, arm="manualised", horizon=365).to_frame()
    found: dict[Key, Found] = {}
    for row in frame.to_dict("records"):
        ratio = row["measure"] == "hazard_ratio"
        who = f"immortal_time, {row['method'].replace('_', ' ')}"
        found[who, "log hazard ratio" if ratio else "difference in risk"] = (
            log_interval(row) if ratio else interval(row)
        )
    return found


_WRONG = "people are classed by what happened to them later"

OF_COUNTING = (
    Scenario(
        name="starters, and those who completed",
        said=(
            "two programmes, one of which takes 30 % off the hazard of everybody; a hidden risk decides who drops out and who offends; "
            f"risks by {AT} days"
        ),
        people=PEOPLE,
        replicate=_completing,
        truths={"difference in risk": Truth(_of_starters())},
        reported={f"completers against {whom}": _WRONG for whom in ("starters", "completers")},
    ),
    Scenario(
        name="waiting for a programme that does nothing",
        said=(
            "everybody is followed from the sentence; who is free of an offence starts some time later; sanctions raise both rates; "
            "adjusted for sanctions"
        ),
        people=PEOPLE,
        replicate=_waiting,
        truths={"log hazard ratio": Truth(0.0), "difference in risk": Truth(0.0)},
        reported={"immortal_time, ever started": _WRONG},
    ),
)
