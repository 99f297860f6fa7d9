"""Pseudo-values: events where nobody is censored, near leaving out one by one where somebody is, and an arm's risk on average."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import outcomes as oc
from outcomes.survival.pseudo_values import pseudo_values

RNG = np.random.default_rng(3)
FRAME = pd.DataFrame(
    {"time": RNG.integers(1, 40, 90), "cause": RNG.integers(0, 3, 90), "arm": np.repeat(["old", "new"], 45)}
)


def curves(frame: pd.DataFrame) -> oc.CumulativeIncidence:
    return oc.cumulative_incidence(
        oc.survival_data(
            frame,
            duration="time",
            event="cause",
            causes={1: "one", 2: "two"},
            censored=0,
            arm="arm",
            reference="old",
        )
    )


def test_without_censoring_they_say_who_had_the_event_by_then() -> None:
    frame = FRAME.assign(cause=np.where(FRAME["cause"] == 0, 1, FRAME["cause"]))
    had = (frame["cause"] == 1) & (frame["time"] <= 20)
    assert pseudo_values(curves(frame), 20.0, "one") == pytest.approx(had.to_numpy().astype(float), abs=1e-10)


def test_their_mean_in_an_arm_is_its_risk() -> None:
    found = curves(FRAME)
    values = pseudo_values(found, 20.0, "one")
    at = found.at(20.0)
    for index, arm in enumerate(found.arms):
        risk = at.loc[(at["arm"] == arm) & (at["cause"] == "one"), "estimate"].item()
        assert values[found.data.arm == index].mean() == pytest.approx(risk, abs=1e-12)


def test_they_are_near_those_of_leaving_out_one_by_one() -> None:
    found = curves(FRAME)
    values = pseudo_values(found, 20.0, "one")
    for person in range(0, 90, 7):
        index = int(found.data.arm[person])
        arm, size = found.arms[index], int((found.data.arm == index).sum())
        risks = []
        for frame in (FRAME, FRAME.drop(index=person)):
            at = curves(frame).at(20.0)
            risks.append(at.loc[(at["arm"] == arm) & (at["cause"] == "one"), "estimate"].item())
        assert values[person] == pytest.approx(size * risks[0] - (size - 1) * risks[1], abs=0.05)


def test_rows_that_stand_for_several_people_are_refused() -> None:
    data = oc.survival_data(
        FRAME.assign(count=2),
        duration="time",
        event="cause",
        frequency="count",
        causes={1: "one", 2: "two"},
        censored=0,
    )
    with pytest.raises(oc.NotSupportedError, match="one row each"):
        pseudo_values(oc.cumulative_incidence(data), 20.0, "one")


def test_who_enters_late_is_counted_and_refused() -> None:
    late = FRAME.assign(entry=np.where(FRAME.index < 4, 0.5, 0.0))
    data = oc.survival_data(late, entry="entry", exit="time", event="cause", causes={1: "one", 2: "two"}, censored=0)
    with pytest.raises(oc.NotSupportedError, match="4 of 90 people enter late"):
        pseudo_values(oc.cumulative_incidence(data), 20.0, "one")
