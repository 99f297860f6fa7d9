"""How much sites differ and what that does to the comparison: the table, the sites, the sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from outcomes.comparison.comparing import verdict
from outcomes.comparison.measures import quantile, two_sided
from outcomes.durations import in_words
from outcomes.results import Note, Result, p_in_words
from outcomes.survival.inputs import normal_quantile

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.comparison.random_intercepts import RandomIntercepts
    from outcomes.comparison.site_models import ArmModel, Difference
    from outcomes.comparison.site_varying import People

__all__ = ["SiteVariation"]

ALONE, VARYING = "people independent", "sites vary"
_COLUMNS = ("quantity", "arm", "reference", "model", "level", "estimate", "std_error", "df", "p_value", "conf_low", "conf_high",
            "n", "n_sites", "verdict")  # fmt: skip
_PLACES = ("arm", "site", "n", "observed", "estimate", "std_error", "conf_low", "conf_high", "shrinkage")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SiteVariation(Result):
    """Variation between sites (or teams) within each arm, and the difference of arms without and with it.

    Attributes
    ----------
    frame, places : pandas.DataFrame
        As `to_frame` and `sites` give them.
    untold : mapping of str to str
        Arms without a model of their sites, and why: one_unit, too_few, no_events, all_events, no_residual.
    by : str
        ``site`` or ``facilitator``.
    margin : float or None
        In percentage points.
    """

    frame: pd.DataFrame
    places: pd.DataFrame
    untold: Mapping[str, str]
    by: str
    outcome: str
    horizon: float
    conf_level: float
    margin: float | None
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "caterpillar"
    title: ClassVar[str] = "Variation between sites"

    @classmethod
    def build(
        cls,
        *,
        people: People,
        models: Mapping[str, ArmModel],
        apart: Sequence[tuple[Difference, Difference]],
        graded: RandomIntercepts | None,
        by: str,
        conf_level: float,
        margin: float | None,
        **rest: Any,
    ) -> Self:
        """Return the result of fitted models."""
        import pandas as pd

        named = list(enumerate(people.arms))
        rows = [row for k, arm in named for row in _of_arm(people, k, models[arm].fit, conf_level)]
        rows += [row for k, two in enumerate(apart, 1) for row in _of_contrast(people, k, two, conf_level, margin)]
        rows += [] if graded is None else _of_grades(people, graded, conf_level)
        places = [row for k, arm in named for row in _of_sites(people, k, models[arm].fit, by, conf_level)]
        frame = pd.DataFrame(rows).reindex(columns=list(_COLUMNS))
        text = ["quantity", "arm", "reference", "model", "level", "verdict"]
        return cls(
            frame=frame.assign(**{name: frame[name].fillna("") for name in text}),
            places=pd.DataFrame(places, columns=list(_PLACES)), by=by,
            untold=MappingProxyType({arm: model.why for arm, model in models.items() if model.why}),
            conf_level=conf_level, margin=margin, **rest,
        )  # fmt: skip

    @property
    def heading(self) -> str:
        """What stands above the result where it is shown."""
        return "Variation between sites" if self.by == "site" else "Variation between facilitators' teams"

    def to_frame(self) -> pd.DataFrame:
        """Return one row a quantity: of each arm risk (at the mean case mix), sd (between its sites, in risk) and icc; risk_difference of
        each arm with the reference by model (people independent, sites vary); grade, where asked for.

        Columns: quantity, arm, reference, model, level (of grade), estimate, std_error, df, p_value, conf_low, conf_high, n, n_sites,
        verdict. Risks, differences and standard deviations are proportions.
        """
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return quantity, arm, reference, model, estimate, conf_low, conf_high, n_sites, verdict."""
        names = ["quantity", "arm", "reference", "model", "estimate", "conf_low", "conf_high", "n_sites", "verdict"]
        return self.frame.loc[self.frame["quantity"] != "grade", names].reset_index(drop=True)

    def sites(self) -> pd.DataFrame:
        """Return one row a site (team) of an arm, sorted by arm and effect: arm, site, n, observed, estimate, std_error, conf_low,
        conf_high, shrinkage.

        `observed` is how far the mean of its people lies from the arm's, given their case mix; `estimate` is what is left of it once
        shrunk: `shrinkage` times as much. Proportions. Limits are missing where no variation was found.
        """
        return self.places.copy()

    def grades(self) -> pd.DataFrame:
        """Return the differences in risk between grades of whoever led the group, given case mix, arm and site; empty unless asked for."""
        names = ["level", "estimate", "std_error", "df", "p_value", "conf_low", "conf_high", "n", "n_sites"]
        return self.frame.loc[self.frame["quantity"] == "grade", names].reset_index(drop=True)

    @property
    def sentences(self) -> tuple[str, ...]:
        """How much sites of each arm vary, and the difference of arms without and with it, in plain sentences."""
        arms = dict.fromkeys(self.frame.loc[self.frame["quantity"] == "risk", "arm"])
        parts = [self._of_arm_in_words(arm) for arm in arms]
        contrasts = self.frame.loc[self.frame["quantity"] == "risk_difference", "arm"]
        parts += [self._contrast_in_words(arm) for arm in dict.fromkeys(contrasts)]
        grades = self.grades()
        if len(grades):
            said = "; ".join(
                f"{row['level']}: {_points(row['estimate'])}{self._limits(row)}" for row in grades.to_dict("records")
            )
            parts.append(f"By the grade of whoever led the group, per 100: {said}. Grades were not given by chance.")
        return tuple(parts)

    def describe(self) -> str:
        """Return the sentences together."""
        return " ".join(self.sentences)

    def _of_arm_in_words(self, arm: str) -> str:
        mine = self.frame[(self.frame["arm"] == arm) & (self.frame["reference"] == "")]
        risk, sd, icc = (mine[mine["quantity"] == name].to_dict("records")[0] for name in ("risk", "sd", "icc"))
        many, count = "sites" if self.by == "site" else "teams", int(risk["n_sites"])
        counted = f"{int(risk['n']):,} people, {count:,} {many if count != 1 else many[:-1]}"
        lead = f"{arm} ({counted}), {self.outcome} by {in_words(self.horizon)}"
        if not np.isfinite(icc["estimate"]):
            return f"{lead}: variation between {many} cannot be told, for {self._why(arm, many)}."
        found = (
            f"an estimated standard deviation between {many} of {100 * sd['estimate']:.1f} per 100 around a risk of "
            f"{100 * risk['estimate']:.1f}"
            if icc["estimate"] > 0
            else f"no more variation between {many} than chance gives, around a risk of {100 * risk['estimate']:.1f} per 100"
        )
        limits = (
            f"{100 * self.conf_level:g} % interval of the standard deviation {100 * sd['conf_low']:.1f} to {_upper(100 * sd['conf_high'])}"
            f"; ICC {icc['estimate']:.3f}, {icc['conf_low']:.3f} to {icc['conf_high']:.3f}; {p_in_words(icc['p_value'])}"
        )
        untold = "" if icc["conf_low"] > 0 else f" Whether {many} differ is not determined."
        return f"{lead}: {found} ({limits}).{untold}"

    def _contrast_in_words(self, arm: str) -> str:
        mine = self.frame[(self.frame["quantity"] == "risk_difference") & (self.frame["arm"] == arm)]
        alone, varying = (mine[mine["model"] == model].to_dict("records")[0] for model in (ALONE, VARYING))
        many = "sites" if self.by == "site" else "teams"
        if not np.isfinite(varying["conf_low"]):
            return self._without_limits(arm, alone["reference"], varying["estimate"], many)
        text = (
            f"{arm} against {alone['reference']}, adjusted by regression: {_points(alone['estimate'])} per 100{self._limits(alone)} were "
            f"people independent, {_points(varying['estimate'])}{self._limits(varying)} as {many} vary."
        )
        said = varying["verdict"]
        if said.startswith("no difference") and self.margin is not None:
            said = f"no difference larger than {self.margin:g} per 100"
        return f"{text} Verdict as {many} vary: {said}."

    def _without_limits(self, arm: str, reference: str, estimate: float, many: str) -> str:
        """Say of a difference without limits what there is of it, and why there is no more."""
        reasons = "; ".join(self._why(name, many) for name in (reference, arm) if name in self.untold)
        reasons = f": {reasons}" if reasons else ": the case mix leaves nothing to tell them by"
        lead = f"{arm} against {reference}"
        if not np.isfinite(estimate):
            return f"{lead}: no difference can be given{reasons}. Verdict: not determined."
        return (
            f"{lead}, adjusted by regression: {_points(estimate)} per 100; no interval can be given{reasons}. "
            "Verdict: not determined."
        )

    def _why(self, arm: str, many: str) -> str:
        """Return why an arm has no model of its own."""
        horizon = in_words(self.horizon)
        return {
            "one_unit": f"{arm} has one {many[:-1]}",
            "too_few": f"{arm} has too few people for its {many} and the case mix",
            "no_events": f"nobody in {arm} had the event '{self.outcome}' by {horizon}",
            "all_events": f"everybody in {arm} had the event '{self.outcome}' by {horizon}",
            "no_residual": f"the case mix tells all of who in {arm} had the event '{self.outcome}' by {horizon}",
        }[self.untold[arm]]

    def _limits(self, row: Any) -> str:
        if not np.isfinite(row["conf_low"]):
            return " (no interval can be given)"
        return f" ({100 * self.conf_level:g} % interval {_points(row['conf_low'])} to {_points(row['conf_high'])})"


