"""Where the arms overlap: the scores side by side, and cells of people that hold one arm only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.adjust.entry_rules import excluded_from
from outcomes.adjust.trimming import common_range
from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array, Note, Result

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.adjust.scored_weights import ScoredWeights

__all__ = ["Overlap", "overlap_of"]

_SCORE_EDGES = np.linspace(0.0, 1.0, 21)
_LOGIT_EDGES = np.linspace(-5.0, 5.0, 21)  # the first and the last bin hold what lies beyond
_FAR = 0.10  # share of an arm outside the common range worth a note


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Overlap(Result):
    """Distribution of the propensity score by arm in fixed bins, before and after weighting, and cells of columns.

    Attributes
    ----------
    frame, logit : pandas.DataFrame
        Bins of the score and of its log odds.
    cells : pandas.DataFrame
        One row a cell of the columns asked for: the columns, n, n_<arm>, n_arms, ``by_rule`` (an arm is missing because its entry
        rules exclude everybody in the cell).
    scores : tuple of str
        The arms whose scores are shown: the one that is not the reference; with several arms each.
    ranges : tuple of (float, float)
        Range of each score that all arms have; low above high where there is none.
    outside : tuple of int
        People outside any of these, by arm.
    """

    frame: pd.DataFrame
    logit: pd.DataFrame
    cells: pd.DataFrame
    arms: tuple[str, ...]
    estimand: str
    scores: tuple[str, ...]
    ranges: tuple[tuple[float, float], ...]
    outside: tuple[int, ...]
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "overlap"
    title: ClassVar[str] = "Overlap of propensity scores"

    @property
    def common(self) -> tuple[float, float]:
        """Range of scores that all arms have; with several arms, of the first score."""
        return self.ranges[0]

    def to_frame(self) -> pd.DataFrame:
        """Return one row an arm and bin of the score: arm, score_low, score_high, n, share, share_weighted.

        With several arms `score_of` comes first: the arm whose score it is. `logit` is the same in bins of the log odds (logit_low,
        logit_high), which spread out scores near 0 and 1.
        """
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return one row an arm: n, n_outside_common, share_outside_common, and the range all arms have.

        With several arms each has a score, and the range is that of the arm's own.
        """
        import pandas as pd

        one = self.frame[self.frame["score_of"] == self.scores[0]] if "score_of" in self.frame else self.frame
        n = one.groupby("arm", sort=False)["n"].sum()
        rows = [
            {
                "arm": arm,
                "n": int(n[arm]),
                "n_outside_common": self.outside[i],
                "share_outside_common": self.outside[i] / int(n[arm]),
                "common_low": self.ranges[i % len(self.ranges)][0],
                "common_high": self.ranges[i % len(self.ranges)][1],
            }
            for i, arm in enumerate(self.arms)
        ]
        return pd.DataFrame(rows)

    def describe(self) -> str:
        """Return the common range and who lies outside it, in a sentence."""
        apart = [name for name, (low, high) in zip(self.scores, self.ranges, strict=True) if low > high]
        if apart and len(self.arms) == 2:
            return "The scores of the arms do not overlap at all: nobody in one arm resembles anybody in the other."
        if apart:
            return f"The arms do not overlap at all in the score of {', '.join(apart)}: no value of it is found in all of them."
        rows = self.summary()
        parts = ", ".join(
            f"{r['n_outside_common']:,} of {r['n']:,} people in {r['arm']}" for r in rows.to_dict("records")
        )
        low, high = self.common
        if len(self.arms) == 2:
            return f"Both arms have people with scores from {low:.2f} to {high:.2f}; outside this range lie {parts}."
        found = ", ".join(
            f"of {name} from {low:.2f} to {high:.2f}"
            for name, (low, high) in zip(self.scores, self.ranges, strict=True)
        )
        return f"All arms have people with scores {found}; outside any of these ranges lie {parts}."


def overlap_of(weights: ScoredWeights, *, by: Sequence[str] = ()) -> Overlap:
    """Return the overlap of a score, with a note on cells of `by` that hold one arm only.

    Parameters
    ----------
    weights : ScoredWeights
    by : sequence of str
        Columns of the baseline that decide who could be where, such as area and period, or entry rules.
    """
    by_names = [by] if isinstance(by, str) else list(by)
    for name in by_names:
        if name not in weights.baseline.columns:
            raise EstimationError(
                f"overlap: no column {name!r}. {did_you_mean(name, map(str, weights.baseline.columns))}"
            )
    scores, linear = weights.scores()
    several = scores.ndim > 1
    columns = scores if several else scores[:, None]
    logits = linear if several else linear[:, None]
    low, high = common_range(columns, np.asarray(weights.arm))
    away = np.asarray(((columns < low) | (columns > high)).any(axis=1), dtype=bool)
    outside = tuple(int(away[weights.arm == a].sum()) for a in range(len(weights.arms)))
    names = weights.arms if several else weights.arms[1:]
    cells = _cells(weights, by_names)
    return Overlap(
        frame=_of_each(weights, columns, names, _SCORE_EDGES, "score"),
        logit=_of_each(weights, logits, names, _LOGIT_EDGES, "logit"),
        cells=cells,
        arms=weights.arms,
        estimand=weights.estimand,
        scores=names,
        ranges=tuple(zip(low.tolist(), high.tolist(), strict=True)),
        outside=outside,
        notes=(*weights.notes, *_notes(weights, cells, by_names, outside)),
        provenance=weights.provenance,
    )


