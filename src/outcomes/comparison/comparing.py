"""The result of a comparison: its table, its verdict, what it could have found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from outcomes.adjust.scored_weights import ScoredWeights
from outcomes.comparison.evalue import EValue, e_value
from outcomes.comparison.measures import DIFFERENCES, RATIOS, Contrast
from outcomes.comparison.multiplicity import benjamini_hochberg, holm
from outcomes.comparison.planning import DEFAULT_TARGET, detectable, people_needed
from outcomes.comparison.sentences import sentence
from outcomes.comparison.tipping import TippingPoints, tipping_points
from outcomes.errors import EstimationError
from outcomes.results import Array, Note, Result, Weights

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData
    from outcomes.survival.inputs import Asked

__all__ = ["COLUMNS", "Comparison", "about_weights", "row_of", "verdict"]

COLUMNS = (
    "outcome", "population", "estimand", "scale", "arm", "reference", "cause", "time", "measure", "estimate", "std_error",
    "statistic", "df", "p_value", "conf_low", "conf_high", "n", "n_events", "verdict",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Comparison(Result):
    """Contrasts of arms with the reference, with verdict and sentence.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `to_frame` gives it, with ``value_reference`` and ``value_arm`` (the risk, or the mean time, in each arm) beside.
    measure, variance : str
        What was compared; ``model``, ``robust`` or ``stacked``.
    conf_level : float
    margin : float or None
        In percentage points, or in the unit of time.
    labels : mapping
        Outcome, population, scale and unit, for sentences.
    """

    frame: pd.DataFrame
    measure: str
    conf_level: float
    margin: float | None
    variance: str
    labels: Mapping[str, str]
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "forest"
    title: ClassVar[str] = "Comparison"

    @classmethod
    def build(
        cls,
        rows: list[dict[str, Any]],
        *,
        measure: str,
        conf_level: float,
        margin: float | None,
        variance: str,
        labels: Mapping[str, str],
        notes: tuple[Note, ...],
        weights: Weights | None = None,
    ) -> Self:
        """Return the comparison of finished rows: adds verdicts and, where there are several rows, adjusted p-values."""
        import pandas as pd

        frame = pd.DataFrame([{**row, "verdict": verdict(row, measure, margin)} for row in rows])
        if len(frame) > 1:
            p = frame["p_value"].to_numpy(dtype=np.float64)
            frame["p_holm"], frame["p_bh"] = holm(p), benjamini_hochberg(p)
        return cls(
            frame=frame,
            measure=measure,
            conf_level=conf_level,
            margin=margin,
            variance=variance,
            labels=MappingProxyType({**labels, **_of_several_arms(weights)}),
            notes=tuple(dict.fromkeys(notes)),
            provenance=MappingProxyType(
                {
                    "measure": measure,
                    "variance": variance,
                    "conf_level": conf_level,
                    "margin": margin,
                    "weights": None if weights is None else dict(weights.provenance) or {"estimand": weights.estimand},
                }
            ),
        )

    @property
    def unit(self) -> str:
        """Unit of time."""
        return self.labels.get("unit", "days")

    def to_frame(self) -> pd.DataFrame:
        """Return one row an arm and time, columns as `compare` says."""
        adjusted = [name for name in ("p_holm", "p_bh") if name in self.frame]
        return self.frame[[*COLUMNS, *adjusted]].copy()

    def summary(self) -> pd.DataFrame:
        """Return arm, reference, time, measure, estimate, conf_low, conf_high, p_value, verdict."""
        names = ["arm", "reference", "time", "measure", "estimate", "conf_low", "conf_high", "p_value", "verdict"]
        return self.frame[names].copy()

    @property
    def detectable(self) -> Array:
        """Difference (of the logs, for ratios) this design could have found with 80 % power at 5 %, by row; on t where the test is."""
        frame = self.frame
        plain = self.measure in DIFFERENCES
        sides = (frame["conf_high"] - frame["estimate"], frame["estimate"] - frame["conf_low"])
        longer = np.fmax(*(side.to_numpy(dtype=np.float64) for side in sides)) if plain else 0.0
        errors, df = (frame[name].to_numpy(dtype=np.float64) for name in ("std_error", "df"))
        return detectable(errors, df, longer, self.conf_level)

    def design(self, target: float | None = None) -> pd.DataFrame:
        """Return what the design could have found, and how many people it would take to find `target`.

        Parameters
        ----------
        target : float, optional
            A difference, in percentage points (risks) or in the unit of time; default the margin, else 3 points.

        Returns
        -------
        pandas.DataFrame
            arm, reference, time, measure, n, detectable (in the units of `target`), target, people_needed (both arms together, with the
            arms, clusters and follow-up in the same proportions).

        Raises
        ------
        EstimationError
            The measure is not a difference, or there is no target for a difference in time.
        """
        import pandas as pd

        if self.measure not in DIFFERENCES:
            raise EstimationError(f"design: ask it of a {' or a '.join(DIFFERENCES)}.")
        risks = self.measure == "risk_difference"
        sought = (
            target
            if target is not None
            else self.margin
            if self.margin is not None
            else DEFAULT_TARGET
            if risks
            else None
        )
        if sought is None or not sought > 0:
            raise EstimationError(f"design: say which difference in {self.unit} is sought (target=), above 0.")
        found = self.detectable * (100 if risks else 1)
        n = self.frame["n"].to_numpy(dtype=np.float64)
        return pd.DataFrame(
            {
                **{name: self.frame[name] for name in ("arm", "reference", "time", "measure", "n")},
                "detectable": found,
                "target": float(sought),
                "people_needed": people_needed(n, found, sought),
            }
        )

    def e_value(self, *, rare: bool = False) -> list[EValue]:
        """Return the E-value of each row; for ratios of risks, odds or hazards (see `outcomes.e_value`).

        Raises
        ------
        EstimationError
            The measure is not one of these ratios.
        """
        if self.measure not in RATIOS or self.measure in ("rmst_ratio", "count_ratio"):
            raise EstimationError("e_value: ask it of a risk ratio, compare(..., measure='risk_ratio').")
        return [
            e_value(r["estimate"], r["conf_low"], r["conf_high"], measure=self.measure, rare=rare)
            for r in self.frame.to_dict("records")
        ]

    def tipping_points(self, *, rare: bool = False) -> list[TippingPoints]:
        """Return for each row which unmeasured confounders would explain it away (see `outcomes.tipping_points`).

        Raises
        ------
        EstimationError
            The measure is neither a risk difference nor a ratio of risks, odds or hazards.
        """
        if self.measure != "risk_difference" and (
            self.measure not in RATIOS or self.measure in ("rmst_ratio", "count_ratio")
        ):
            raise EstimationError("tipping_points: ask them of a risk difference or a risk ratio.")
        return [
            tipping_points(r["estimate"], r["conf_low"], r["conf_high"], measure=self.measure, rare=rare)
            for r in self.frame.to_dict("records")
        ]

    def describe(self) -> str:
        """Return each contrast in plain sentences: absolute first, with people, events, interval, population, estimand."""
        rows = self.frame.to_dict("records")
        if self.measure not in DIFFERENCES:
            return " ".join(sentence(row, self.labels, self.conf_level) for row in rows)
        design = self.design(None if self.measure == "risk_difference" or self.margin else 1.0).to_dict("records")
        margin = self.margin
        return " ".join(
            sentence(row, self.labels, self.conf_level, plan if np.isfinite(row["p_value"]) else None, margin)
            for row, plan in zip(rows, design, strict=True)
        )


def row_of(
    data: SurvivalData,
    one: Contrast,
    *,
    measure: str,
    estimand: str,
    arms: tuple[str, str],
    cause: str,
    time: float,
    n: int,
    n_events: int,
    values: tuple[float, float] = (float("nan"), float("nan")),
) -> dict[str, Any]:
    """Return one row of a comparison; `arms` and `values` are the reference's, then the arm's."""
    labels = {name: data.labels.get(name, "") for name in ("outcome", "population", "scale")}
    return {
        **labels,
        "estimand": estimand,
        "arm": arms[1],
        "reference": arms[0],
        "cause": cause,
        "time": time,
        "measure": measure,
        **asdict(one),
        "n": n,
        "n_events": n_events,
        "value_reference": values[0],
        "value_arm": values[1],
    }


def _of_several_arms(weights: Weights | None) -> dict[str, str]:
    """Return the arm an estimand is about as sentences say it, where weights are of several arms."""
    if weights is None or len(weights.arms) < 3:
        return {}
    return {"focal": (weights.focal or "") if isinstance(weights, ScoredWeights) else ""}


def about_weights(asked: Asked) -> tuple[Note, ...]:
    """Return what must stand beside a weighted contrast: how many people count, and what the weights' own notes say."""
    if not asked.weighted:
        return ()
    source = asked.source
    if asked.within is not None:
        low, high = asked.within.min(), asked.within.max()
        notes = () if source is None else source.notes
        return (*notes, Note("weights_over_time", f"Weights change over time, from {low:.3g} to {high:.3g}."))
    if source is None:
        size = float(asked.weight.sum() ** 2 / (asked.weight**2).sum())
        said = f"{int(asked.used.sum()):,} people count as {size:,.0f}"
    else:
        sizes = source.effective_sample_size
        people = {arm: int((source.arm == index).sum()) for index, arm in enumerate(source.arms)}
        said = ", ".join(f"{people[arm]:,} people in {arm} count as {sizes[arm]:,.0f}" for arm in source.arms)
    notes = () if source is None else source.notes
    return (*notes, Note("effective_sample_size", f"Weighted: {said}."), *_still_unlike(source))


