"""What a Cox model costs, beside lifelines and statsmodels in the same process: python benchmarks/cox.py --people 1e3 1e5.

Every figure is the median of warm runs of the public call, from a frame of 11 covariates and whole-day times to a result with its
standard errors. Seconds are by the wall clock, and by the processor, which other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import outcomes as oc
from outcomes.survival.cox_kernel import newton

TERMS = [f"x{j}" for j in range(11)]
KINDS = ("model", "robust", "weighted")
ROBUST_PEERS = 10_000  # people beyond which lifelines' robust errors take minutes


def main() -> None:
    """Measure every size that was asked for and print a line each."""
    parser = argparse.ArgumentParser(description="Measure what a Cox model costs, beside lifelines and statsmodels.")
    parser.add_argument(
        "--people", nargs="+", type=lambda text: int(float(text)), default=[10**3, 10**5], help="such as 1e4"
    )
    parser.add_argument("--runs", type=int, default=5, help="warm runs; the median is kept")
    asked = parser.parse_args()
    print(f"{'people':>9}  {'variance':9} {'library':12} {'wall s':>9} {'cpu s':>9} {'times ours (wall)':>18}")
    for people in asked.people:
        frame = made(people)
        for kind in KINDS:
            ours: float | None = None
            for library, run in runs(frame, kind):
                wall, cpu = median(run, asked.runs)
                ours = wall if ours is None else ours
                print(f"{people:>9,}  {kind:9} {library:12} {wall:9.4f} {cpu:9.4f} {wall / ours:18.1f}", flush=True)
        rows = ours_fitted(frame, "weighted").rows
        wall, cpu = median(lambda rows=rows: newton(rows), asked.runs)
        print(f"{people:>9,}  {'':9} {'our kernel':12} {wall:9.4f} {cpu:9.4f}", flush=True)


def made(people: int, seed: int = 1) -> pd.DataFrame:
    """Return people with 11 covariates, followed for half a year to five years in whole days."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(people, len(TERMS)))
    x[:, ::2] = x[:, ::2] > 0.3
    effect = np.linspace(-0.3, 0.3, len(TERMS))
    event, end = np.ceil(rng.exponential(900 * np.exp(-x @ effect))), rng.integers(180, 1826, people)
    frame = pd.DataFrame(x, columns=TERMS)
    return frame.assign(
        days=np.minimum(event, end).astype(float), event=(event <= end).astype(int), weight=rng.uniform(0.3, 3, people)
    )


def runs(frame: pd.DataFrame, kind: str) -> list[tuple[str, Callable[[], Any]]]:
    """Return what is timed for one kind of variance, ours first; a peer that has no such answer, or none in time, is left out."""
    listed: list[tuple[str, Callable[[], Any]]] = [("outcomes", lambda: ours_fitted(frame, kind).to_frame())]
    if kind == "model" or len(frame) <= ROBUST_PEERS:
        listed.append(("lifelines", lambda: lifelines_fitted(frame, kind)))
    if kind == "model" and len(frame) <= 10 * ROBUST_PEERS:
        listed.append(("statsmodels", lambda: statsmodels_fitted(frame)))
    if importlib.util.find_spec("surpyval") and kind != "weighted":
        listed.append(("surpyval", lambda: surpyval_fitted(frame)))
    return listed


def ours_fitted(frame: pd.DataFrame, kind: str) -> oc.Cox:
    """Return our fit, Efron's ties."""
    data = oc.survival_data(frame, duration="days", event="event")
    more: dict[str, Any] = {"model": {}, "robust": {"robust": True}, "weighted": {"weights": "weight"}}[kind]
    return oc.cox(data, " + ".join(TERMS), **more)


def lifelines_fitted(frame: pd.DataFrame, kind: str) -> Any:
    """Return the fit of lifelines, Efron's ties."""
    from lifelines import CoxPHFitter

    table = frame if kind == "weighted" else frame.drop(columns="weight")
    weights = "weight" if kind == "weighted" else None
    return CoxPHFitter().fit(table, "days", "event", weights_col=weights, robust=kind != "model").summary


def statsmodels_fitted(frame: pd.DataFrame) -> Any:
    """Return the fit of statsmodels, Efron's ties."""
    from statsmodels.duration.hazard_regression import PHReg

    return PHReg(frame["days"], frame[TERMS], status=frame["event"], ties="efron").fit().bse


def surpyval_fitted(frame: pd.DataFrame) -> Any:
    """Return the fit of SurPyval, Efron's ties."""
    import surpyval

    return surpyval.CoxPH.fit(
        x=frame["days"].to_numpy(), Z=frame[TERMS].to_numpy(), c=1 - frame["event"].to_numpy(), tie_method="efron"
    )


def median(run: Callable[[], Any], times: int) -> tuple[float, float]:
    """Return the median seconds of warm runs, by the wall clock and by the processor."""
    run()
    wall, cpu = [], []
    for _ in range(times):
        began, busy = time.perf_counter(), time.process_time()
        run()
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - busy)
    return statistics.median(wall), statistics.median(cpu)


if __name__ == "__main__":
    main()
