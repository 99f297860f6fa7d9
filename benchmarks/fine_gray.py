"""What a Fine–Gray regression costs: frame to result, median of five warm runs, beside SurPyval where it is installed.

python benchmarks/fine_gray.py --people 1e3 1e4 1e5 1e6
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

TERMS = 11
FORMULA = " + ".join(f"x{j}" for j in range(TERMS))
_RUNS = 5
_PEER_UP_TO = 100_000


def people(n: int, seed: int = 2010) -> pd.DataFrame:
    """Return invented people: 11 covariates, times without ties, about three in ten with the event and four with the other."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, TERMS))
    times = np.stack(
        [
            rng.exponential(1000 / np.exp(x @ np.linspace(-0.3, 0.3, TERMS))),
            rng.exponential(1500, n),
            rng.uniform(0, 2000, n),
        ]
    )
    frame = pd.DataFrame(x, columns=[f"x{j}" for j in range(TERMS)])
    return frame.assign(
        day=times.min(axis=0),
        end=np.array([1, 2, 0])[times.argmin(axis=0)],
        w=rng.uniform(0.5, 2.0, n),
        area=rng.integers(0, 5, n),
    )


def ours(frame: pd.DataFrame, **asked: Any) -> Any:
    """Return our result, from the frame."""
    data = oc.survival_data(frame, duration="day", event="end", causes={1: "sexual", 2: "death"})
    return oc.fine_gray(data, FORMULA, cause="sexual", **asked)


def surpyval(frame: pd.DataFrame) -> Any:
    """Return SurPyval's result, from the frame."""
    from surpyval import FineGray

    ended = frame["end"].astype(object).where(frame["end"] > 0, None).to_numpy()
    return FineGray.fit(frame["day"].to_numpy(), frame[FORMULA.split(" + ")].to_numpy(), ended, event=1)


def seconds(run: Callable[[], Any]) -> float:
    """Return the median time of warm runs."""
    run()
    spent = []
    for _ in range(_RUNS):
        began = time.perf_counter()
        run()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def measure(n: int) -> dict[str, Any]:
    """Return one row: people, and seconds of each call."""
    frame = people(n)
    data = oc.survival_data(frame, duration="day", event="end", causes={1: "sexual", 2: "death"})
    row: dict[str, Any] = {
        "people": n,
        "fine_gray": seconds(lambda: oc.fine_gray(data, FORMULA, cause="sexual")),
        "with_data": seconds(lambda: ours(frame)),
        "weights_strata": seconds(lambda: oc.fine_gray(data, FORMULA, cause="sexual", weights="w", strata="area")),
        "efron": seconds(lambda: oc.fine_gray(data, FORMULA, cause="sexual", ties="efron")),
    }
    if importlib.util.find_spec("surpyval") is not None and n <= _PEER_UP_TO:
        row["surpyval"] = seconds(lambda: surpyval(frame))
        row["times_faster"] = row["surpyval"] / row["with_data"]
    return row


def main() -> None:
    """Print one row a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", nargs="+", type=float, default=[1e3, 1e4, 1e5, 1e6])
    sizes = [int(n) for n in parser.parse_args().people]
    table = pd.DataFrame([measure(n) for n in sizes])
    grown = (table["fine_gray"] / table["people"] / np.log(table["people"])).to_numpy()
    table["growth"] = grown / grown[0]  # in times of n log n, from the smallest
    print(table.round(4).to_string(index=False))


if __name__ == "__main__":
    main()
