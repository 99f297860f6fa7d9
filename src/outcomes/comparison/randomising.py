"""Randomisation tests: what a comparison would have been had the arms gone to other clusters; the function people call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.comparison.arrangements import Arrangements, as_extreme
from outcomes.comparison.logrank_by_unit import logrank_by_unit
from outcomes.comparison.repeating import repeated
from outcomes.comparison.replicated_numbers import Numbers, numbers_of
from outcomes.design.data import SurvivalData, must_be_data
from outcomes.design.other_arms import with_arms
from outcomes.errors import EstimationError, NotSupportedError, did_you_mean, one_of
from outcomes.results import Array, IntArray, Note, Result, p_in_words, read_only
from outcomes.survival.few_clusters import CLUSTER_NOTES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RandomisationTest", "randomisation_test"]

_ANSWERED = (*CLUSTER_NOTES, "nested_clusters")  # notes of intervals, of which there are none here
_NUMBERS = ("estimate", "p_value", "smallest_p", "n_arrangements")
_LEVEL = 0.05
_MOST_LOST = 0.05


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class RandomisationTest(Result):
    """What a comparison was, and how often it would have been as extreme had the arms been given otherwise.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row a number.
    arranged : ndarray, shape (N, K)
        The numbers under each arrangement; missing where it gave none.
    by : str
        What arms were given to: ``cluster`` or ``person``.
    units : mapping
        Number of clusters (or people) by arm.
    everything : bool
        Whether these are all arrangements, or some at random.
    ways : int
        How many arrangements there are.
    failures : mapping
        From what an arrangement said when it gave no number, to how many did.
    """

    frame: pd.DataFrame
    arranged: Array
    by: str
    units: Mapping[str, int]
    everything: bool
    ways: int
    alternative: str
    failures: Mapping[str, int]
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Randomisation test"
    tabled: ClassVar[bool] = True
    instead: ClassVar[str] = "A histogram of `.arranged` beside the estimate shows how far out it lies."

    def to_frame(self) -> pd.DataFrame:
        """Return one row a number: what it is, then estimate, p_value, smallest_p, n_arrangements."""
        return self.frame.copy()

    def describe(self) -> str:
        """Return each number with its p-value, and how the arms could have been given."""
        said = [
            f"{_named(row)} {row['estimate']:.4g}, {p_in_words(row['p_value'])}"
            for row in self.frame.to_dict("records")
        ]
        counted = " and ".join(f"{count:,} in {arm}" for arm, count in self.units.items())
        ways = "all" if self.everything else f"{len(self.arranged):,} of the"
        what = {"cluster": "clusters", "person": "people"}[self.by]
        return (
            f"Randomisation test over {ways} {self.ways:,} ways to give arms to {what} ({counted}): {'; '.join(said)}."
        )


def randomisation_test(
    data: SurvivalData,
    statistic: Callable[[SurvivalData], Any] | None = None,
    *,
    cause: str | None = None,
    by: str | None = None,
    within: str | None = None,
    read: str = "estimate",
    alternative: str = "two-sided",
    arrangements: int = 10_000,
    seed: int = 2010,
    n_jobs: int | None = None,
    progress: bool | None = None,
) -> RandomisationTest:
    """Test whether arms given to whole clusters made a difference, by giving them to other clusters.

    Use it where an arm has fewer than about 10 clusters: intervals, even on t, are then too narrow, and this test is not.

    Parameters
    ----------
    data : SurvivalData
        Its clusters are what arms were given to (``data.with_cluster(column)``).
    statistic : callable, optional
        From data to a number, an array, a Series, or a result of this library, such as
        ``lambda d: oc.compare(oc.kaplan_meier(d), measure="risk_difference", at="2y")``; whatever is fitted inside is fitted again.
        Default: observed less expected events of the arm (the log-rank test's), which takes no time.
    cause : str, optional
        Whose events are counted where there is no `statistic`; required there where causes compete.
    by : {"cluster", "person"}, optional
        Default: the clusters of the data, else people.
    within : str, optional
        Column of the baseline, the same for all of a cluster, within whose levels arms could have been given otherwise: matched pairs
        of areas, regions.
    read : {"estimate", "statistic"}
        Column of the statistic's table that is compared. ``"statistic"`` is the estimate in standard errors, which is the better
        choice where clusters of the arms differ in size or spread (Chung & Romano 2013).
    alternative : {"two-sided", "greater", "less"}
        Two-sided: twice the smaller tail.
    arrangements : int
        All arrangements are taken where there are no more than this; else one fewer are drawn, to which the one observed is added.
    seed : int
        The same seed draws the same arrangements, for any number of processes.
    n_jobs : int, optional
        Processes, as joblib counts them. Default: one, or what ``joblib.parallel_config`` says.
    progress : bool, optional
        Whether to show a bar. Default: where somebody looks at a terminal or a notebook.

    Returns
    -------
    RandomisationTest
        ``to_frame()``: what each number is, estimate, p_value, smallest_p (the smallest there could have been) and n_arrangements.

    Raises
    ------
    EstimationError
        One arm, arms that differ within clusters (counted), `within` that does, only one arrangement, nobody with the event, a
        statistic that gives no number or other rows under another arrangement.
    NotSupportedError
        Clones, who stand in every arm; row counts where people are rearranged.

    Notes
    -----
    The test is exact where the clusters of a stratum could as well have got each other's arms and no cluster's outcome would have been
    another in the other arm. Arms that areas chose for reasons that also move the outcome do not meet the first: adjust inside the
    statistic, and take the p-value for what a comparison of few clusters can say. With more than two arms the hypothesis is that no
    arm differs from any other. An arrangement that gives no number counts as extreme.

    References
    ----------
    Fisher (1935), The Design of Experiments; Gail, Mark, Carroll, Green & Pee (1996), Statistics in Medicine 15:1069; Phipson & Smyth
    (2010), Statistical Applications in Genetics and Molecular Biology 9:39; Chung & Romano (2013), Annals of Statistics 41:484.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> frame = load_rossi().assign(town=lambda f: f.index % 5 + 5 * f["fin"])
    >>> data = oc.survival_data(frame, duration="week", event="arrest", arm="fin", reference=0, cluster="town", unit="weeks")
    >>> oc.randomisation_test(data).to_frame()[["smallest_p", "n_arrangements"]].round(4).values.tolist()
    [[0.0079, 252.0]]
    """
    must_be_data(data, "randomisation_test(data)")
    if statistic is not None and not callable(statistic):
        raise EstimationError(
            "randomisation_test: statistic must be a function of the data, such as lambda d: oc.compare(oc.kaplan_meier(d), …)."
        )
    one_of(alternative, ("two-sided", "greater", "less"), what="randomisation_test: alternative")
    one_of(read, ("estimate", "statistic"), what="randomisation_test: read")
    if arrangements < 20:
        raise EstimationError(f"randomisation_test: arrangements must be 20 or more; got {arrangements}.")
    by, unit, possible = _units(data, by, within)
    everything = possible.number <= arrangements
    ways = possible.every() if everything else None
    repeats = possible.number if everything else arrangements - 1
    failures: Counter[str] = Counter()
    if statistic is None:
        whole, each = logrank_by_unit(data, cause, unit)
        chosen = ways if ways is not None else np.array([possible.at_random(seed, k) for k in range(repeats)])
        arranged = (chosen == 1).astype(np.float64) @ each[:, None]
    else:
        if cause is not None:
            raise EstimationError("randomisation_test: a statistic names its cause itself; leave cause= out.")
        whole = numbers_of(statistic(data), what="randomisation_test", column=read)
        if np.isnan(whole.values).all():
            raise EstimationError("randomisation_test: the statistic gives no number on the data as they are.")
        plan = _Plan(statistic, whole, possible, ways, unit, seed)
        arranged, failures = repeated(
            plan, data, None, repeats, n_jobs=n_jobs, progress=progress, what="randomisation test"
        )
    smallest = _smallest(arranged, alternative, everything=everything)
    frame = whole.labels.assign(
        estimate=whole.values,
        p_value=as_extreme(whole.values, arranged, alternative, everything=everything),
        smallest_p=smallest,
        n_arrangements=repeats if everything else repeats + 1,
    )
    return RandomisationTest(
        frame=frame,
        arranged=read_only(arranged),
        by=by,
        units=MappingProxyType(dict(zip(data.arms, possible.counts.sum(axis=0).tolist(), strict=True))),
        everything=everything,
        ways=possible.number,
        alternative=alternative,
        failures=MappingProxyType(dict(failures)),
        notes=(
            *(note for note in (*data.notes, *whole.notes) if note.code not in _ANSWERED),
            *_notes(data, by == "person" and within != data.cluster, smallest, arranged, failures),
        ),
        provenance=MappingProxyType(
            {"seed": seed, "by": by, "within": within, "read": read, "alternative": alternative}
        ),
    )


def _named(row: Mapping[Any, Any]) -> str:
    """Return what a number is, in words."""
    if not {"arm", "reference", "measure"} <= row.keys():
        return ", ".join(str(value) for name, value in row.items() if name not in _NUMBERS and str(value))
    when = f" by {row['time']:g}" if np.isfinite(row.get("time", np.nan)) else ""
    of = f" of {row['cause']}" if row.get("cause") else ""
    return f"{row['arm']} against {row['reference']}, {row['measure'].replace('_', ' ')}{of}{when}"


@dataclass(frozen=True)
class _Plan:
    """What each arrangement does: give the arms out, and ask the statistic."""

    statistic: Callable[[SurvivalData], Any]
    whole: Numbers
    possible: Arrangements
    ways: IntArray | None
    unit: IntArray
    seed: int

    @property
    def size(self) -> int:
        """How many numbers the statistic gives."""
        return len(self.whole.values)

    def once(self, data: SurvivalData, held: dict[str, Any] | None, repeat: int) -> Array:
        """Return the numbers of one arrangement."""
        arms = self.possible.at_random(self.seed, repeat) if self.ways is None else self.ways[repeat]
        return self.whole.again(self.statistic(with_arms(data, arms[self.unit])))


def _units(data: SurvivalData, by: str | None, within: str | None) -> tuple[str, IntArray, Arrangements]:
    """Return what arms were given to, which unit each row of the baseline is of, and the ways to give them."""
    import pandas as pd

    what = "randomisation_test"
    if len(data.arms) < 2:
        raise EstimationError(f"{what}: there is only one arm; nothing to give out anew.{data.instead_of_arms}")
    if data.clones is not None:
        raise NotSupportedError(f"{what}: clones stand in every arm; there is nothing to give out anew.")
    by = ("person" if data.cluster is None else "cluster") if by is None else by
    one_of(by, ("cluster", "person"), what=f"{what}: by")
    if by == "cluster" and data.cluster is None:
        raise EstimationError(
            f"{what}: by='cluster' needs data with clusters; name them with data.with_cluster(column)."
        )
    if by == "person" and data.frequency is not None:
        raise NotSupportedError(
            f"{what}: people of a row count (frequency) cannot get arms one by one; give one row a person."
        )
    column = data.baseline[data.cluster] if by == "cluster" else None
    unit = np.arange(len(data.baseline)) if column is None else pd.factorize(column)[0]
    unit = unit.astype(np.int64)
    first = np.unique(unit, return_index=True)[1]
    if mixed := len(np.unique(unit[data.arm[first][unit] != data.arm])):
        raise EstimationError(
            f"{what}: {mixed:,} of {len(first):,} clusters hold people of several arms: arms were not given to clusters. Where they "
            f"were given to people within clusters: by='person', within={data.cluster!r}. wild_score_test(…) needs no such design."
        )
    stratum = np.zeros(len(first), dtype=np.int64)
    if within is not None:
        if within not in data.baseline.columns:
            raise EstimationError(
                f"{what}: no column {within!r} (within). {did_you_mean(within, map(str, data.baseline.columns))}"
            )
        codes = pd.factorize(data.baseline[within], use_na_sentinel=False)[0]
        if mixed := len(np.unique(unit[codes[first][unit] != codes])):
            raise EstimationError(
                f"{what}: {within} differs within {mixed:,} clusters; within= must be one value a cluster."
            )
        stratum = np.unique(codes[first], return_inverse=True)[1].astype(np.int64)
    possible = Arrangements(np.asarray(data.arm)[first], stratum)
    if possible.number < 2:
        level = "" if within is None else f" within the levels of {within}"
        raise EstimationError(f"{what}: there is only one way to give the arms{level}; nothing to compare with.")
    return by, unit, possible


def _smallest(arranged: Array, alternative: str, *, everything: bool) -> Array:
    """Return the smallest p-value there could have been: that of the most extreme arrangement, shape (K,)."""
    if not everything:
        return np.full(arranged.shape[1], (2 if alternative == "two-sided" else 1) / (len(arranged) + 1))
    known = np.isfinite(arranged)
    ends = (
        np.max(arranged, axis=0, where=known, initial=-np.inf),
        np.min(arranged, axis=0, where=known, initial=np.inf),
    )
    found = [as_extreme(end, arranged, alternative, everything=True) for end in ends]
    smallest: Array = np.minimum(*found)
    return smallest


def _notes(
    data: SurvivalData, ignored: bool, smallest: Array, arranged: Array, failures: Counter[str]
) -> tuple[Note, ...]:
    notes = []
    if (smallest > _LEVEL).any():
        text = (
            f"No p-value below {smallest.max():.2g} was possible: there are too few ways in which the arms could have been given. "
            "That this test finds nothing says nothing."
        )
        notes.append(Note("coarse_test", text))
    lost = int(np.isnan(arranged).any(axis=1).sum())
    if lost:
        said = f" ({failures.most_common(1)[0][0]})" if failures else ""
        loud = (
            " That is more than 5 %: choose a statistic that always exists."
            if lost > _MOST_LOST * len(arranged)
            else ""
        )
        text = f"{lost:,} of {len(arranged):,} arrangements gave no number and count as extreme{said}.{loud}"
        notes.append(Note("arrangements_lost", text))
    if ignored and data.cluster is not None:
        text = f"Arms were given out anew person by person, though the data have clusters ({data.cluster})."
        notes.append(Note("clusters_ignored", text))
    return tuple(notes)
