"""What became of people whom a programme's rules shut out: the table, how small the groups are, and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from outcomes.comparison.answers import Answers, best_of, paid_for
from outcomes.comparison.comparing import COLUMNS
from outcomes.comparison.sentences import sentence
from outcomes.errors import EstimationError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData
    from outcomes.results import Weights

__all__ = ["ALL", "ShutOut"]

ALL = "all"
"""The reason of the rows of everybody who is shut out, for whatever reason."""

_WHO = ["programme", "closed", "reason", "adjustment"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ShutOut(Answers):
    """People whom one programme shuts out, in the programme that takes them, against such people who got nothing.

    Attributes
    ----------
    nothing : str
        The arm of people who started nothing.
    groups : mapping of (programme, closed, reason) to SurvivalData
        The people of each row, in two arms.
    weighted : mapping of (programme, closed, reason) to Weights or None
        What made the arms alike; None where nothing did.
    """

    nothing: str
    groups: Mapping[tuple[str, str, str], SurvivalData]
    weighted: Mapping[tuple[str, str, str], Weights | None]

    title: ClassVar[str] = "People whom a programme shuts out"

    @classmethod
    def build(cls, rows: list[dict[str, Any]], **rest: Any) -> Self:
        """Return the result of finished rows; p-values pay for the number of adjusted contrasts."""
        import pandas as pd

        return cls(frame=paid_for(pd.DataFrame(rows)), **rest)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a programme, programme that shuts out, reason and adjustment.

        Columns: programme (which takes them), closed (which shuts them out), reason, adjustment (raw, adjusted), identified, why (it is
        not), n_programme, n_nothing, those of `compare`, p_holm and p_bh over the adjusted rows, detectable (the difference this design
        could have found with 80 % power).
        """
        counts = ["identified", "why", "n_programme", "n_nothing"]
        return self.frame[[*_WHO, *counts, *COLUMNS, "p_holm", "p_bh", "detectable"]].copy()

    def summary(self) -> pd.DataFrame:
        """Return programme, closed, reason, adjustment, n_programme, n_nothing, estimate, conf_low, conf_high, detectable, verdict."""
        names = [*_WHO, "n_programme", "n_nothing", "estimate", "conf_low", "conf_high", "detectable", "verdict"]
        found = self.frame[names].copy()
        found["verdict"] = found["verdict"].where(self.frame["identified"], "no answer")
        return found

    def group(self, reason: str = ALL, *, programme: str | None = None, closed: str | None = None) -> SurvivalData:
        """Return the people of a row as data, for other questions about them.

        Parameters
        ----------
        reason : str
            As in the table; ``"all"`` is everybody shut out.
        programme, closed : str, optional
            The programme that takes them, and that which shuts them out; needed where there are several.

        Raises
        ------
        EstimationError
            There is no such group, or there are several.
        """
        return self.groups[self._key(reason, programme, closed)]

    def weights(self, reason: str = ALL, *, programme: str | None = None, closed: str | None = None) -> Weights | None:
        """Return the weights behind the adjusted row of a group, for other questions about the same people; None without one.

        Parameters and errors as those of `group`.
        """
        return self.weighted[self._key(reason, programme, closed)]

    def _key(self, reason: str, programme: str | None, closed: str | None) -> tuple[str, str, str]:
        asked = (programme, closed, reason)
        found = [key for key in self.groups if all(want in (None, have) for want, have in zip(asked, key, strict=True))]
        if len(found) == 1:
            return found[0]
        if found:
            raise EstimationError(f"group: {len(found)} groups have reason {reason!r}; say programme= and closed=.")
        hint = did_you_mean(reason, dict.fromkeys(key[2] for key in self.groups))
        raise EstimationError(f"group: there is no such group with reason {reason!r}. {hint}")

    @property
    def sentences(self) -> tuple[str, ...]:
        """Each group's adjusted contrast in plain sentences (as it was, where nothing is adjusted), and how small the group is."""
        parts = []
        for row in self.frame[best_of(self.frame)].to_dict("records"):
            of = "" if row["reason"] == ALL else f" ({str(row['reason']).replace('_', ' ')})"
            lead = f"People shut out by {row['closed']}{of}, in {row['programme']} against {self.nothing}:"
            small = f"{_people(row['n_programme'])} in {row['programme']} and {row['n_nothing']:,} in {self.nothing}"
            if not row["identified"]:
                parts.append(f"{lead} no answer; {row['why'].rstrip('.')} ({small}).")
                continue
            said = sentence({**row, "population": ""}, self.labels, self.conf_level, None, self.margin)
            parts.append(f"{lead} {said} {_how_small(row, small)}")
        return tuple(parts)


def _how_small(row: dict[Any, Any], small: str) -> str:
    """Return how small the groups are."""
    unlike = row["n_programme"] + row["n_nothing"] - row["n"]
    alone = f", {unlike:,} of them without weight, since nobody in {row['programme']} was like them" if unlike else ""
    return f"These are {small}{alone}."


def _people(count: int) -> str:
    return f"{count:,} {'person' if count == 1 else 'people'}"
