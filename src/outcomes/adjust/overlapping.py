"""Where the arms overlap: the scores side by side, and cells of people that hold one arm only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Note, Result

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.adjust.weighting import PropensityWeights

__all__ = ["Overlap", "overlap_of"]

_BINS = 20


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Overlap(Result):
    """Distribution of the propensity score by arm in equal bins, before and after weighting, and cells of columns."""

    frame: pd.DataFrame
    cells: pd.DataFrame
    arms: tuple[str, ...]
    estimand: str
    common: tuple[float, float]
    outside: tuple[int, ...]
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "overlap"
    title: ClassVar[str] = "Overlap of propensity scores"

    def to_frame(self) -> pd.DataFrame:
        """Return one row an arm and bin: arm, score_low, score_high, n, share, share_weighted."""
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return one row an arm: n, n_outside_common, and the range both arms have."""
        import pandas as pd

        n = self.frame.groupby("arm", sort=False)["n"].sum()
        low, high = self.common
        rows = [
            {"arm": arm, "n": int(n[arm]), "n_outside_common": self.outside[i], "common_low": low, "common_high": high}
            for i, arm in enumerate(self.arms)
        ]
        return pd.DataFrame(rows)

    def describe(self) -> str:
        """Return the common range and who lies outside it, in a sentence."""
        low, high = self.common
        if low > high:
            return "The scores of the arms do not overlap at all: nobody in one arm resembles anybody in the other."
        parts = ", ".join(f"{self.outside[i]:,} in {arm}" for i, arm in enumerate(self.arms))
        return f"Both arms have people with scores from {low:.2f} to {high:.2f}; outside this range lie {parts}."


def overlap_of(weights: PropensityWeights, *, by: Sequence[str] = ()) -> Overlap:
    """Return the overlap of a score, with a note on cells of `by` that hold one arm only."""
    import pandas as pd

    for name in by:
        if name not in weights.baseline.columns:
            raise EstimationError(
                f"overlap: no column {name!r}. {did_you_mean(name, map(str, weights.baseline.columns))}"
            )
    edges = np.linspace(0.0, 1.0, _BINS + 1)
    score = np.asarray(weights.score)
    frames, ranges, outside = [], [], []
    for index, arm in enumerate(weights.arms):
        inside = weights.arm == index
        counts = np.histogram(score[inside], bins=edges)[0]
        weighted = np.histogram(score[inside], bins=edges, weights=weights.values[inside])[0]
        frames.append(
            pd.DataFrame(
                {
                    "arm": arm,
                    "score_low": edges[:-1],
                    "score_high": edges[1:],
                    "n": counts,
                    "share": counts / counts.sum(),
                    "share_weighted": weighted / weighted.sum(),
                }
            )
        )
        ranges.append((score[inside].min(), score[inside].max()))
    low, high = max(r[0] for r in ranges), min(r[1] for r in ranges)
    for index in range(len(weights.arms)):
        mine = score[weights.arm == index]
        outside.append(int(((mine < low) | (mine > high)).sum()))
    cells = _cells(weights, by)
    notes = list(weights.notes)
    alone = int((cells["n_arms"] == 1).sum()) if len(cells) else 0
    if alone:
        people = int(cells.loc[cells["n_arms"] == 1, "n"].sum())
        notes.append(
            Note(
                "one_arm_cells",
                f"{alone} of {len(cells)} cells of {' by '.join(by)} hold one arm only ({people:,} people); "
                "there the comparison rests on the model.",
            )
        )
    return Overlap(
        frame=pd.concat(frames, ignore_index=True),
        cells=cells,
        arms=weights.arms,
        estimand=weights.estimand,
        common=(float(low), float(high)),
        outside=tuple(outside),
        notes=tuple(notes),
    )


def _cells(weights: PropensityWeights, by: Sequence[str]) -> pd.DataFrame:
    """Return one row a cell of `by`: its columns, n, n of each arm (n_<arm>), n_arms."""
    import pandas as pd

    if not by:
        return pd.DataFrame(columns=["n", "n_arms"])
    table = weights.baseline[list(by)].astype(str).assign(_arm=np.asarray(weights.arms, dtype=object)[weights.arm])
    counts = pd.crosstab([table[name] for name in by], table["_arm"])
    counts = counts.reindex(columns=list(weights.arms), fill_value=0)
    cells = counts.rename(columns={arm: f"n_{arm}" for arm in weights.arms}).reset_index()
    cells["n"] = counts.sum(axis=1).to_numpy()
    cells["n_arms"] = (counts > 0).sum(axis=1).to_numpy()
    return cells
