"""What curves and tests cost, beside lifelines in the same process: medians of five warm runs, from a frame to a result.

Prints a table of seconds. The time it takes to sort the durations stands beside, as what no curve can be cheaper than.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import outcomes as oc

RUNS = 5
CAUSES = {1: "sexual", 2: "death"}


def people(n: int, *, days: bool, seed: int = 1) -> pd.DataFrame:
    """Return invented people: times, censored by two years, two causes, two arms, a weight."""
    rng = np.random.default_rng(seed)
    event, censored = rng.exponential(1, n), rng.uniform(0, 2, n)
    stop = np.minimum(event, censored)
    return pd.DataFrame(
        {
            "stop": np.ceil(stop * 730) if days else stop,
            "end": np.where(event <= censored, rng.integers(1, 3, n), 0),
            "any": (event <= censored).astype(np.int64),
            "arm": rng.integers(0, 2, n),
            "weight": rng.uniform(0.5, 2, n),
        }
    )


def seconds(work: Callable[[], object]) -> float:
    """Return the median of `RUNS` runs after one to warm up."""
    work()
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def measure(n: int, *, days: bool) -> list[dict[str, object]]:
    """Return one row a task: ours, lifelines' where it has one, and the sort."""
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import logrank_test

    frame = people(n, days=days)
    few = frame.iloc[: min(n, 100_000)]
    arms = [few[few["arm"] == arm] for arm in (0, 1)]
    one: dict[str, Any] = {"duration": "stop", "event": "any"}
    two = {**one, "arm": "arm", "reference": 0}
    competing = {**two, "event": "end", "causes": CAUSES}
    ready = oc.survival_data(frame, **one)
    tasks: list[tuple[str, int, Callable[[], object], Callable[[], object] | None]] = [
        ("Kaplan–Meier, arrays ready", n, lambda: oc.kaplan_meier(ready).at([0.5]), None),
        (
            "Kaplan–Meier, from a frame",
            n,
            lambda: oc.kaplan_meier(oc.survival_data(frame, **one)).at([0.5]),
            lambda: KaplanMeierFitter().fit(frame["stop"], frame["any"]),
        ),
        (
            "Aalen–Johansen, weighted, two arms, jackknife",
            len(few),
            lambda: oc.cumulative_incidence(oc.survival_data(few, **competing), weights="weight").at([0.5]),
            None,
        ),
        (
            "log-rank",
            len(few),
            lambda: oc.logrank_test(oc.survival_data(few, **two)),
            lambda: logrank_test(arms[0]["stop"], arms[1]["stop"], arms[0]["any"], arms[1]["any"]),
        ),
        ("Gray", len(few), lambda: oc.gray_test(oc.survival_data(few, **competing), cause="sexual"), None),
    ]
    sort = seconds(lambda: np.argsort(frame["stop"].to_numpy(), kind="stable"))
    return [
        {
            "task": name,
            "rows": rows,
            "times": "days" if days else "continuous",
            "outcomes": seconds(ours),
            "lifelines": float("nan") if theirs is None else seconds(theirs),
            "sort": sort * rows / n,
        }
        for name, rows, ours, theirs in tasks
    ]


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description="Seconds that curves and tests take, beside lifelines.")
    parser.add_argument("--people", type=lambda text: int(float(text)), default=1_000_000)
    asked = parser.parse_args()
    rows = [row for days in (True, False) for row in measure(asked.people, days=days)]
    print(pd.DataFrame(rows).to_string(index=False, float_format=lambda value: f"{value:.3f}"))


if __name__ == "__main__":
    main()
