"""Data as they should not be: few people, no events, days that coincide, weights and covariates of any size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

__all__ = ["AWKWARD", "awkward", "with_second_events"]


def _ordinary(n: int = 24) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "entry": 0.0,
            "exit": rng.integers(1, 9, n).astype(float),
            "event": rng.choice([0, 1, 2], n, p=[0.3, 0.45, 0.25]),
            "arm": np.where(np.arange(n) % 2 == 0, "a", "b"),
            "x": rng.normal(size=n).round(1),
            "z": rng.normal(size=n).round(1),
            "w": rng.uniform(0.2, 3, n).round(2),
            "cluster": np.arange(n) // 3,
        }
    )


def _on_the_day_of_entry(f: pd.DataFrame) -> pd.DataFrame:
    """Four people leave with an event on the day all others enter."""
    first = f.index < 4
    stop = np.where(first, 3.0, np.maximum(f["exit"], 4.0))
    return f.assign(entry=np.where(first, 0.0, 3.0), exit=stop, event=np.where(first, 1, f["event"]))


def _after_a_gap(f: pd.DataFrame) -> pd.DataFrame:
    """Nobody is at risk between 2 and 5."""
    first = f.index < 4
    return f.assign(entry=np.where(first, 0.0, 5.0), exit=np.where(first, 2.0, f["exit"] + 5))


def _thousands() -> pd.DataFrame:
    """Two thousand people on two days."""
    return _ordinary(2000).assign(exit=lambda f: f["exit"].clip(upper=2), cluster=lambda f: f.index // 40)


_Made = dict[str, Callable[[pd.DataFrame], pd.DataFrame]]

_COURSES: _Made = {
    "ordinary": lambda f: f,
    "one person": lambda f: f.iloc[:1],
    "two people": lambda f: f.iloc[:2].assign(event=1),
    "one arm": lambda f: f.assign(arm="a"),
    "no events": lambda f: f.assign(event=0),
    "one event": lambda f: f.assign(event=[1] + [0] * (len(f) - 1)),
    "no event in an arm": lambda f: f.assign(event=np.where(f["arm"] == "b", 0, f["event"])),
    "only competing events in an arm": lambda f: f.assign(event=np.where(f["arm"] == "b", 2, f["event"])),
    "all events on one day": lambda f: f.assign(exit=5.0, event=1),
    "everything on one day": lambda f: f.assign(exit=5.0),
    "events on the day of entry": _on_the_day_of_entry,
    "nobody at risk for a while": _after_a_gap,
    "everybody late": lambda f: f.assign(entry=2.0, exit=f["exit"] + 2),
    "events at time zero": lambda f: f.assign(
        exit=f["exit"].where(f.index > 5, 0.5), event=f["event"].where(f.index > 5, 1)
    ),
    "huge times": lambda f: f.assign(exit=f["exit"] * 1e15),
    "times beyond reason": lambda f: f.assign(exit=f["exit"] * 1e300),
    "tiny times": lambda f: f.assign(exit=f["exit"] * 1e-15),
    "times a hair apart": lambda f: f.assign(exit=5 + f.index * 1e-15),
    "arms one after the other": lambda f: f.assign(exit=f["exit"] + 20 * (f["arm"] == "b"), event=1),
    "one cluster": lambda f: f.assign(cluster=1),
    "a cluster an arm": lambda f: f.assign(cluster=f["arm"]),
    "thousands of ties": lambda _: _thousands(),
}
_WEIGHTS: _Made = {
    "some weights tiny": lambda f: f.assign(w=np.where(f.index % 3 == 0, 1e-12, 1.0)),
    "all weights tiny": lambda f: f.assign(w=1e-12),
    "one weight huge": lambda f: f.assign(w=np.where(f.index == 3, 1e12, 1.0)),
    "weights beyond reason": lambda f: f.assign(w=1e300),
    "weights below reason": lambda f: f.assign(w=1e-300),
    "some weights zero": lambda f: f.assign(w=np.where(f.index % 3 == 0, 0.0, 1.0)),
    "no weight where events are": lambda f: f.assign(w=np.where(f["event"] > 0, 0.0, 1.0)),
}
_COVARIATES: _Made = {
    "a constant": lambda f: f.assign(x=1.0),
    "collinear": lambda f: f.assign(z=2 * f["x"] + 1),
    "nearly collinear": lambda f: f.assign(z=f["x"] + 1e-9 * f["z"]),
    "an infinite value": lambda f: f.assign(x=f["x"].where(f.index != 3, np.inf)),
    "a missing value": lambda f: f.assign(x=f["x"].where(f.index != 3, np.nan)),
    "a huge covariate": lambda f: f.assign(x=f["x"] * 1e12 + 1e15),
    "a covariate beyond reason": lambda f: f.assign(x=f["x"] * 1e200),
    "x tells who has the event": lambda f: f.assign(x=(f["event"] == 1) * 1.0),
    "x is the time": lambda f: f.assign(event=1, x=-f["exit"]),
}
# What is odd about each: what happened, what people weigh, or what is known of them.
AWKWARD = {
    (topic, name): make
    for topic, sets in (("courses", _COURSES), ("weights", _WEIGHTS), ("covariates", _COVARIATES))
    for name, make in sets.items()
}


def awkward(topic: str, name: str) -> pd.DataFrame:
    """Return one of the data sets: id, entry, exit, event (0, 1, 2), arm, x, z, w, cluster."""
    return AWKWARD[topic, name](_ordinary())


def with_second_events(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the same, people who had a first event followed for as long again until another."""
    again = frame[frame["event"] == 1]
    later = again.assign(entry=again["exit"], exit=2 * again["exit"] - again["entry"])
    return pd.concat([frame, later[later["exit"] > later["entry"]]]).reset_index(drop=True)
