"""Weighted contrasts of three arms: right on average, and intervals that hold the truth as often as they say."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, softmax
from scipy.stats import binom

import outcomes as oc

TIMES, PEOPLE = 200, 700
ESTIMANDS = ("ate", "att", "ato")
SCORE = np.array([[0.0, 0.0], [0.2, 0.7], [-0.3, -0.6]])  # intercept and slope of each arm
EFFECT = np.array([0.0, -0.6, 0.5])
SPREAD = 0.4  # by how much the effect of the last arm grows with x: estimands differ


def risk(x: np.ndarray, arm: int) -> np.ndarray:
    return np.asarray(expit(-0.8 + 0.9 * x + EFFECT[arm] + SPREAD * x * (arm == 2)))


def chances(x: np.ndarray) -> np.ndarray:
    return np.asarray(softmax(SCORE[:, 0] + np.outer(x, SCORE[:, 1]), axis=1))


def truth(estimand: str) -> np.ndarray:
    """Both differences with the reference, by numerical integration over x, which is standard normal."""
    x, mass = np.polynomial.hermite_e.hermegauss(80)
    e = chances(x)
    tilt = {"ate": np.ones(len(x)), "att": e[:, 2], "ato": 1 / (1 / e).sum(axis=1)}[estimand]
    risks = np.array([np.average(risk(x, a), weights=mass * tilt) for a in range(3)])
    return risks[1:] - risks[0]


@cache
def repeated() -> dict[str, np.ndarray]:
    """Estimates and limits, shape (TIMES, 2 contrasts, 3), by estimand."""
    found: dict[str, list[np.ndarray]] = {name: [] for name in ESTIMANDS}
    for rng in np.random.default_rng(2026).spawn(TIMES):
        x = rng.normal(size=PEOPLE)
        arm = (np.log(chances(x)) + rng.gumbel(size=(PEOPLE, 3))).argmax(axis=1)
        happened = rng.random(PEOPLE) < np.choose(arm, [risk(x, a) for a in range(3)])
        frame = pd.DataFrame(
            {"x": x, "arm": arm, "day": np.where(happened, rng.integers(1, 10, PEOPLE), 12), "e": happened.astype(int)}
        )
        data = oc.survival_data(frame, duration="day", event="e", arm="arm", reference=0)
        for name in ESTIMANDS:
            weights = oc.weight(data, "x", estimand=name, focal="2" if name == "att" else None)
            row = oc.compare(oc.kaplan_meier(data, weights=weights), measure="risk_difference", at=10).to_frame()
            found[name].append(row[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=float))
    return {name: np.array(values) for name, values in found.items()}


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_weighted_differences_are_right_on_average(estimand: str) -> None:
    found = repeated()[estimand][:, :, 0]
    error, spread = found.mean(axis=0) - truth(estimand), found.std(axis=0, ddof=1)
    assert (np.abs(error) <= 0.1 * spread + 4 * spread / np.sqrt(TIMES)).all()


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_intervals_hold_the_truth_as_often_as_they_say(estimand: str) -> None:
    found, wanted = repeated()[estimand], truth(estimand)
    held = ((found[:, :, 1] <= wanted) & (wanted <= found[:, :, 2])).sum(axis=0)
    low, high = binom.ppf([0.0005, 0.9995], TIMES, 0.95)
    assert ((held >= low) & (held <= high)).all(), held


def test_the_estimands_have_different_answers_here_so_that_taking_one_for_another_shows() -> None:
    answers = np.array([truth(name) for name in ESTIMANDS])
    spread = np.array([repeated()[name][:, :, 0].std(axis=0) for name in ESTIMANDS])
    assert np.ptp(answers[:, 1]) > 0.5 * spread[:, 1].min()
