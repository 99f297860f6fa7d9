"""A comparison in several populations side by side: its table, its sentences, and what cannot be answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from outcomes.comparison.answers import Answers, best_of, paid_for
from outcomes.comparison.comparing import COLUMNS
from outcomes.comparison.outside import Outside
from outcomes.comparison.sentences import sentence

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Populations"]

_OF = {"both": ("eligible for both", "eligible for all"), "caseload": ("the caseload",)}


_DESIGN = ("effective_reference", "effective_arm", "detectable")
_BOUNDS = ("bound_low", "bound_high", "bound_conf_low", "bound_conf_high")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Populations(Answers):
    """The same contrasts in each population, as they were and adjusted.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `to_frame` gives it, with ``value_reference`` and ``value_arm`` (the risk in each arm) beside.
    outside : Outside
        Own clients who are not eligible for every programme.
    conf_level : float
    margin : float or None
        In percentage points.
    shut_out_risk : tuple of float
        Between what risks those shut out were taken to lie in the other programme, where there are limits in place of an answer.
    """

    people: Mapping[str, Mapping[str, int]]
    outside: Outside
    shut_out_risk: tuple[float, float]

    title: ClassVar[str] = "The comparison in each population"

    @classmethod
    def build(
        cls,
        rows: list[dict[str, Any]],
        *,
        counts: Mapping[str, Mapping[str, int]],
        named: tuple[str, str] | None,
        **rest: Any,
    ) -> Self:
        """Return the result of finished rows; p-values pay for the number of adjusted contrasts."""
        import pandas as pd

        frame = paid_for(
            pd.DataFrame(rows).reindex(
                columns=[*dict.fromkeys([*(k for row in rows for k in row), *_DESIGN, *_BOUNDS])]
            )
        )
        pair = (frame["arm"] == frame["arm"].iloc[0]) & (frame["reference"] == frame["reference"].iloc[0])
        of = () if named is None else _OF.get(named[0], ())
        frame["named"] = pair & best_of(frame) & frame["whom"].isin(of)
        return cls(frame=frame, people=counts, **rest)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a contrast, population and adjustment.

        Columns: whom (the population), adjustment (raw, adjusted), identified, why (it is not), named (in advance; everything else is
        exploratory), those of `compare`, p_holm and p_bh over the adjusted rows; effective_reference and effective_arm (how many people
        each arm counts as once weighted), detectable (the difference the design could have found with 80 % power); bound_low, bound_high
        (between what the difference lies where entry rules leave no answer), bound_conf_low and bound_conf_high (an interval for it).
        """
        return self.frame[
            ["whom", "adjustment", "identified", "why", "named", *COLUMNS, "p_holm", "p_bh", *_DESIGN, *_BOUNDS]
        ].copy()

    def summary(self) -> pd.DataFrame:
        """Return whom, arm, reference, adjustment, n, estimate, conf_low, conf_high, verdict."""
        names = ["whom", "arm", "reference", "adjustment", "n", "estimate", "conf_low", "conf_high", "verdict"]
        found = self.frame[names].copy()
        found["verdict"] = found["verdict"].where(self.frame["identified"], "not identified")
        return found

    def counts(self) -> pd.DataFrame:
        """Return how many people of each arm are own clients, and how many of these are eligible for every programme."""
        import pandas as pd

        return pd.DataFrame(
            [{"arm": arm, "own": n, "eligible": self.people["both"][arm]} for arm, n in self.people["own"].items()]
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """Each adjusted contrast in plain sentences (as it was, where nothing is adjusted), and who is outside."""
        parts = []
        for row in self.frame[best_of(self.frame)].to_dict("records"):
            lead = f"{row['whom'][0].upper()}{row['whom'][1:]}, {row['arm']} against {row['reference']}:"
            if not row["identified"]:
                parts.append(
                    f"{lead} no answer; {row['why'].rstrip('.')}.{_between(row, self.conf_level, self.shut_out_risk)}"
                )
                continue
            labels = {**self.labels, **({"adjusted_by": "standardised"} if row["whom"] in _OF["caseload"] else {})}
            said = sentence({**row, "population": row["population"]}, labels, self.conf_level, None, self.margin)
            parts.append(f"{lead} {said}")
        return (*parts, self.outside.describe())


def _between(row: Mapping[Any, Any], conf_level: float, risk: tuple[float, float]) -> str:
    """Return the limits of a difference that has no answer, in words; empty where there are none."""
    if not np.isfinite(row["bound_low"]):
        return ""
    low, high, least, most = (_points(row[name]) for name in _BOUNDS)
    assumed = (
        "Whatever would have happened to those shut out in the other programme"
        if risk == (0.0, 1.0)
        else f"If between {100 * risk[0]:g} and {100 * risk[1]:g} of 100 of those shut out would have had the event in the other programme"
    )
    return f" {assumed}, the difference lies between {low} and {high} per 100 ({100 * conf_level:g} % interval {least} to {most})."


def _points(value: float) -> str:
    return f"{100 * abs(value):.1f} {'fewer' if value < 0 else 'more'}"
