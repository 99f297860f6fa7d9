"""Repeated events, rates and states."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scenario import Found, Key, Scenario, Truth, interval, log_interval
from scenarios_curves import as_data

import outcomes as oc

__all__ = ["OF_COUNTS"]

RATE, LEAVE, RATIO = 1 / 400, 1 / 2000, 0.7  # events a day in arm a, leaving for good, ratio of rates
AT = 730.0
SPREAD = 0.5  # variance of the gamma frailty


def _events(rng: np.random.Generator, people: int) -> pd.DataFrame:
    """Return start–stop rows of every event: at a rate of the person's own until they leave for good or the data end."""
    arm = np.repeat(["a", "b"], people // 2)
    rate = RATE * np.where(arm == "b", RATIO, 1.0) * rng.gamma(1 / SPREAD, SPREAD, people)
    leaves, ends = rng.exponential(1 / LEAVE, people), rng.uniform(600, 1600, people)
    until = np.minimum(leaves, ends)
    number = rng.poisson(rate * until)
    person = np.repeat(np.arange(people), number)
    rows = pd.DataFrame({"person": person, "exit": rng.random(len(person)) * until[person], "event": 1})
    last = pd.DataFrame({"person": np.arange(people), "exit": until, "event": np.where(leaves <= ends, 2, 0)})
    frame = pd.concat([rows, last]).sort_values(["person", "exit"], kind="stable", ignore_index=True)
    frame["entry"] = frame.groupby("person")["exit"].shift().fillna(0.0)
    return frame.assign(arm=arm[frame["person"]])


def _counts(rng: np.random.Generator) -> dict[Key, Found]:
    frame = _events(rng, 300)
    data = as_data(frame, entry="entry", exit="exit", id="person", repeated=True, causes={1: "offence", 2: "left"})
    found: dict[Key, Found] = {}
    for method in ("ghosh-lin", "nelson"):
        count = oc.mean_count(data, method=method)
        for row in count.at(AT).query("cause == 'offence'").to_dict("records"):
            found[f"mean_count, {method}", f"{_said(method)} by {AT:g}, {row['arm']}"] = interval(row)
        row = oc.compare(count, measure="count_difference", at=AT).to_frame().iloc[0]
        found[f"compare(mean_count), {method}", f"difference in {_said(method)} by {AT:g}"] = interval(row)
    row = oc.andersen_gill(data, "arm").to_frame().iloc[0]
    found["andersen_gill, robust", "log rate ratio of b"] = interval(row)
    for row in oc.event_rate(data, cause="offence", per=1000.0).to_frame().to_dict("records"):
        if row["measure"] == "rate":
            found["event_rate, robust", f"events in 1,000 days, {row['arm']}"] = interval(row)
        else:
            found["event_rate, robust", "log rate ratio of b"] = log_interval(row)
    return found


def _said(method: str) -> str:
    return "events a person" if method == "ghosh-lin" else "events a person present"


def _of_counts() -> dict[str, Truth]:
    found = {"log rate ratio of b": Truth(float(np.log(RATIO)))}
    present = float(-np.expm1(-LEAVE * AT) / LEAVE)  # mean days present by then
    each = {"a": RATE, "b": RATE * RATIO}
    for said, time in ((_said("ghosh-lin"), present), (_said("nelson"), AT)):
        for arm, rate in each.items():
            found[f"{said} by {AT:g}, {arm}"] = Truth(rate * time)
        found[f"difference in {said} by {AT:g}"] = Truth((each["b"] - each["a"]) * time)
    for arm, rate in each.items():
        found[f"events in 1,000 days, {arm}"] = Truth(1000 * rate)
    return found


STATES = ("free", "custody", "left")
MOVES = np.array([[-1 / 300 - 1 / 1500, 1 / 300, 1 / 1500], [1 / 120, -1 / 120, 0.0], [0.0, 0.0, 0.0]])


def _stays(rng: np.random.Generator, people: int) -> pd.DataFrame:
    """Return rows of stays: between the community and custody, and out for good."""
    rows = []
    for person, end in enumerate(rng.uniform(600, 1600, people)):
        state, time = 0, 0.0
        while time < end and state < 2:
            stay = rng.exponential(-1 / MOVES[state, state])
            chance = np.delete(MOVES[state], state) / -MOVES[state, state]
            then = int(np.delete(np.arange(3), state)[int(rng.random() >= chance[0])])
            left = min(time + stay, end)
            rows.append((person, time, left, STATES[state], STATES[then] if time + stay <= end else "stays"))
            state, time = then, time + stay
    return pd.DataFrame(rows, columns=["person", "entry", "exit", "state", "event"])


def _states(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(
        _stays(rng, 300), entry="entry", exit="exit", id="person", from_state="state", censored="stays", causes=STATES
    )
    rows = oc.state_probabilities(data).at((365.0, AT)).to_dict("records")
    return {("state_probabilities, robust", f"in {row['state']} at {row['time']:g}"): interval(row) for row in rows}


def _of_states() -> dict[str, Truth]:
    from scipy.linalg import expm

    return {
        f"in {state} at {time:g}": Truth(float(expm(MOVES * time)[0, number]))
        for time in (365.0, AT)
        for number, state in enumerate(STATES)
    }


OF_COUNTS = (
    Scenario(
        "repeated events",
        f"A rate of 1 in 400 days in a and {RATIO} times that in b, times a gamma frailty of variance {SPREAD} a person; "
        "leaving for good at 1 in 2,000 days, a data cut over days 600 to 1,600.",
        300,
        _counts,
        _of_counts(),
    ),
    Scenario(
        "states",
        "Between the community and custody at constant rates (1 in 300 days, 1 in 120), and out for good (1 in 1,500).",
        300,
        _states,
        _of_states(),
    ),
)
