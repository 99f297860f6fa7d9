"""Effects by kind of people on both scales: the table, the tests side by side, what was named in advance, and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from outcomes.comparison.comparing import COLUMNS
from outcomes.comparison.levels import levels_in_words
from outcomes.comparison.multiplicity import benjamini_hochberg, holm
from outcomes.comparison.sentences import in_short, sentence
from outcomes.results import Note, Result, p_in_words

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.comparison.subgroups import SubgroupEffects

__all__ = ["Benefits"]

_SCALES = {"risk_difference": "additive", "risk_ratio": "multiplicative"}
_NOT_THE_SAME = "Subgroups are small: a test that finds no sign that effects differ is no sign that they are the same."


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Benefits(Result):
    """The effect in everyone and in each kind of people, as a difference and as a ratio.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `to_frame` gives it, with ``value_reference`` and ``value_arm`` (the risk in each arm) beside.
    tests : pandas.DataFrame
        As `interaction` gives it.
    conf_level : float
    margin : float or None
        In percentage points.
    """

    frame: pd.DataFrame
    tests: pd.DataFrame
    conf_level: float
    margin: float | None
    labels: Mapping[str, str]
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "forest"
    title: ClassVar[str] = "Who benefits"

    @classmethod
    def build(
        cls,
        difference: SubgroupEffects,
        ratio: SubgroupEffects,
        *,
        named: Sequence[str],
        notes: tuple[Note, ...],
        **rest: Any,
    ) -> Self:
        """Return the result of effects on both scales: those of subgroups named in advance first, p-values over all tests."""
        import pandas as pd

        frame = pd.concat([each.frame for each in (difference, ratio)], ignore_index=True)
        frame["named"] = frame["subgroup"].isin(named)
        everyone = frame["subgroup"] == ""
        frame["_order"] = np.where(everyone, 0, np.where(frame["named"], 1, 2))
        frame = frame.sort_values(["measure", "_order"], kind="stable", ignore_index=True).drop(columns="_order")
        p = np.where(frame["subgroup"] == "", np.nan, frame["p_value"].to_numpy(dtype=np.float64))
        frame["p_holm"], frame["p_bh"] = holm(p), benjamini_hochberg(p)
        parts = [each.tests.assign(scale=_SCALES[each.measure]) for each in (difference, ratio)]
        tests = pd.concat(parts, ignore_index=True)
        tests["named"] = tests["subgroup"].isin(named)
        order = list(dict.fromkeys(frame["subgroup"]))
        tests = tests.sort_values(
            "subgroup", key=lambda names: names.map(order.index), kind="stable", ignore_index=True
        )
        p = tests["p_value"].to_numpy(dtype=np.float64)
        tests["p_holm"], tests["p_bh"] = holm(p), benjamini_hochberg(p)
        return cls(
            frame=frame,
            tests=tests,
            conf_level=difference.conf_level,
            labels=difference.labels,
            notes=notes,
            **rest,
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row for everyone (raw, adjusted) and one a level, as risk differences and then as risk ratios.

        Columns: subgroup ("" for everyone), named (in advance; everything else is exploratory), level, adjustment, those of `compare`,
        p_holm and p_bh over the levels of all subgroups on both scales.
        """
        return self.frame[["subgroup", "named", "level", "adjustment", *COLUMNS, "p_holm", "p_bh"]].copy()

    def interaction(self) -> pd.DataFrame:
        """Return the tests that the effect is the same in all levels, two rows a subgroup.

        Columns: subgroup, named, scale (additive: of risk differences; multiplicative: of risk ratios), n_levels, levels (those in the
        test: with events, and people without, in both arms), statistic (Wald), df, df_residual (of Hotelling's F where people are
        clustered; infinite for chi-squared), p_value, why (there is no test), p_holm and p_bh over all of them.
        """
        names = [
            "subgroup",
            "named",
            "scale",
            "n_levels",
            "levels",
            "statistic",
            "df",
            "df_residual",
            "p_value",
            "why",
            "p_holm",
            "p_bh",
        ]
        return self.tests[names].copy()

    def summary(self) -> pd.DataFrame:
        """Return subgroup, named, level, n, n_events, the risk difference with its limits and verdict, risk_ratio."""
        keys = ["subgroup", "level", "adjustment"]
        difference = self.frame[self.frame["measure"] == "risk_difference"]
        ratio = self.frame[self.frame["measure"] == "risk_ratio"].set_index(keys)["estimate"]
        names = [
            "subgroup",
            "named",
            "level",
            "adjustment",
            "n",
            "n_events",
            "estimate",
            "conf_low",
            "conf_high",
            "verdict",
        ]
        found = difference[names].reset_index(drop=True)
        found.insert(9, "risk_ratio", ratio.loc[list(found[keys].itertuples(index=False, name=None))].to_numpy())
        return found

    @property
    def sentences(self) -> tuple[str, ...]:
        """The effect in everyone, in each level, and whether levels differ, in plain sentences; one a subgroup."""
        rows = self.frame[self.frame["measure"] == "risk_difference"]
        everyone = rows[rows["subgroup"] == ""].iloc[-1].to_dict()
        parts = [
            f"Everyone, {everyone['adjustment']}: {sentence(everyone, self.labels, self.conf_level, None, self.margin)}"
        ]
        for subgroup, levels in rows[rows["subgroup"] != ""].groupby("subgroup", sort=False):
            named = bool(levels["named"].iloc[0])
            each = " ".join(
                f"{str(row['level']).replace('_', ' ')}: {in_short(row, self.conf_level, self.margin)}"
                for row in levels.to_dict("records")
            )
            parts.append(
                f"{headed(str(subgroup), named)}: {each} {self._whether_they_differ(str(subgroup), len(levels))}"
            )
        return (*parts, _NOT_THE_SAME)

    def describe(self) -> str:
        """Return the sentences together."""
        return " ".join(self.sentences)

    def _whether_they_differ(self, subgroup: str, levels: int) -> str:
        tests = self.tests[(self.tests["subgroup"] == subgroup)].set_index("scale")
        p, paid = tests["p_value"], tests["p_holm"]
        if not np.isfinite(p).any():
            return f"Whether levels differ cannot be tested: {tests['why'].iloc[0]}."
        shown = f"differences {p_in_words(p['additive'])}, ratios {p_in_words(p['multiplicative'])}"
        beyond = 1 - self.conf_level
        if (paid < beyond).any():
            said = "levels differ by more than chance, all tests counted"
        elif (p < beyond).any():
            said = "a sign that levels differ, which is gone once all tests are counted"
        else:
            said = "no sign that levels differ"
        least = tests.sort_values("n_levels").iloc[0].to_dict()
        return f"Interaction ({shown}): {said}{levels_in_words(least, levels)}."


def headed(subgroup: str, named: bool) -> str:
    """Return how a subgroup is headed: whether it was named in advance or is exploratory.

    Examples
    --------
    >>> headed("risk_band", True), headed("era", False)
    ('Risk band (named in advance)', 'Era (exploratory)')
    """
    text = subgroup.replace("_", " ")
    return f"{text[:1].upper()}{text[1:]} ({'named in advance' if named else 'exploratory'})"
