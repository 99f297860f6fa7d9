"""Effects by subgroup: for whom, and whether they differ more than chance would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.comparison.comparing import COLUMNS, verdict
from outcomes.comparison.contrasts import compare
from outcomes.comparison.levels import Split, levels_in_words, levels_of, within_levels
from outcomes.comparison.multiplicity import benjamini_hochberg, holm
from outcomes.comparison.sentences import sentence
from outcomes.design.data import SurvivalData, must_be_data, must_name_cause
from outcomes.errors import EstimationError, NotSupportedError, one_of
from outcomes.results import Note, Result, Weights, p_in_words
from outcomes.survival.curves import CumulativeIncidence, KaplanMeier, cumulative_incidence, kaplan_meier

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["SubgroupEffects", "subgroup_effects"]

_MEASURES = ("risk_difference", "risk_ratio", "odds_ratio")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SubgroupEffects(Result):
    """The effect in everyone, raw and adjusted, and in each level of one or more columns, with tests that it is the same.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `to_frame` gives it, with ``value_reference`` and ``value_arm`` (the risk in each arm) beside.
    tests : pandas.DataFrame
        As `interaction` gives it.
    measure : str
    conf_level : float
    labels : mapping
    """

    frame: pd.DataFrame
    tests: pd.DataFrame
    measure: str
    conf_level: float
    margin: float | None
    labels: Mapping[str, str]
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "forest"
    title: ClassVar[str] = "Effects by subgroup"

    def to_frame(self) -> pd.DataFrame:
        """Return one row for everyone raw, one adjusted, and one a level.

        Columns: subgroup ("" for everyone), level, adjustment (raw, adjusted), those of `compare`, and p_holm, p_bh over the rows of
        levels.
        """
        return self.frame[["subgroup", "level", "adjustment", *COLUMNS, "p_holm", "p_bh"]].copy()

    def interaction(self) -> pd.DataFrame:
        """Return the test that the effect is the same in all levels, one row a subgroup.

        Columns: subgroup, n_levels, levels (those in the test: with events, and people without, in both arms), statistic (Wald), df,
        df_residual (of Hotelling's F where people are clustered; infinite for chi-squared), p_value, why (there is no test), p_holm, p_bh.
        """
        return self.tests.copy()

    def summary(self) -> pd.DataFrame:
        """Return subgroup, level, adjustment, n, n_events, estimate, conf_low, conf_high."""
        names = ["subgroup", "level", "adjustment", "n", "n_events", "estimate", "conf_low", "conf_high"]
        return self.frame[names].copy()

    def describe(self) -> str:
        """Return each effect in plain sentences, and whether the levels differ."""
        parts = []
        for row in self.frame.to_dict("records"):
            who = f"{row['subgroup']} {row['level']}" if row["subgroup"] else f"Everyone, {row['adjustment']}"
            if np.isfinite(row["estimate"]):
                parts.append(f"{who}: {sentence(row, self.labels, self.conf_level, None, self.margin)}")
            else:
                parts.append(f"{who}: no estimate ({row['n']:,} people, {row['n_events']:,} events).")
        for test in self.tests.to_dict("records"):
            if np.isfinite(test["p_value"]):
                said = "they differ more than chance would" if test["p_value"] < 0.05 else "no sign that they differ"
                among = levels_in_words(test, int((self.frame["subgroup"] == test["subgroup"]).sum()))
                parts.append(f"Levels of {test['subgroup']}: {said}{among} ({p_in_words(test['p_value'])}).")
            else:
                parts.append(f"Whether levels of {test['subgroup']} differ cannot be tested: {test['why']}.")
        return " ".join(parts)


def subgroup_effects(
    data: SurvivalData,
    by: str | Sequence[str],
    *,
    at: float | str,
    weights: Weights | None = None,
    measure: str = "risk_difference",
    cause: str | None = None,
    cluster: str | None = None,
    variance: str | None = None,
    conf_level: float = 0.95,
    margin: float | None = None,
    cluster_df: float | None = None,
) -> SubgroupEffects:
    """Estimate the effect within each level of one or more columns, and test whether it is the same.

    Use it for "for whom": named in advance it is an answer, otherwise exploratory.

    Parameters
    ----------
    data : SurvivalData
        Two arms.
    by : str or list of str
        Columns of ``data.baseline`` with a few levels each, known at time zero.
    at : time
        730 or ``"2y"``.
    weights : Weights, optional
        From `weight`: the same score is fitted again within each level, so that the arms are alike there, and the intervals
        know it. Other weights are used as they are. None: raw effects only.
    measure : {"risk_difference", "risk_ratio", "odds_ratio"}
    cause : str, optional
        Default: the outcome.
    cluster, variance, conf_level, margin, cluster_df
        As in `compare` and `kaplan_meier`.

    Returns
    -------
    SubgroupEffects
        ``to_frame()``: subgroup, level, adjustment and the columns of `compare`; ``interaction()``: the tests.

    Raises
    ------
    EstimationError
        Unknown column, one level only, more than 12 levels, a time beyond the follow-up of an arm.
    NotSupportedError
        More than two arms.

    Notes
    -----
    Levels are estimated jointly, so that people of one cluster in several levels are reckoned with. The test is Wald's of equal
    contrasts (on the log scale for ratios): chi-squared, or F on the clusters' degrees of freedom. Levels with fewer than two
    people in an arm, or whose follow-up ends before `at`, have no estimate and are said in a note; so are levels that kept
    everyone's weights because their own score could not be fitted.

    References
    ----------
    Dong et al. (2020), Statistical Methods in Medical Research 29:659 (balance within subgroups); Yang et al. (2021),
    Statistics in Medicine 40:4294.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    >>> oc.subgroup_effects(data, "wexp", at=52).to_frame()[["level", "estimate"]].round(3).values.tolist()
    [['', -0.083], ['0', -0.104], ['1', -0.066]]
    """
    must_be_data(data, "subgroup_effects(data, by)")
    one_of(measure, _MEASURES, what="subgroup_effects: measure")
    if len(data.arms) != 2:
        raise NotSupportedError(
            f"subgroup_effects: two arms are needed; these data have {len(data.arms)}.{data.instead_of_arms}"
        )
    rows: list[dict[str, Any]] = []
    notes: list[Note] = []
    everyone = [("raw", None)] if weights is None else [("raw", None), ("adjusted", weights)]
    for name, used in everyone:
        plain = None if variance == "stacked" and used is None else variance
        found = compare(
            _curves(data, used, cluster), measure=measure, at=at, cause=_of_several(data, cause), variance=plain,
            conf_level=conf_level, margin=margin, cluster_df=cluster_df,
        )  # fmt: skip
        first = {str(key): value for key, value in found.frame.iloc[0].items()}
        rows.append({"subgroup": "", "level": "", "adjustment": name, **first})
        notes += found.notes
    tests = []
    for column in [by] if isinstance(by, str) else list(by):
        split = levels_of(data, column)
        notes += split.notes
        each = within_levels(
            data, split, weights=weights, at=float(rows[0]["time"]), cause=cause, measure=measure, variance=variance, cluster=cluster,
            conf_level=conf_level, cluster_df=cluster_df, make_curves=_curves,
        )  # fmt: skip
        adjusted = "raw" if weights is None else "adjusted"
        for level, row in zip(split.levels, each.rows, strict=True):
            rows.append(_level_row(row, rows[0], split, level, adjusted, measure, margin))
        tests.append({"subgroup": column, **each.test})
        notes += each.notes
    return _assembled(rows, tests, measure, conf_level, margin, {**data.labels, "unit": data.unit}, notes)


def _curves(data: SurvivalData, weights: Weights | None, cluster: str | None) -> KaplanMeier | CumulativeIncidence:
    if len(data.causes) > 1:
        return cumulative_incidence(data, weights=weights, cluster=cluster)
    return kaplan_meier(data, weights=weights, cluster=cluster)


def _of_several(data: SurvivalData, cause: str | None) -> str | None:
    if cause is not None and cause not in data.causes:
        raise EstimationError(f"subgroup_effects: no cause {cause!r}; there are {', '.join(data.causes)}.")
    must_name_cause(data, cause, "subgroup_effects")
    return cause


def _level_row(
    row: dict[str, Any],
    like: Mapping[str, Any],
    split: Split,
    level: str,
    adjusted: str,
    measure: str,
    margin: float | None,
) -> dict[str, Any]:
    """Return the row of one level, filled up from the row of everyone where there is no estimate."""
    same = {
        name: like[name] for name in ("outcome", "population", "scale", "cause", "time", "measure", "arm", "reference")
    }
    full = {**{name: float("nan") for name in like}, **row, **same}
    full |= {"subgroup": split.column, "level": level, "adjustment": adjusted}
    full["verdict"] = verdict(full, measure, margin)
    return full


def _assembled(
    rows: list[dict[str, Any]],
    tests: list[dict[str, Any]],
    measure: str,
    conf_level: float,
    margin: float | None,
    labels: Mapping[str, str],
    notes: list[Note],
) -> SubgroupEffects:
    import pandas as pd

    frame, test = pd.DataFrame(rows), pd.DataFrame(tests)
    p = np.where(frame["subgroup"] != "", frame["p_value"].to_numpy(dtype=np.float64), np.nan)
    frame["p_holm"], frame["p_bh"] = holm(p), benjamini_hochberg(p)
    p = test["p_value"].to_numpy(dtype=np.float64)
    test["p_holm"], test["p_bh"] = holm(p), benjamini_hochberg(p)
    return SubgroupEffects(
        frame=frame,
        tests=test,
        measure=measure,
        conf_level=conf_level,
        margin=margin,
        labels=MappingProxyType(dict(labels)),
        notes=tuple(dict.fromkeys(notes)),
    )