def _points(value: float) -> str:
    return f"{100 * abs(value):.1f} {'fewer' if value < 0 else 'more'}"


def _upper(value: float) -> str:
    return f"{value:.1f}" if np.isfinite(value) else "no upper limit"


def _of_arm(people: People, arm: int, fit: RandomIntercepts | None, conf_level: float) -> list[dict[str, Any]]:
    """Return the rows of one arm: its risk, and how its sites vary."""
    n_sites = int(people.units[arm])
    own: dict[str, Any] = {
        "arm": people.arms[arm],
        "model": VARYING,
        "n": int((people.arm == arm).sum()),
        "n_sites": n_sites,
    }
    if fit is None:
        mean = float(people.y[people.arm == arm].mean())
        rows: list[dict[str, Any]] = [
            {"quantity": "risk", "estimate": mean, "model": ALONE},
            {"quantity": "sd"},
            {"quantity": "icc"},
        ]
        return [{**own, **row} for row in rows]
    spread = [
        float(np.sqrt(fit.within * icc / (1 - icc))) if icc < 1 else np.inf for icc in (fit.icc_low, fit.icc_high)
    ]
    risk = _with_limits(float(fit.beta[0]), float(np.sqrt(fit.covariance[0, 0])), n_sites - 1.0, conf_level)
    sd = {
        "estimate": float(np.sqrt(fit.between)),
        "conf_low": spread[0],
        "conf_high": spread[1],
        "p_value": fit.p_value,
    }
    icc = {"estimate": fit.icc, "conf_low": fit.icc_low, "conf_high": fit.icc_high, "p_value": fit.p_value}
    return [
        {**own, "quantity": "risk", **risk, "p_value": np.nan},
        {**own, "quantity": "sd", **sd},
        {**own, "quantity": "icc", **icc},
    ]


