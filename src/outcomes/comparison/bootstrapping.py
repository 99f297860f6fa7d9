"""The bootstrap: intervals from the same analysis of people drawn again; the function people call and the result they get."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.comparison.bootstrap_kernel import INTERVALS, Replicated, acceleration, intervals
from outcomes.comparison.drawn_units import units_to_draw
from outcomes.comparison.repeating import repeated
from outcomes.comparison.replicated_numbers import Numbers, numbers_of
from outcomes.design.data import SurvivalData, must_be_data
from outcomes.design.resampling import Units, resampled
from outcomes.errors import EstimationError, one_of
from outcomes.results import Array, IntArray, Note, Result, Weights
from outcomes.survival.inputs import normal_quantile

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Bootstrap", "bootstrap"]

Statistic = Callable[..., Any]
_MOST_LOST = 0.05  # share of replicates without a number from which a note is loud
_FEW_UNITS = 10
_GROUPS = 200  # left out one after another for the acceleration
_KEPT = ("values", "estimand", "arm", "arms", "sets")  # of weights that stay as they are
_SMALL = 1_000  # replicates below which the ends of an interval are rough


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Bootstrap(Result):
    """What an analysis gave on the data, and how it varied over data drawn again.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row a number.
    replicates : ndarray, shape (R, K)
        The numbers of each replicate; missing where it gave none.
    by : str
        What was drawn: ``person``, ``cluster`` or ``set``.
    kind : str
        Kind of interval.
    failures : mapping
        From what a replicate said when it gave no number, to how many did.
    """

    frame: pd.DataFrame
    replicates: Array
    by: str
    kind: str
    conf_level: float
    seed: int
    failures: Mapping[str, int]
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "intervals"
    title: ClassVar[str] = "Bootstrap"
    tabled: ClassVar[bool] = True

    def to_frame(self) -> pd.DataFrame:
        """Return one row a number: what it is, then estimate, bias, std_error, conf_low, conf_high, n_replicates."""
        return self.frame.copy()

    def describe(self) -> str:
        """Return how the intervals were made, and each number with its interval."""
        every = [name for name in self.frame.columns if name not in _COLUMNS]
        named = [name for name in every if len(self.frame[name].unique()) > 1] or every[-1:]
        parts = []
        for row in self.frame.to_dict("records"):
            label = ", ".join(str(row[name]) for name in named if str(row[name]))
            said = f"{label + ': ' if label else ''}{row['estimate']:.4g}"
            parts.append(f"{said} ({row['conf_low']:.4g} to {row['conf_high']:.4g})")
        return (
            f"{100 * self.conf_level:g} % {self.kind} intervals from {len(self.replicates):,} bootstrap replicates by {self.by}: "
            f"{'; '.join(parts)}."
        )


_COLUMNS = ("estimate", "bias", "std_error", "conf_low", "conf_high", "n_replicates")


def bootstrap(
    data: SurvivalData,
    statistic: Statistic,
    *,
    replicates: int = 1000,
    seed: int = 2010,
    by: str | None = None,
    within: str | None = None,
    weights: Weights | None = None,
    kind: str = "percentile",
    conf_level: float = 0.95,
    n_jobs: int | None = None,
    progress: bool | None = None,
) -> Bootstrap:
    """Repeat an analysis on people drawn again with replacement, and read intervals from its spread.

    Use it where no closed form knows all that was estimated on the way, or to check one that does. Whatever is fitted inside
    `statistic` (a score, weights, a model) is fitted again in every replicate.

    Parameters
    ----------
    data : SurvivalData
    statistic : callable
        From data to a number, an array, a Series, or a result of this library whose table has an ``estimate`` for the same rows every
        time, such as ``lambda d: oc.compare(oc.kaplan_meier(d), measure="risk_difference", at="2y")``. With `weights` it is called
        with the weights of those drawn as well.
    replicates : int
    seed : int
        The same seed gives the same intervals, for any number of processes.
    by : {"person", "cluster", "set"}, optional
        What is drawn, with all its rows. Default: the sets of `weights` where it has any, else the clusters of the data, else people.
    within : str, optional
        Column of the baseline (or ``"arm"``) within whose levels units are drawn, so that each level keeps its number of units.
    weights : Weights, optional
        Weights that stay as they are, such as a matching whose sets are drawn (Austin & Small 2014).
    kind : {"percentile", "basic", "normal", "bca", "studentised"}
        Of interval. Bias-corrected and accelerated (bca) repeats the analysis up to 200 times more, with a group left out each time.
        Studentised needs a statistic whose table has a ``std_error`` on the scale of its ``estimate``: differences, coefficients.
    conf_level : float
    n_jobs : int, optional
        Processes, as joblib counts them (-1: all). Default: one, or what ``joblib.parallel_config`` says, whose dask, ray or Spark
        backends take replicates to a cluster.
    progress : bool, optional
        Whether to show a bar. Default: where somebody looks at a terminal or a notebook.

    Returns
    -------
    Bootstrap
        ``to_frame()``: what each number is, estimate, bias, std_error, conf_low, conf_high, n_replicates.

    Raises
    ------
    EstimationError
        Fewer than two units, no number in half of the replicates or more (what they said is told), rows of the statistic that change
        from replicate to replicate, a column that is not there.
    NotSupportedError
        Nearest-neighbour matching with replacement, outside or inside `statistic`: its bootstrap is not valid (Abadie & Imbens 2008);
        row counts; other weights made in classes or by radius, which must be made inside `statistic`.

    Notes
    -----
    Somebody drawn twice is two people. Where clusters are drawn, each draw is a cluster of its own. Replicates that give no number
    (an arm without people, a model that cannot be fitted) are counted and left out; a note says so.

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap; Davison & Hinkley (1997); Abadie & Imbens (2008), Econometrica
    76:1537; Austin & Small (2014), Statistics in Medicine 33:4306.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    >>> found = oc.bootstrap(data, lambda d: oc.compare(oc.kaplan_meier(d), measure="risk_difference", at=52), replicates=200)
    >>> found.to_frame()["std_error"].between(0.035, 0.05).item()
    True
    """
    _check(data, statistic, replicates, weights, kind, conf_level)
    whole = numbers_of(statistic(data) if weights is None else statistic(data, weights))
    by, units, strata = units_to_draw(data, weights, by, within)
    if kind == "studentised":
        _must_have_errors(whole)
    plan = _Plan(statistic, whole, units, strata, by == "cluster", seed, with_errors=kind == "studentised")
    held = None if weights is None else {name: getattr(weights, name) for name in _KEPT}
    drawn, failures = repeated(plan, data, held, replicates, n_jobs=n_jobs, progress=progress, what="bootstrap")
    _refuse_half_lost(failures, replicates)
    drawn, drawn_errors = drawn[:, : len(whole.values)], drawn[:, len(whole.values) :]
    left_out = _left_out(plan, data, held, n_jobs, progress) if kind == "bca" else None
    found = intervals(
        whole.values, drawn, kind, conf_level, None if left_out is None else acceleration(left_out),
        None if whole.errors is None or kind != "studentised" else (whole.errors, drawn_errors),
    )  # fmt: skip
    return Bootstrap(
        frame=_framed(whole, found),
        replicates=drawn,
        by=by,
        kind=kind,
        conf_level=conf_level,
        seed=seed,
        failures=MappingProxyType(dict(failures)),
        notes=(*whole.notes, *_notes(data, units, by, drawn, failures, kind), *_without_limits(found, left_out)),
        provenance=MappingProxyType({"replicates": replicates, "seed": seed, "by": by, "within": within, "kind": kind}),
    )


def _check(data: Any, statistic: Any, replicates: int, weights: Weights | None, kind: str, conf_level: float) -> None:
    must_be_data(data, "bootstrap(data, statistic)")
    if not callable(statistic):
        raise EstimationError(
            "bootstrap: statistic must be a function of the data, such as lambda d: oc.kaplan_meier(d).at('2y')."
        )
    one_of(kind, INTERVALS, what="bootstrap: kind")
    normal_quantile(conf_level)
    if replicates < 2:
        raise EstimationError(f"bootstrap: replicates must be 2 or more; got {replicates}.")
    if kind == "studentised" and weights is not None and weights.influence is not None:
        raise EstimationError(
            "bootstrap: kind='studentised' needs the same kind of standard error in every replicate, and weights of a score that are held "
            "fixed have another on the data. Make the weights inside statistic."
        )


def _refuse_half_lost(failures: Counter[str], replicates: int) -> None:
    """Raise where half of the replicates or more gave no number."""
    if 2 * sum(failures.values()) >= replicates:
        said, times = failures.most_common(1)[0]
        raise EstimationError(
            f"bootstrap: {sum(failures.values()):,} of {replicates:,} replicates gave no number. The commonest reason ({times:,}): {said}"
        )


def _framed(whole: Numbers, found: Replicated) -> pd.DataFrame:
    """Return one row a number."""
    return whole.labels.assign(
        estimate=whole.values,
        bias=found.bias,
        std_error=found.std_error,
        conf_low=found.low,
        conf_high=found.high,
        n_replicates=found.used.astype(np.int64),
    )


def _left_out(
    plan: _Plan, data: SurvivalData, held: dict[str, Any] | None, n_jobs: int | None, progress: bool | None
) -> Array:
    """Return the numbers with each group of units left out."""
    without, what = _without_each(plan), "bootstrap, a group left out"
    return repeated(without, data, held, len(without.groups), n_jobs=n_jobs, progress=progress, what=what)[0]


@dataclass(frozen=True)
class _Plan:
    """What each replicate does: draw units within strata, and ask the statistic."""

    statistic: Statistic
    whole: Numbers
    units: Units
    strata: IntArray
    as_clusters: bool
    seed: int
    with_errors: bool = False

    def draw(self, replicate: int) -> IntArray:
        """Return the units of a replicate: of the seed and its number, whatever else runs."""
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(replicate,)))
        size = np.bincount(self.strata)
        order = np.argsort(self.strata, kind="stable")
        start = np.cumsum(size) - size
        parts = [order[start[s] + rng.integers(0, size[s], size[s])] for s in range(len(size))]
        return np.sort(np.concatenate(parts)).astype(np.int64)

    @property
    def size(self) -> int:
        """How many numbers the analysis gives, standard errors counted where they are asked for."""
        return len(self.whole.values) * (2 if self.with_errors else 1)

    def once(self, data: SurvivalData, held: dict[str, Any] | None, repeat: int) -> Array:
        """Return the numbers of one replicate."""
        return self.ask(data, None if held is None else Weights(**held), self.draw(repeat))

    def ask(self, data: SurvivalData, weights: Weights | None, drawn: IntArray) -> Array:
        """Return the numbers of the units drawn."""
        again, people = resampled(data, self.units, drawn, as_clusters=self.as_clusters)
        if weights is None:
            return self.whole.again(self.statistic(again), errors=self.with_errors)
        found = self.statistic(again, _weights_of(weights, people, self.units, drawn))
        return self.whole.again(found, errors=self.with_errors)


def _weights_of(weights: Weights, people: IntArray, units: Units, drawn: IntArray) -> Weights:
    """Return the weights of those drawn, as known; each draw of a set is a set of its own."""
    sets = None if weights.sets is None else units.taken(drawn)[1]
    return Weights(
        values=weights.values[people], estimand=weights.estimand, arm=weights.arm[people], arms=weights.arms, sets=sets
    )


@dataclass(frozen=True)
class _LeavingOut:
    """What is done for the acceleration: the analysis without one of G groups of units."""

    plan: _Plan
    groups: list[IntArray]

    @property
    def size(self) -> int:
        """How many numbers come back each time."""
        return self.plan.size

    def once(self, data: SurvivalData, held: dict[str, Any] | None, repeat: int) -> Array:
        """Return the numbers without one group."""
        kept = np.delete(np.arange(len(self.plan.units)), self.groups[repeat])
        return self.plan.ask(data, None if held is None else Weights(**held), kept.astype(np.int64))


def _without_each(plan: _Plan) -> _LeavingOut:
    """Return how up to 200 groups of units are left out, one after another."""
    rng = np.random.default_rng(np.random.SeedSequence(plan.seed, spawn_key=(2**31,)))
    mixed = rng.permutation(len(plan.units))
    return _LeavingOut(plan, [np.sort(group) for group in np.array_split(mixed, min(len(mixed), _GROUPS))])


def _must_have_errors(whole: Numbers) -> None:
    measures = whole.labels["measure"].astype(str).tolist() if "measure" in whole.labels else []
    on_logs = sorted(
        {one for one in measures if one == "nnt" or (one.endswith("_ratio") and not one.startswith("log_"))}
    )
    if whole.errors is None or on_logs:
        told = f"those of {on_logs[0]} are on another scale" if on_logs else "there are none"
        raise EstimationError(
            "bootstrap: kind='studentised' needs standard errors on the scale of the estimates (columns estimate and std_error of the "
            f"statistic's table), and {told}. Take kind='bca', or a difference or log ratio."
        )


def _without_limits(found: Replicated, left_out: Array | None) -> list[Note]:
    """Return what must be said where an interval could not be made, or not of everything."""
    notes = []
    lost = int((np.isnan(found.low) & np.isfinite(found.std_error)).sum())
    if lost:
        text = (
            f"{lost:,} of {len(found.low):,} numbers have no limits: all replicates lie on one side of the estimate, or too few have a "
            "standard error."
        )
        notes.append(Note("no_limits", text))
    if left_out is not None and (gone := int(np.isnan(left_out).any(axis=1).sum())):
        text = f"{gone:,} of {len(left_out):,} groups could not be left out; the acceleration is that of the others."
        notes.append(Note("groups_not_left_out", text))
    return notes


def _notes(data: SurvivalData, units: Units, by: str, drawn: Array, failures: Counter[str], kind: str) -> list[Note]:
    notes = []
    lost = sum(failures.values())
    if lost:
        said, times = failures.most_common(1)[0]
        loud = (
            " That is more than 5 %: the intervals are those of samples in which the analysis works."
            if lost > _MOST_LOST * len(drawn)
            else ""
        )
        notes.append(
            Note("replicates_lost", f"{lost:,} of {len(drawn):,} replicates gave no number ({times:,}: {said}).{loud}")
        )
    if by == "cluster" and len(units) < 2 * _FEW_UNITS:
        text = f"Only {len(units)} clusters were drawn from; with so few the bootstrap's intervals are too narrow."
        notes.append(Note("few_clusters", text))
    if by == "person" and data.cluster is not None:
        text = f"People were drawn, though the data have clusters ({data.cluster}): the intervals take people as independent."
        notes.append(Note("clusters_ignored", text))
    if kind in ("percentile", "basic", "bca") and len(drawn) < _SMALL:
        notes.append(
            Note(
                "few_replicates",
                f"{len(drawn):,} replicates: the ends of the intervals are rough; 1,000 or more are usual.",
            )
        )
    return notes
