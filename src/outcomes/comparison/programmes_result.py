"""Programmes against nothing side by side: the table, what small ones could have shown, and sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from outcomes.comparison.answers import Answers, best_of, paid_for, whole_counts
from outcomes.comparison.comparing import COLUMNS
from outcomes.comparison.sentences import sentence
from outcomes.durations import in_words
from outcomes.results import Note

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Programmes"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Programmes(Answers):
    """Every family of programmes against people who started nothing.

    Attributes
    ----------
    grace : float
        Days after release or sentence by which a start counts and from which everyone is followed.
    """

    grace: float

    title: ClassVar[str] = "Programmes against nothing"

    @classmethod
    def build(cls, rows: list[dict[str, Any]], *, grace: float, said: tuple[Note, ...], **rest: Any) -> Self:
        """Return the result of finished rows; p-values pay for the number of adjusted contrasts that are tested."""
        import pandas as pd

        frame = paid_for(
            pd.DataFrame(rows).reindex(columns=[*dict.fromkeys([*(k for row in rows for k in row), *COLUMNS])])
        )
        return cls(frame=frame, grace=grace, margin=None, notes=(_landmark(grace), *_small(frame), *said), **rest)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a programme and adjustment.

        Columns: programme, adjustment, n_programme, n_nothing, tested, those of `compare`, p_holm, p_bh (over the adjusted rows that are
        tested), detectable (the difference this design could have found with 80 % power), why (there is no answer).
        """
        names = [
            "programme",
            "adjustment",
            "n_programme",
            "n_nothing",
            "tested",
            *COLUMNS,
            "p_holm",
            "p_bh",
            "detectable",
            "why",
        ]
        return self.frame[names].copy()

    def summary(self) -> pd.DataFrame:
        """Return programme, adjustment, n_programme, n_nothing, estimate, conf_low, conf_high, detectable, verdict."""
        names = [
            "programme",
            "adjustment",
            "n_programme",
            "n_nothing",
            "estimate",
            "conf_low",
            "conf_high",
            "detectable",
            "verdict",
        ]
        return self.frame[names].copy()

    @property
    def sentences(self) -> tuple[str, ...]:
        """Each programme's adjusted contrast in plain sentences; of small ones what they could have shown."""
        parts = []
        for row in self.frame[best_of(self.frame)].to_dict("records"):
            lead = f"{str(row['programme']).replace('_', ' ')}:"
            if row["why"]:
                parts.append(f"{lead} no answer; {row['why'].rstrip('.')}.")
                continue
            said = sentence(whole_counts(row), self.labels, self.conf_level)
            if not row["tested"]:
                said += (
                    f" Too few people ({row['n_programme']:,} in the programme; weighted, {row['effective_arm']:,.0f} of them and "
                    f"{row['effective_reference']:,.0f} without one count) or events for a test."
                )
            parts.append(f"{lead} {said}")
        return tuple(parts)


def _landmark(grace: float) -> Note:
    text = (
        f"Everyone is followed from {in_words(grace)} after release or sentence and classed by what they had started by then; who "
        "reoffended before is in no arm, and who started later stays where they were."
    )
    return Note("landmark", text)


def _small(frame: pd.DataFrame) -> tuple[Note, ...]:
    few = frame.loc[best_of(frame) & ~frame["tested"].astype(bool), "programme"].astype(str)
    if not len(few):
        return ()
    return (
        Note(
            "too_small",
            f"Too few people or events for a test: {', '.join(few)}. That shows no effect, and no lack of one.",
        ),
    )
