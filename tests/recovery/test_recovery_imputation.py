"""A confounder that is missing at random: complete cases are biased, imputed sets recover the truth as often as they say.

Whether the confounder is missing depends on the arm, on the outcome and on a second measurement of it. The truth is a Cox model's, and of
the difference in risk an integral over the confounder.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from gates import BOUNDED, summary_row
from scenario import Interval, Truth

import outcomes as oc

EFFECT, SLOPE, LEVEL, TIME = -0.5, 0.8, -0.5, 1.0
REPLICATES, SETS = 100, 8


def drawn(seed: int, n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng([2010, seed])
    x = rng.normal(size=n)
    arm = (rng.random(n) < 1 / (1 + np.exp(-0.8 * x))).astype(int)
    time, ends = rng.exponential(1 / np.exp(LEVEL + SLOPE * x + EFFECT * arm)), rng.uniform(0.3, 3, n)
    event, second = (time <= ends).astype(int), x + 0.7 * rng.normal(size=n)
    frame = pd.DataFrame({"arm": arm, "x": x, "second": second, "time": np.minimum(time, ends), "event": event})
    frame.loc[rng.random(n) < 1 / (1 + np.exp(1.2 - 1.2 * event - 0.8 * arm + 0.8 * second)), "x"] = np.nan
    return frame


def time_at_risk(frame: pd.DataFrame) -> oc.SurvivalData:
    return oc.survival_data(frame, duration="time", event="event", arm="arm", reference=0)


def cox(data: oc.SurvivalData) -> oc.Cox:
    return oc.cox(data, "arm + x")


def difference(data: oc.SurvivalData) -> oc.Comparison:
    weights = oc.weight(data, "x", estimand="ate")
    return oc.compare(oc.kaplan_meier(data, weights=weights), measure="risk_difference", at=TIME)


def interval(frame: pd.DataFrame, row: int) -> Interval:
    one = frame.iloc[row]
    return Interval(one["estimate"], one["std_error"], one["conf_low"], one["conf_high"])


@pytest.fixture(scope="module")
def found() -> dict[str, list[Interval]]:
    """Estimates of every replicate, by name."""
    rows: dict[str, list[Interval]] = {}
    for seed in range(REPLICATES):
        frame = drawn(seed)
        known = time_at_risk(frame.dropna().reset_index(drop=True))
        imputed = oc.impute(time_at_risk(frame), m=SETS, seed=seed, columns=["x", "second"])
        for name, estimate in (("cox", cox), ("difference", difference)):
            alone, pooled = estimate(known).to_frame(), oc.pool(imputed, estimate).to_frame()
            for row in range(len(alone)):
                rows.setdefault(f"complete cases: {name} {row}", []).append(interval(alone, row))
                rows.setdefault(f"imputed: {name} {row}", []).append(interval(pooled, row))
    return rows


def risk_difference() -> float:
    x, weight = np.polynomial.hermite_e.hermegauss(60)
    weight = weight / weight.sum()
    risk = [1 - weight @ np.exp(-TIME * np.exp(LEVEL + SLOPE * x + EFFECT * arm)) for arm in (0, 1)]
    return float(risk[1] - risk[0])


TRUTHS = {"cox 0": EFFECT, "cox 1": SLOPE, "difference 0": risk_difference()}


@pytest.mark.parametrize("name", TRUTHS)
def test_imputed_sets_recover_the_truth_as_often_as_they_say(name: str, found: dict[str, list[Interval]]) -> None:
    row = summary_row(found[f"imputed: {name}"], Truth(TRUTHS[name]), BOUNDED, conservative=False)
    assert row["passed"], row
    assert 0.8 < row["se_ratio"] < 1.25


def test_complete_cases_do_not(found: dict[str, list[Interval]]) -> None:
    slope = summary_row(found["complete cases: cox 1"], Truth(SLOPE), BOUNDED, conservative=False)
    assert slope["share"] < 0.85
    assert abs(slope["bias"]) > 6 * slope["bias_mcse"]


def test_imputed_sets_are_the_more_precise(found: dict[str, list[Interval]]) -> None:
    for name in ("cox 0", "cox 1"):
        spread = [np.std([one.estimate for one in found[f"{kind}: {name}"]]) for kind in ("imputed", "complete cases")]
        assert spread[0] < 0.9 * spread[1]