def _still_unlike(source: Weights | None) -> tuple[Note, ...]:
    """Return in what weights or matching have left the arms unlike."""
    if not isinstance(source, ScoredWeights) or not (unlike := source.still_unlike()):
        return ()
    worst = max(unlike, key=lambda name: unlike[name])
    many = f"{len(unlike)} columns" if len(unlike) > 1 else "1 column"
    text = (
        f"The arms are still not alike in {many} of {len(source.columns)}, by more than 0.10 standard deviations (most in {worst}, by "
        f"{unlike[worst]:.2f}); what that does to the outcome is still in the contrast. See .balance(); a caliper may help."
    )
    return (Note("still_unlike", text),)


def verdict(row: Mapping[str, Any], measure: str, margin: float | None) -> str:
    """Return what an interval allows to be said: lower, higher, no difference larger than the margin, not determined."""
    low, high = float(row["conf_low"]), float(row["conf_high"])
    if measure == "nnt":  # limits exist only where the risk difference excludes 0
        return "not determined" if not np.isfinite(low) else "lower" if high < 0 else "higher"
    if not (np.isfinite(low) and np.isfinite(high)):
        return "not determined"
    none = 1.0 if measure in RATIOS else 0.0
    if high < none or low > none:
        return "lower" if high < none else "higher"
    if margin is not None and measure in DIFFERENCES:
        limit = margin / 100 if measure == "risk_difference" else margin
        if -limit < low and high < limit:
            return "no difference larger than the margin"
    return "not determined"
