"""The caseload under each regime: both routes to the difference, what it is made of, and the steps from offer to completion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from outcomes.comparison.comparing import Comparison, verdict
from outcomes.durations import in_words
from outcomes.results import Note, Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Caseload"]

_SAID = {"offered": "were offered it", "admitted": "are admitted by its rules", "referred": "were referred", "accepted": "were accepted",
         "started": "started", "completed": "completed it"}  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Caseload(Result):
    """Everyone with a qualifying sentence under two regimes.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `to_frame` gives it.
    taken : pandas.DataFrame
        As `steps` gives it.
    route_a : Comparison
        The regimes compared as they were assigned.
    arms : tuple of str
        The reference's regime, and the arm's.
    """

    frame: pd.DataFrame
    taken: pd.DataFrame
    route_a: Comparison
    arms: tuple[str, str]
    outcome: str
    horizon: float
    conf_level: float
    margin: float | None
    replicates: int
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "waterfall"
    title: ClassVar[str] = "The caseload under each regime"

    @classmethod
    def build(
        cls,
        *,
        raw: Comparison,
        route_a: Comparison,
        route_b: Mapping[str, float],
        limits: Mapping[str, tuple[float, float, float]],
        steps: pd.DataFrame,
        **rest: Any,
    ) -> Self:
        """Return the result: rows of route A as compared, rows of route B with bootstrap limits."""
        import pandas as pd

        rows = []
        for adjustment, found in (("raw", raw), ("adjusted", route_a)):
            one = found.frame.iloc[0]
            rows.append({"route": "A", "adjustment": adjustment, "quantity": "difference", "arm": one["arm"],
                         **{name: one[name] for name in ("estimate", "std_error", "conf_low", "conf_high", "n", "verdict")}})  # fmt: skip
            rows += [
                {
                    "route": "A",
                    "adjustment": adjustment,
                    "quantity": "risk",
                    "arm": arm,
                    "estimate": one[value],
                    "n": one["n"],
                }
                for arm, value in ((one["reference"], "value_reference"), (one["arm"], "value_arm"))
            ]
        for name, value in route_b.items():
            quantity, _, arm = (
                name.partition("_") if name.split("_")[0] in ("risk", "reach", "effect") else (name, "", "")
            )
            error, low, high = limits.get(name, (np.nan, np.nan, np.nan))
            row = {"route": "B", "adjustment": "adjusted", "quantity": quantity, "arm": arm, "estimate": value,
                   "std_error": error, "conf_low": low, "conf_high": high, "n": raw.frame.iloc[0]["n"]}  # fmt: skip
            if quantity in ("difference", "from_reach", "from_effect", "effect"):
                row["verdict"] = verdict(row, "risk_difference", rest["margin"] if quantity == "difference" else None)
            rows.append(row)
        return cls(frame=pd.DataFrame(rows), taken=steps, route_a=route_a, **rest)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a route and quantity.

        Columns: route (A, B), adjustment, quantity (risk, reach, effect, difference, from_reach, from_effect), arm (``none``: under no
        programme), estimate, std_error, conf_low, conf_high, n, verdict. All are proportions; effects are among those reached.
        """
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return route, quantity, arm, estimate, conf_low, conf_high, verdict of what is adjusted."""
        names = ["route", "quantity", "arm", "estimate", "conf_low", "conf_high", "verdict"]
        return self.frame.loc[self.frame["adjustment"] == "adjusted", names].reset_index(drop=True)

    def steps(self) -> pd.DataFrame:
        """Return by regime how far its caseload came: arm, step, n, share (of everyone it was offered to)."""
        return self.taken.copy()

    def bars(self) -> pd.DataFrame:
        """Return what is drawn from the top: label, start, end, estimate, conf_low, conf_high, per 100 people."""
        import pandas as pd

        old, new = (f"a regime that offers {arm}" for arm in self.arms)
        at = 100 * self.of("risk", self.arms[0])
        rows = [{"label": old, "start": 0.0, "end": at, **_limits_of(self._row("risk", self.arms[0]))}]
        for label, quantity in (("whom it reaches", "from_reach"), ("what it does for them", "from_effect")):
            row = self._row(quantity)
            rows.append({"label": label, "start": at, "end": at + 100 * row["estimate"], **_limits_of(row)})
            at += 100 * row["estimate"]
        rows.append({"label": new, "start": 0.0, "end": at, **_limits_of(self._row("risk", self.arms[1]))})
        return pd.DataFrame(rows)

    def of(self, quantity: str, arm: str = "", route: str = "B") -> float:
        """Return one estimate."""
        frame = self.frame
        here = (frame["route"] == route) & (frame["adjustment"] == "adjusted") & (frame["quantity"] == quantity)
        if arm:
            here &= frame["arm"] == arm
        return float(frame.loc[here, "estimate"].iloc[0])

    @property
    def sentences(self) -> tuple[str, ...]:
        """What each route says, what the difference is made of, and how far people came, in plain sentences."""
        when = in_words(self.horizon)
        parts = [
            f"Everyone with a qualifying sentence, under a regime that offers {self.arms[1]} rather than {self.arms[0]}. Route A, by what "
            f"was on offer: {self.route_a.describe()}"
        ]
        row = self._row("difference")
        parts.append(
            f"Route B, by models of who starts and of what follows: {_points(row['estimate'])} per 100 by {when}{self._limits(row)}. "
            f"{self._verdict(row)}"
        )
        parts.append(self._made_of())
        between = _points(row["estimate"] - self.route_a.frame.iloc[0]["estimate"])
        parts.append(
            f"The routes differ by more than chance (route B has {between} per 100): believe route A, and the parts of route B not at all."
            if not self._agree()
            else f"The routes agree within chance (route B has {between} per 100)."
        )
        return (*parts, self._steps_in_words())

    def describe(self) -> str:
        """Return the sentences together."""
        return " ".join(self.sentences)

    def _made_of(self) -> str:
        old, new = self.arms
        reach, effect = self._row("from_reach"), self._row("from_effect")
        each = "; ".join(
            f"{arm} reaches {100 * self.of('reach', arm):.0f} of 100, with {_points(self.of('effect', arm))} reoffending per 100 reached"
            f"{self._limits(self._row('effect', arm))}"
            for arm in (new, old)
        )
        return (
            f"Of route B's difference {_points(reach['estimate'])} per 100{self._limits(reach)} come from whom each reaches and "
            f"{_points(effect['estimate'])}{self._limits(effect)} from what it does for them: {each}."
        )

    def _steps_in_words(self) -> str:
        parts = []
        for arm, frame in self.taken.groupby("arm", sort=False):
            said = ", ".join(
                f"{100 * row['share']:.0f} {_SAID[row['step']]}"
                for row in frame.to_dict("records")
                if row["step"] != "offered"
            )
            parts.append(f"{arm} (offered to {int(frame['n'].iloc[0]):,}): of 100, {said}")
        return (
            f"Steps: {'; '.join(parts)}. These are counts of what happened to everyone it was offered to, in years of one regime too, "
            "and no comparison."
        )

    def _row(self, quantity: str, arm: str = "") -> Mapping[Any, Any]:
        frame = self.frame[(self.frame["route"] == "B") & (self.frame["quantity"] == quantity)]
        found: Mapping[Any, Any] = (frame[frame["arm"] == arm] if arm else frame).iloc[0].to_dict()
        return found

    def _limits(self, row: Mapping[Any, Any]) -> str:
        if not np.isfinite(row["conf_low"]):
            return ""
        return f" ({100 * self.conf_level:g} % interval {_points(row['conf_low'])} to {_points(row['conf_high'])})"

    def _verdict(self, row: Mapping[Any, Any]) -> str:
        if not np.isfinite(row["conf_low"]):
            return "No verdict: no interval was asked for (replicates=)."
        said = str(row["verdict"])
        if said.startswith("no difference"):
            said = f"no difference larger than {self.margin:g} per 100"
        return f"Verdict: {said}."

    def _agree(self) -> bool:
        """Whether the routes differ by no more than twice the error of a difference of two like the less sure of them."""
        one, other = self.route_a.frame.iloc[0], self._row("difference")
        error = np.nanmax([one["std_error"], other["std_error"]])
        return not (np.isfinite(error) and abs(one["estimate"] - other["estimate"]) > 2 * np.sqrt(2) * error)


def _limits_of(row: Mapping[Any, Any]) -> dict[str, float]:
    return {name: 100 * float(row[name]) for name in ("estimate", "conf_low", "conf_high")}


def _points(value: float) -> str:
    if not np.isfinite(value):
        return "nothing known"
    return f"{100 * abs(value):.1f} {'fewer' if value < 0 else 'more'}"