def _of_each(weights: ScoredWeights, values: Array, names: tuple[str, ...], edges: Array, name: str) -> pd.DataFrame:
    """Return the bins of each score, shape (P, number of scores); `score_of` says whose it is where there are several."""
    import pandas as pd

    found = [_bins(weights, column, edges, name) for column in values.T]
    if len(found) == 1:
        return found[0]
    for frame, arm in zip(found, names, strict=True):
        frame.insert(0, "score_of", arm)
    return pd.concat(found, ignore_index=True)


def _bins(weights: ScoredWeights, values: Array, edges: Array, name: str) -> pd.DataFrame:
    """Return one row an arm and bin: how many people, what share of the arm, and of its weight."""
    import pandas as pd

    inside = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    frames = []
    for index, arm in enumerate(weights.arms):
        mine = weights.arm == index
        counts = np.bincount(inside[mine], minlength=len(edges) - 1)
        weighted = np.bincount(inside[mine], weights=weights.values[mine], minlength=len(edges) - 1)
        frames.append(
            pd.DataFrame(
                {
                    "arm": arm,
                    f"{name}_low": edges[:-1],
                    f"{name}_high": edges[1:],
                    "n": counts,
                    "share": counts / counts.sum(),
                    "share_weighted": weighted / weighted.sum(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _notes(weights: ScoredWeights, cells: pd.DataFrame, names: list[str], outside: tuple[int, ...]) -> tuple[Note, ...]:
    notes = []
    people = [int((weights.arm == a).sum()) for a in range(len(weights.arms))]
    far = [(arm, n, of) for arm, n, of in zip(weights.arms, outside, people, strict=True) if n > _FAR * of]
    if far and weights.estimand in {"ate", "att", "atc"}:
        counted = ", ".join(f"{n:,} of {of:,} people in {arm}" for arm, n, of in far)
        other, which = ("the other arm", "either") if len(weights.arms) == 2 else ("some other arm", "any")
        text = (
            f"{counted} have scores that nobody in {other} has. Overlap weights (estimand='ato') ask about the people "
            f"who might have gone to {which} arm."
        )
        notes.append(Note("outside_common", text))
    ruled = cells[cells["by_rule"]]
    if len(ruled):
        text = (
            f"In {len(ruled)} of {len(cells)} cells of {' by '.join(names)} entry rules exclude everybody "
            f"({int(ruled['n'].sum()):,} people) from an arm: no effect can be had there."
        )
        notes.append(Note("cells_empty_by_rule", text))
    alone = cells[(cells["n_arms"] < len(weights.arms)) & ~cells["by_rule"]]
    if len(alone):
        text = (
            f"{len(alone)} of {len(cells)} cells of {' by '.join(names)} lack an arm ({int(alone['n'].sum()):,} people) though no entry "
            "rule says so; there the comparison rests on the model. Empty by chance it matters little; empty by date or place there are no "
            "comparison people."
        )
        notes.append(Note("cells_without_an_arm", text))
    return tuple(notes)


def _cells(weights: ScoredWeights, by: list[str]) -> pd.DataFrame:
    """Return one row a cell of `by`: its columns, n, n of each arm (n_<arm>), n_arms, by_rule. Missing is a level."""
    import pandas as pd

    if not by:
        return pd.DataFrame({"n": [], "n_arms": [], "by_rule": np.empty(0, dtype=bool)})
    table = weights.baseline[by].astype(object).where(weights.baseline[by].notna(), "missing").astype(str)
    arm = pd.Series(np.asarray(weights.arms, dtype=object)[weights.arm], name="_arm")
    counts = pd.crosstab([table[name] for name in by], arm).reindex(columns=list(weights.arms), fill_value=0)
    cells = counts.rename(columns={name: f"n_{name}" for name in weights.arms}).reset_index()
    cells.columns.name = None
    cells["n"] = counts.sum(axis=1).to_numpy()
    cells["n_arms"] = (counts > 0).sum(axis=1).to_numpy()
    cells["by_rule"] = False
    for name in weights.arms:
        barred = pd.Series(excluded_from(weights.baseline, name)).groupby([table[column] for column in by]).all()
        cells["by_rule"] |= (counts[name] == 0).to_numpy() & barred.reindex(counts.index).to_numpy()
    return cells
