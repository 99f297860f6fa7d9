"""What tables of contrasts share that answer one question among several kinds of people, or say why there is no answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.comparison.multiplicity import benjamini_hochberg, holm
from outcomes.results import Note, Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Answers", "best_of", "paid_for", "whole_counts"]

_QUESTION = ("whom", "programme", "closed", "reason", "arm", "reference")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Answers(Result):
    """Contrasts side by side, as they were and adjusted.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `to_frame` gives it, with ``value_reference`` and ``value_arm`` (the risk in each arm) beside.
    conf_level : float
    margin : float or None
        In percentage points.
    """

    frame: pd.DataFrame
    labels: Mapping[str, str]
    conf_level: float
    margin: float | None
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "intervals"

    @property
    def sentences(self) -> tuple[str, ...]:
        """Each answer in plain sentences."""
        raise NotImplementedError(f"{type(self).__name__}.sentences")

    def describe(self) -> str:
        """Return the sentences together."""
        return " ".join(self.sentences)


def best_of(frame: pd.DataFrame) -> Any:
    """Return which rows are the answer to their question: the last of each, adjusted where it is."""
    question = [name for name in _QUESTION if name in frame]
    return np.asarray(~frame.duplicated(question, keep="last"), dtype=bool)


def paid_for(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with p-values that pay for the number of answers."""
    found = frame.drop(columns=["p_holm", "p_bh"], errors="ignore")
    p = np.where(best_of(found), found["p_value"].to_numpy(dtype=np.float64), np.nan)
    return found.assign(p_holm=holm(p), p_bh=benjamini_hochberg(p))


def whole_counts(row: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a row whose people and events are whole numbers again, which they are not in a column where some were not counted."""
    counts = {name: int(row[name]) for name in ("n", "n_events") if np.isfinite(row[name])}
    return {**row, **counts}
