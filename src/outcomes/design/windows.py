"""What happened within a fixed time of time zero, person by person: offended or not, and how many days in the community."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.design.clock import Away
from outcomes.design.ending import Ended
from outcomes.design.follow_up import FollowedUp
from outcomes.durations import in_words
from outcomes.results import Array, Note, Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CommunityDays", "RiskWindow", "community_days", "risk_window"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class RiskWindow(Result):
    """Who had the event within a fixed time: everyone's answer is yes, no, or not known.

    Attributes
    ----------
    people : pandas.DataFrame
        The baseline with ``within``: 1.0 had the event in the window; 0.0 was followed through it, or was kept from the event by one
        that competes; NaN was lost, or came too late for the data to follow through it. Rows about people: not for release.
    """

    people: pd.DataFrame
    outcome: str
    horizon: float
    arms: tuple[str, ...]
    counts: pd.DataFrame
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Risk window"
    instead: ClassVar[str] = "cumulative_incidence(data).plot() draws the share with the event over time."

    def to_frame(self) -> pd.DataFrame:
        """Return one row an arm: outcome, time (days), arm, n (known), n_events, n_competing, n_unknown, estimate (share)."""
        return self.counts.copy()

    def describe(self) -> str:
        """Return the shares in sentences."""
        said = [
            f"{row['arm']}: {100 * row['estimate']:.1f} per 100 ({row['n_events']:,} of {row['n']:,} whose window is known; of "
            f"{row['n_unknown']:,} more it is not)."
            for row in self.counts.to_dict("records")
        ]
        return f"Event ({self.outcome}) within {in_words(self.horizon)}: {' '.join(said)}"


def risk_window(
    followed: FollowedUp,
    baseline: pd.DataFrame,
    *,
    outcome: str,
    horizon: float,
    arms: tuple[str, ...],
) -> RiskWindow:
    """Return who had the event by `horizon` days.

    Notes
    -----
    Whose window the data do not cover whole is left out whatever happened: to keep those with an event alone would raise the share.
    Of the others the window is known where an event or a competing event came, or the person was followed through it; it is unknown
    where they were lost first, which is right to leave out only where few are. The curves need none of this.
    """
    import pandas as pd

    ended = followed.ended
    inside = ended.time <= horizon
    event = inside & (ended.cause == 1)
    other = inside & (ended.cause > 1)
    covered = ended.followed & (ended.last >= horizon) & (ended.entry == 0)
    known = covered & ((ended.time >= horizon) | event | other)
    within = np.where(known, event.astype(float), np.nan)
    arm = baseline["arm"].astype(str).to_numpy()
    rows = []
    for name in arms:
        mine = arm == name
        n = int((known & mine).sum())
        rows.append(
            {
                "outcome": outcome,
                "time": horizon,
                "arm": name,
                "n": n,
                "n_events": int((event & known & mine).sum()),
                "n_competing": int((other & known & mine).sum()),
                "n_unknown": int((~known & mine).sum()),
                "estimate": float((event & known & mine).sum() / n) if n else float("nan"),
            }
        )
    return RiskWindow(
        people=baseline.assign(within=within),
        outcome=outcome,
        horizon=horizon,
        arms=arms,
        counts=pd.DataFrame(rows),
        notes=followed.notes,
    )


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CommunityDays(Result):
    """How many of the first days after time zero people spent in the community.

    Attributes
    ----------
    people : pandas.DataFrame
        The baseline with ``days_in_community`` (NaN where not followed long enough). Rows about people: not for release.
    """

    people: pd.DataFrame
    horizon: float
    arms: tuple[str, ...]
    counts: pd.DataFrame
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Days in the community"
    instead: ClassVar[str] = "state_probabilities(data).plot() draws who is where over time."

    def to_frame(self) -> pd.DataFrame:
        """Return one row an arm: time (days), arm, n, n_unknown, n_ever_away, estimate (mean days), std_error."""
        return self.counts.copy()

    def describe(self) -> str:
        """Return the means in sentences."""
        said = [
            f"{row['arm']}: {row['estimate']:.0f} days on average ({row['n']:,} people followed through; {row['n_ever_away']:,} of them "
            "were away at some time)."
            for row in self.counts.to_dict("records")
        ]
        return f"Of the first {in_words(self.horizon)} in the community: {' '.join(said)}"


def community_days(
    ended: Ended, away: Away, baseline: pd.DataFrame, *, horizon: float, arms: tuple[str, ...]
) -> CommunityDays:
    """Return the days in the community of the first `horizon` days after time zero.

    Notes
    -----
    Custody, recall, hospital and abroad are away, and so is everything after death, deportation or emigration. People whom the data
    do not follow for the whole time, or who were lost in it, are left out and counted.
    """
    import pandas as pd

    gone = np.where((ended.cause > 0) & (ended.time < horizon), ended.time, horizon)
    covered = ended.followed & (ended.last >= horizon) & (ended.entry == 0)
    known = covered & ((ended.time >= horizon) | (ended.cause > 0))
    out = _days_out(away, gone, len(baseline))
    days = np.where(known, gone - out, np.nan)
    arm = baseline["arm"].astype(str).to_numpy()
    rows = []
    for name in arms:
        mine = known & (arm == name)
        n = int(mine.sum())
        rows.append(
            {
                "time": horizon,
                "arm": name,
                "n": n,
                "n_unknown": int((~known & (arm == name)).sum()),
                "n_ever_away": int((mine & (out > 0)).sum()),
                "estimate": float(days[mine].mean()) if n else float("nan"),
                "std_error": float(days[mine].std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan"),
            }
        )
    return CommunityDays(
        people=baseline.assign(days_in_community=days), horizon=horizon, arms=arms, counts=pd.DataFrame(rows)
    )


def _days_out(away: Away, until: Array, people: int) -> Array:
    """Return the days each person was away before `until`."""
    length = np.clip(np.minimum(away.end, until[away.row]) - np.maximum(away.start, 0), 0, None)
    return np.asarray(np.bincount(away.row, weights=length, minlength=people), dtype=np.float64)
