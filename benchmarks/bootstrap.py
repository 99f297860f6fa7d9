"""What bootstrap replicates cost: propensity score, weights and weighted cumulative incidence of 2,000 people, 1,000 times.

Run `python benchmarks/bootstrap.py`. It prints seconds for one process and for two, beside a plain loop that draws rows of a pandas
frame and makes data of them again, and what each part of a replicate takes.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

import outcomes as oc

FORMULA = "x + age + C(band)"


def people(size: int, seed: int = 2010) -> pd.DataFrame:
    """Return people whose covariates decide their arm and raise the hazard of two causes."""
    rng = np.random.default_rng(seed)
    x, band = rng.standard_normal(size), rng.integers(0, 3, size)
    arm = (rng.random(size) < 1 / (1 + np.exp(-0.5 * x + 0.3 * (band == 2)))).astype(int)
    time_, cause = rng.exponential(1200 * np.exp(-0.3 * x)), rng.integers(1, 3, size)
    until = rng.uniform(500, 1500, size)
    return pd.DataFrame(
        {
            "x": x, "age": rng.normal(40, 10, size), "band": np.array(["low", "medium", "high"])[band], "arm": arm,
            "days": np.minimum(time_, until), "end": np.where(time_ < until, cause, 0),
        }
    )  # fmt: skip


def as_data(frame: pd.DataFrame) -> oc.SurvivalData:
    """Return the people as time at risk."""
    causes = {1: "reoffence", 2: "other"}
    return oc.survival_data(frame, duration="days", event="end", causes=causes, arm="arm", reference=0)


def difference(data: oc.SurvivalData) -> Any:
    """Return the weighted difference in risk at two years."""
    weights = oc.weight(data, FORMULA, estimand="ate")
    return oc.compare(oc.cumulative_incidence(data, weights=weights), measure="risk_difference", at="2y")


def loop(frame: pd.DataFrame, replicates: int) -> None:
    """Do the same as people do it by hand."""
    rng = np.random.default_rng(2010)
    for _ in range(replicates):
        drawn = frame.iloc[rng.integers(0, len(frame), len(frame))].reset_index(drop=True)
        difference(as_data(drawn)).to_frame()


def seconds(what: Callable[[], Any]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    what()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--replicates", type=int, default=1000)
    asked = parser.parse_args()
    frame = people(asked.people)
    data = as_data(frame)
    difference(data)
    one = seconds(lambda: oc.bootstrap(data, difference, replicates=asked.replicates, progress=False))
    two = seconds(lambda: oc.bootstrap(data, difference, replicates=asked.replicates, n_jobs=2, progress=False))
    again = seconds(lambda: oc.bootstrap(data, difference, replicates=asked.replicates, n_jobs=2, progress=False))
    plain = seconds(lambda: loop(frame, asked.replicates))
    print(f"{asked.replicates:,} replicates of {asked.people:,} people")
    for name, took in (
        ("one process", one),
        ("two, with their start", two),
        ("two, started", again),
        ("a plain loop", plain),
    ):
        print(
            f"{name:24} {took:7.2f} s   {1000 * took / asked.replicates:6.2f} ms each   {took / one:5.2f} of one process"
        )
    weights = oc.weight(data, FORMULA, estimand="ate")
    parts = {
        "score and weights": lambda: oc.weight(data, FORMULA, estimand="ate"),
        "weighted incidence": lambda: oc.cumulative_incidence(data, weights=weights),
        "all of it": lambda: difference(data),
    }
    for name, part in parts.items():
        print(f"{name:24} {1000 * min(seconds(part) for _ in range(20)):6.2f} ms")


if __name__ == "__main__":
    main()
