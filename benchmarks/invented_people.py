"""Invented people for the benchmark of estimators: times in whole days, two ways to end, covariates, arms, areas, weights."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["CAUSES", "FORMULA", "TERMS", "people"]

TERMS = [f"x{j}" for j in range(11)]
FORMULA = " + ".join(TERMS)
CAUSES = {1: "reoffence", 2: "death"}


def people(n: int, seed: int = 1) -> pd.DataFrame:
    """Return n people, followed for half a year to five years unless something ends it.

    `end` is 0 (still free), 1 (reoffence) or 2 (death); `event` says whether it is 1.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, len(TERMS)))
    x[:, ::2] = x[:, ::2] > 0.3
    effect = np.linspace(-0.3, 0.3, len(TERMS))
    times = np.stack(
        [
            np.ceil(rng.exponential(900 * np.exp(-x @ effect))),
            np.ceil(rng.exponential(6000, n)),
            rng.integers(180, 1826, n),
        ]
    )
    end = np.array([1, 2, 0])[times.argmin(axis=0)]
    columns = {name: x[:, j].copy() for j, name in enumerate(TERMS)}  # as a file that was read gives them
    return pd.DataFrame(columns).assign(
        days=times.min(axis=0),
        end=end,
        event=(end == 1).astype(np.int64),
        weight=rng.uniform(0.3, 3, n),
        arm=rng.integers(0, 2, n),
        area=rng.integers(0, 5, n),
    )
