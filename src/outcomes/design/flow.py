"""Who left, where and why: exclusive, ordered reasons that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from outcomes.results import Note, Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Flow", "build_flow"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Flow(Result):
    """Everyone who came in, by the step at which they left, and those who are compared.

    Attributes
    ----------
    unit : str
        What is counted: ``people``, or ``index sentences`` where each of them counts for itself.
    """

    frame: pd.DataFrame
    arms: tuple[str, ...]
    unit: str = "people"
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "flow"
    title: ClassVar[str] = "Flow"

    def to_frame(self) -> pd.DataFrame:
        """Return one row a step and arm: step, reason, arm, n_leaving, n_remaining.

        Arm is ``all`` for everybody together (every step), and each arm (and ``no arm``) by itself, where people are in arms.
        """
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return one row a step, everybody together: reason, n_leaving, n_remaining."""
        everyone = self.frame[self.frame["arm"] == "all"]
        return everyone[["reason", "n_leaving", "n_remaining"]].reset_index(drop=True)

    def describe(self) -> str:
        """Return who came in and who is compared, in a sentence."""
        everyone = self.frame[self.frame["arm"] == "all"]
        start, end = int(everyone["n_remaining"].iloc[0]), int(everyone["n_remaining"].iloc[-1])
        last = self.frame[self.frame["step"] == self.frame["step"].max()].set_index("arm")["n_remaining"]
        parts = "" if self.arms == ("all",) else ": " + ", ".join(f"{int(last[arm]):,} in {arm}" for arm in self.arms)
        return f"Of {start:,} {self.unit} in the extract {end:,} are compared{parts}."


def build_flow(
    counts: Mapping[tuple[str | None, int], int],
    reasons: Sequence[str],
    arms: tuple[str, ...],
    notes: tuple[Note, ...],
    *,
    unit: str = "people",
) -> Flow:
    """Return the flow of people, or of whatever `unit` they are counted in.

    Parameters
    ----------
    counts : mapping of (arm, step) to int
        How many by arm (None where none) and by the step at which they left; step ``len(reasons)`` are those who stay.
    reasons : sequence of str
        In order.
    """
    import pandas as pd

    rows = []
    for group in ("all",) if arms == ("all",) else ("all", *arms, "no arm"):
        mine = {
            step: sum(
                n
                for (arm, at), n in counts.items()
                if at == step and group in ("all", "no arm" if arm is None else arm)
            )
            for step in range(len(reasons) + 1)
        }
        remaining = sum(mine.values())
        rows.append({"step": 0, "reason": "in the extract", "arm": group, "n_leaving": 0, "n_remaining": remaining})
        for step, reason in enumerate(reasons):
            remaining -= mine[step]
            rows.append(
                {"step": step + 1, "reason": reason, "arm": group, "n_leaving": mine[step], "n_remaining": remaining}
            )
    frame = pd.DataFrame(rows).sort_values("step", kind="stable").reset_index(drop=True)
    return Flow(frame=frame, arms=arms, unit=unit, notes=notes)