def _of_contrast(
    people: People, arm: int, two: tuple[Difference, Difference], conf_level: float, margin: float | None
) -> list[dict[str, Any]]:
    """Return an arm's difference with the reference: people independent, and sites varying."""
    units, rows = people.units, []
    for model, one in zip((ALONE, VARYING), two, strict=True):
        row = _with_limits(one.estimate, one.std_error, one.df, conf_level)
        mine = np.isin(people.arm, (0, arm))
        rows.append(
            {"quantity": "risk_difference", "arm": people.arms[arm], "reference": people.arms[0], "model": model, **row,
             "n": int(mine.sum()), "n_sites": int(units[0] + units[arm]), "verdict": verdict(row, "risk_difference", margin)}
        )  # fmt: skip
    return rows


def _of_grades(people: People, fit: RandomIntercepts, conf_level: float) -> list[dict[str, Any]]:
    first = len(fit.beta) - len(people.grades)
    df = float(max(people.units.sum() - len(people.arms) - len(people.grades), 1))
    rows = []
    for place, level in enumerate(people.grades, start=first):
        row = _with_limits(float(fit.beta[place]), float(np.sqrt(fit.covariance[place, place])), df, conf_level)
        rows.append(
            {
                "quantity": "grade",
                "model": VARYING,
                "level": level,
                **row,
                "n": len(people.y),
                "n_sites": int(people.units.sum()),
            }
        )
    return rows


def _of_sites(
    people: People, arm: int, fit: RandomIntercepts | None, by: str, conf_level: float
) -> list[dict[str, Any]]:
    """Return the sites of one arm, the lowest effect first."""
    if fit is None:
        return []
    first = {int(unit): int(place) for unit, place in zip(people.unit[::-1], people.place[::-1], strict=True)}
    z = normal_quantile(conf_level) if fit.between > 0 else np.nan
    named = "site" if by == "site" else "team"
    rows = []
    for unit, n, seen, effect, error, kept in zip(
        fit.units, fit.size, fit.observed, fit.effect, fit.error, fit.shrinkage, strict=True
    ):
        row = {
            "arm": people.arms[arm],
            "site": f"{named} {first[int(unit)] + (by != 'site')}",
            "n": int(n),
            "observed": seen,
        }
        limits = {"conf_low": effect - z * error, "conf_high": effect + z * error, "shrinkage": kept}
        rows.append({**row, "estimate": effect + 0.0, "std_error": error if fit.between > 0 else np.nan, **limits})
    return sorted(rows, key=lambda row: (row["estimate"], row["observed"]))


def _with_limits(estimate: float, error: float, df: float, conf_level: float) -> dict[str, float]:
    if not np.isfinite(error) or df < 1:
        return {
            "estimate": estimate,
            "std_error": np.nan,
            "df": np.nan,
            "p_value": np.nan,
            "conf_low": np.nan,
            "conf_high": np.nan,
        }
    reach = quantile(conf_level, df) * error
    return {
        "estimate": estimate,
        "std_error": error,
        "df": df,
        "p_value": two_sided(estimate / error, df) if error > 0 else np.nan,
        "conf_low": estimate - reach,
        "conf_high": estimate + reach,
    }
