"""Comparisons of arms pooled over imputed sets: differences as they are, ratios on the log scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from outcomes.adjust.rubin import RubinRows, rubin
from outcomes.comparison.comparing import Comparison
from outcomes.comparison.measures import RATIOS, contrast
from outcomes.comparison.pooled_results import Pooled, about_pooling, notes_of_all, same_in_all
from outcomes.results import Array, Note

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PooledComparison", "pool_comparisons"]

_KEYS = ["arm", "reference", "cause", "time", "measure", "estimand"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PooledComparison(Pooled, Comparison):
    """A comparison of arms pooled over imputed sets."""

    title: ClassVar[str] = "Comparison, pooled over imputed sets"

    def to_frame(self) -> pd.DataFrame:
        """Return one row an arm and time, as `Comparison.to_frame`, with relative_increase and fmi."""
        found = Comparison.to_frame(self)
        return found.assign(relative_increase=self._rubin.relative_increase, fmi=self._rubin.fmi)

    def describe(self) -> str:
        """Return each contrast in plain sentences."""
        return f"{Comparison.describe(self)} {self.pooled_in_words()}"


def pool_comparisons(found: Sequence[Comparison], df_complete: float | None) -> PooledComparison:
    """Return comparisons pooled row by row.

    Notes
    -----
    Where a set has no test of a row (an arm without events), the sets agree and its interval stands, or there is none.
    """
    same_in_all(
        found, lambda one: (one.measure, one.conf_level, one.margin, one.frame[_KEYS].to_csv(index=False)),
        "the measure, arms, times or limits",
    )  # fmt: skip
    first = found[0]
    columns = {n: np.stack([one.frame[n].to_numpy(dtype=np.float64) for one in found]) for n in _NUMBERS}
    scaled = _on_scale(first.measure, columns["estimate"])
    complete = columns["df"].min(axis=0) if df_complete is None else np.full(scaled.shape[1], float(df_complete))
    pooled = rubin(scaled, columns["std_error"] ** 2, complete)
    agreed = np.asarray((_agreement(columns["estimate"]) & _agreement(columns["std_error"])).all(axis=0))
    untested = np.isnan(columns["statistic"]).any(axis=0) & ~agreed
    bare = first.frame.drop(columns=["verdict", "p_holm", "p_bh"], errors="ignore")
    rows: list[dict[str, Any]] = []
    for i, own in enumerate(bare.to_dict("records")):
        row = {str(name): value for name, value in own.items()}
        if not agreed[i]:
            row |= {**_contrast(first, pooled, i, untested=bool(untested[i])), **_beside(columns, i)}
        rows.append(row)
    notes = [*notes_of_all([one.notes for one in found]), *about_pooling(pooled)]
    if untested.any():
        text = "Where an arm has no events in some imputed set, its contrasts have no pooled interval."
        notes.append(Note("no_events_in_a_set", text))
    same_source = first.provenance.get("weights")
    built = PooledComparison.build(
        rows, measure=first.measure, conf_level=first.conf_level, margin=first.margin, variance=first.variance,
        labels=first.labels, notes=tuple(notes),
    )  # fmt: skip
    return replace(
        built, rubin=pooled, provenance=MappingProxyType({**built.provenance, "weights": same_source, "m": pooled.m})
    )


_NUMBERS = (
    "estimate", "std_error", "statistic", "df", "conf_low", "conf_high", "n", "n_events", "value_reference", "value_arm",
)  # fmt: skip


def _on_scale(measure: str, estimate: Array) -> Array:
    """Return estimates on the scale of their standard errors."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure in RATIOS:
            return np.log(estimate)
        return 1 / estimate if measure == "nnt" else estimate


def _agreement(values: Array) -> npt.NDArray[np.bool_]:
    return np.asarray((values == values[0]) | (np.isnan(values) & np.isnan(values[0])))


def _contrast(first: Comparison, pooled: RubinRows, i: int, *, untested: bool) -> dict[str, Any]:
    """Return the numbers of one row, pooled; without test and limits where some set had none."""
    value, variance = float(pooled.estimate[i]), float(pooled.total[i])
    plain = first.measure if first.measure in ("nnt", "risk_difference") else "rmst_difference"
    as_if = "hazard_ratio" if first.measure in RATIOS else plain
    df = float(pooled.df[i]) if np.isfinite(variance) else float("nan")
    pair, square = np.array([0.0, value]), np.array([[0.0, 0.0], [0.0, variance]])
    one = contrast(as_if, pair, square, df=df, conf_level=first.conf_level)
    if untested:
        none = float("nan")
        one = replace(one, statistic=none, p_value=none, conf_low=none, conf_high=none)
    return asdict(one)


def _beside(columns: dict[str, Array], i: int) -> dict[str, Any]:
    """Return what stands beside: risks in the arms as means over sets, and the fewest people any set counted."""
    means = {name: float(columns[name][:, i].mean()) for name in ("value_reference", "value_arm")}
    return {**means, **{name: int(columns[name][:, i].min()) for name in ("n", "n_events")}}
