"""What a bootstrap draws: people, clusters or matched sets, and the strata within which; refused where drawing them is not valid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.adjust.matching import Matched
from outcomes.design.data import SurvivalData
from outcomes.design.resampling import Units
from outcomes.errors import EstimationError, NotSupportedError, one_of
from outcomes.results import IntArray, Weights

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["units_to_draw"]


def units_to_draw(
    data: SurvivalData, weights: Weights | None, by: str | None, within: str | None
) -> tuple[str, Units, IntArray]:
    """Return what is drawn, and the stratum of each unit."""
    _refuse_weights(weights)
    has_sets = weights is not None and weights.sets is not None
    if by is None:
        by = "set" if has_sets else "cluster" if data.cluster is not None else "person"
    one_of(by, ("person", "cluster", "set"), what="bootstrap: by")
    if by == "set" and not has_sets:
        raise EstimationError(
            "bootstrap: by='set' draws matched sets: give weights=, a matching whose sets do not overlap."
        )
    if by == "cluster" and data.cluster is None:
        raise EstimationError(
            "bootstrap: by='cluster' needs data with clusters; name them with data.with_cluster(column)."
        )
    if by == "set":
        assert weights is not None
        codes = np.where(weights.values > 0, np.asarray(weights.sets), -1)
    elif by == "cluster":
        codes = _codes(data.baseline[data.cluster])
    else:
        codes = np.arange(len(data.baseline)) if data.clones is None else np.asarray(data.clones.person)
    units = Units.of(codes.astype(np.int64))
    if len(units) < 2:
        raise EstimationError(f"bootstrap: there is only one {by} to draw.")
    return by, units, _strata(data, units, within)


def _refuse_weights(weights: Weights | None) -> None:
    if weights is None:
        return
    if weights.within is not None:
        raise NotSupportedError("bootstrap: weights that change over time must be made inside the statistic.")
    if isinstance(weights, Matched) and weights.sets is None:
        if weights.method == "nearest":
            raise NotSupportedError(
                "bootstrap: nearest-neighbour matching with replacement has no valid bootstrap (Abadie & Imbens 2008); take the intervals "
                "of compare(), which know that people stand in several sets."
            )
        raise NotSupportedError(
            f"bootstrap: method={weights.method!r} makes no sets to draw. Match inside the statistic: lambda d: … oc.match(d, …) …."
        )


def _strata(data: SurvivalData, units: Units, within: str | None) -> IntArray:
    if within is None:
        return np.zeros(len(units), dtype=np.int64)
    if within != "arm" and within not in data.baseline.columns:
        raise EstimationError(f"bootstrap: no column {within!r} (within).")
    codes = np.asarray(data.arm) if within == "arm" else _codes(data.baseline[within])
    of_row = codes[units.rows]
    first = of_row[units.first[:-1]]
    mixed = int((np.repeat(first, np.diff(units.first)) != of_row).sum())
    if mixed:
        raise EstimationError(
            f"bootstrap: {within} differs within what is drawn for {mixed:,} people; within= must be the same for all of a "
            "unit."
        )
    return np.unique(first, return_inverse=True)[1].astype(np.int64)


def _codes(column: pd.Series[Any]) -> IntArray:
    import pandas as pd

    return np.asarray(pd.factorize(column, use_na_sentinel=False)[0], dtype=np.int64)
