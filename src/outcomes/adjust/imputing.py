"""Multiple imputation of what is missing at time zero: the function people call and the result they get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.adjust.chained_equations import Chain, run_chain
from outcomes.adjust.imputation_columns import Variable, filled, read_variables
from outcomes.adjust.imputation_groups import Group, groups_of, joined
from outcomes.adjust.imputation_notes import about_chains, about_missing, how_many, settled
from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, NotSupportedError
from outcomes.results import Array, Note, Result, sealed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Imputed", "impute"]

_BINS = 12


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Imputed(Result):
    """m completed copies of the data; C incomplete columns.

    ``imputed[i]`` is one of them, ``len(imputed)`` their number; they are made when they are asked for.

    Attributes
    ----------
    data : SurvivalData
        As it was.
    variables : tuple of Variable
        The columns that were imputed.
    values : tuple of ndarray, shape (m, number of people who miss it)
        What was drawn, by column: numbers, or indices of levels.
    means, spreads : tuple of ndarray, shape (m, iterations, width)
        After each iteration of each chain: mean and standard deviation of the imputed numbers, or shares of the levels but the first.
    predictors : tuple of str
        What stood in the imputation models beside the imputed columns.
    by : str or None
        Column whose groups were imputed by themselves.
    """

    data: SurvivalData
    variables: tuple[Variable, ...]
    values: tuple[Array, ...]
    means: tuple[Array, ...]
    spreads: tuple[Array, ...]
    predictors: tuple[str, ...]
    by: str | None = None
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "imputed"
    title: ClassVar[str] = "Imputed values"

    @property
    def m(self) -> int:
        """Number of imputed sets."""
        return len(self.values[0])

    def __len__(self) -> int:
        return self.m

    def __iter__(self) -> Iterator[SurvivalData]:
        return (self[i] for i in range(self.m))

    def __getitem__(self, index: int) -> SurvivalData:
        """Return the data as completed by one imputation; columns keep their types."""
        if not -self.m <= index < self.m:
            raise IndexError(f"There are {self.m} imputed sets.")
        data, drawn = self.data, [values[index] for values in self.values]
        completed = {
            v.name: filled(data.baseline[v.name], v, one) for v, one in zip(self.variables, drawn, strict=True)
        }
        baseline = _with_columns(data.baseline, completed)
        if data.frame is data.baseline:
            return replace(data, baseline=baseline, frame=baseline)
        by_row = {name: column.array[data.person] for name, column in completed.items() if name in data.frame.columns}
        return replace(data, baseline=baseline, frame=_with_columns(data.frame, by_row))

    def to_frame(self) -> pd.DataFrame:
        """Return observed and imputed values side by side: one row a number, or a level of a factor.

        Columns: column, level ("" for numbers), kind (mean, share), method, n, n_missing, share_missing, observed, imputed (mean or
        share, over all sets), observed_sd, imputed_sd (missing for shares), r_hat (how far chains differ from one another, over how
        far each moves; near 1 where they have settled).
        """
        import pandas as pd

        return pd.DataFrame([row for j in range(len(self.variables)) for row in self._rows(j)])

    def _rows(self, j: int) -> list[dict[str, Any]]:
        variable, drawn = self.variables[j], self.values[j]
        seen = variable.column.values[~variable.column.missing]
        n, rest = len(variable.column.values), {"method": variable.method}
        counts = {"n": n, "n_missing": variable.n_missing, "share_missing": variable.n_missing / n}
        hats = settled(self.means[j])
        if not variable.levels:
            values = {"observed": seen.mean(), "imputed": drawn.mean(), "observed_sd": seen.std(ddof=1)}
            known = {"column": variable.name, "level": "", "kind": "mean", **rest, **counts}
            return [{**known, **values, "imputed_sd": drawn.std(), "r_hat": hats[0]}]
        rows = []
        for code, level in enumerate(variable.levels):
            known = {"column": variable.name, "level": str(level), "kind": "share", **rest, **counts}
            values = {"observed": (seen == code).mean(), "imputed": (drawn == code).mean()}
            none = {"observed_sd": float("nan"), "imputed_sd": float("nan")}
            rows.append({**known, **values, **none, "r_hat": hats[code - 1] if code else float("nan")})
        return rows

    def summary(self) -> pd.DataFrame:
        """Return one row a column: column, method, n_missing, share_missing."""
        names = ["column", "method", "n_missing", "share_missing"]
        return self.to_frame()[names].drop_duplicates(ignore_index=True)

    def distribution(self) -> pd.DataFrame:
        """Return how observed and imputed values are spread: column, level, low, high, observed, imputed (shares of each).

        Numbers are in equal bins between two round-numbered quantiles of the observed (2 % and 98 %), the first and the last of which
        hold what lies beyond; low and high are missing for levels.
        """
        import pandas as pd

        frames = [_spread_of(v, drawn) for v, drawn in zip(self.variables, self.values, strict=True)]
        return pd.concat(frames, ignore_index=True)

    def chains(self) -> pd.DataFrame:
        """Return where each chain stood after each iteration: column, level, imputation, iteration, mean, sd.

        Means and standard deviations are of the imputed numbers; of a factor the shares of its levels but the first.
        """
        import pandas as pd

        frames = []
        for variable, means, spreads in zip(self.variables, self.means, self.spreads, strict=True):
            m, iterations, width = means.shape
            at = np.indices((m, iterations, width)).reshape(3, -1)
            levels = np.array([str(level) for level in variable.levels[1:]] or [""])
            columns = {"imputation": 1 + at[0], "iteration": 1 + at[1], "mean": means.ravel(), "sd": spreads.ravel()}
            frames.append(pd.DataFrame({"column": variable.name, "level": levels[at[2]], **columns}))
        return pd.concat(frames, ignore_index=True)

    def describe(self) -> str:
        """Return what was imputed, from what, in sentences."""
        parts = [f"{v.name}, missing for {how_many(v)}, by {v.method}" for v in self.variables]
        apart = "" if self.by is None else f", each group of {self.by} by itself"
        return (
            f"{self.m} imputed sets by chained equations{apart}. Imputed: {'; '.join(parts)}. In every model beside them: "
            f"{', '.join(self.predictors)}. What is missing is taken to depend on nothing but these (missing at random); data cannot tell."
        )


def impute(
    data: SurvivalData,
    m: int = 20,
    *,
    seed: int,
    columns: Sequence[str] | None = None,
    by: str | None = None,
    iterations: int = 10,
    donors: int = 5,
    n_jobs: int = 1,
) -> Imputed:
    """Complete the covariates at time zero several times over, by chained equations.

    Use it where covariates that matter are missing for some, and what is recorded tells why; then `pool` what is estimated from the
    completed sets.

    Parameters
    ----------
    data : SurvivalData
        One row a person at time zero (``data.baseline``) is completed and carried to all rows of the person.
    m : int
        Number of completed sets, 2 or more; about as many as the percentage of people who miss something.
    seed : int
        The same seed gives the same sets; the first of them whatever `m`.
    columns : sequence of str, optional
        Columns that are imputed, and from which others are. Name what any analysis uses, and what goes with being missing; not what
        is empty because it does not apply (a date of release of people who were never in custody). Default: all of
        ``data.baseline`` but the arm, the outcome, the cluster, ids, and factors of more than 20 levels.
    by : str, optional
        ``"arm"``, or a complete column of at most 20 levels: each group is imputed by itself, from its own people. Take it where an
        effect is asked by subgroup, or a covariate matters more in one arm than in the other.
    iterations : int
        Of each chain; one is enough, and made, where one column is incomplete.
    donors : int
        How many of the nearest people a missing number is drawn from.
    n_jobs : int
        Threads; the sets do not depend on it.

    Returns
    -------
    Imputed
        ``pool(imputed, estimate)`` takes it; ``to_frame()``, ``distribution()``, ``chains()`` and ``plot()`` say whether what was
        imputed is believable.

    Raises
    ------
    EstimationError
        Nothing is missing; an arm or outcome is missing; a column that was named cannot take part (all missing, constant, infinite, more
        than 20 levels); a column that changes within a person is missing.
    NotSupportedError
        Clones, moves between states, row counts, exposure that changes with time.

    Notes
    -----
    Assumption: missing at random given the columns, the arm and the outcome. Every model holds the arm, and for each cause whether
    the person had it and the Nelson–Aalen cumulative hazard over the person's time at risk. Without the outcome what is imputed would
    be as if covariates did not matter to it, and effects would shrink. Numbers: predictive mean matching of type 1 on a draw of
    the coefficients; two values: logistic regression; factors, ordered ones too: multinomial regression, all on a draw of
    their coefficients. Models have no interactions but those that `by` makes.

    References
    ----------
    White & Royston (2009), Statistics in Medicine 28:1982; White, Royston & Wood (2011), Statistics in Medicine 30:377; van Buuren
    (2018), Flexible Imputation of Missing Data.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> rossi = load_rossi()
    >>> rossi.loc[::5, "prio"] = None
    >>> data = oc.survival_data(rossi, duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    >>> oc.impute(data, m=5, seed=2010).summary()
      column                    method  n_missing  share_missing
    0   prio  predictive mean matching         87       0.201389
    """
    must_be_data(data, "impute(data)")
    wanted = {
        "m": (m, 2),
        "seed": (seed, 0),
        "iterations": (iterations, 1),
        "donors": (donors, 1),
        "n_jobs": (n_jobs, 1),
    }
    for name, (value, least) in wanted.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise EstimationError(f"impute: {name} must be a whole number of {least} or more.")
    _supported(data)
    every, notes = read_variables(data, columns)
    incomplete = tuple(v for v in every if v.n_missing)
    if not incomplete:
        named = "these columns" if columns is not None else "the columns that could be imputed"
        beside = " ".join(note.text for note in notes if note.code == "left_missing") or "See missingness(data)."
        raise EstimationError(f"impute: nothing is missing in {named}; estimate from the data as they are. {beside}")
    _carried(data, incomplete)
    groups = groups_of(data, every, by)
    steps = iterations if len(incomplete) > 1 else 1
    run = partial(_one_chain, groups, every, steps, donors)
    with ThreadPoolExecutor(max_workers=n_jobs) as threads:
        chains = list(threads.map(run, np.random.SeedSequence(seed).spawn(m)))
    drawn, means, spreads = (
        tuple(sealed(np.stack(parts)) for parts in zip(*(getattr(c, what) for c in chains), strict=True))
        for what in ("drawn", "means", "spreads")
    )
    complete = tuple(v.name for v in every if not v.n_missing)
    terms = dict.fromkeys(term for group in groups for term in group.terms)
    return Imputed(
        data=data,
        variables=incomplete,
        values=drawn,
        means=means,
        spreads=spreads,
        predictors=(*terms, *complete),
        by=by,
        notes=(*notes, *about_missing(data, every, m), *about_chains(incomplete, means)),
        provenance=MappingProxyType({"m": m, "seed": seed, "iterations": steps, "donors": donors, "by": by}),
    )


def _one_chain(
    groups: Sequence[Group], every: Sequence[Variable], iterations: int, donors: int, seed: np.random.SeedSequence
) -> Chain:
    """Return one chain of everybody, each group's with a seed of its own."""
    seeds = [seed] if len(groups) == 1 else seed.spawn(len(groups))
    chains = [
        run_chain(group.fixed, group.columns, iterations=iterations, donors=donors, seed=own)
        for group, own in zip(groups, seeds, strict=True)
    ]
    return joined(chains, groups, every)


def _supported(data: SurvivalData) -> None:
    """Raise where one set of values a person at time zero, given arm and outcome, is not what can be drawn."""
    if data.clones is not None:
        raise NotSupportedError(
            "impute: clones of a person stand in several arms with an outcome each; leave them out of imputing."
        )
    if data.states:
        raise NotSupportedError(
            "impute: moves between states have no one outcome that models of covariates could hold."
        )
    if data.frequency is not None:
        raise NotSupportedError("impute: people who are alike would be given the same values; give one row a person.")
    if data.varying:
        raise NotSupportedError(
            "impute: exposure changes with time here and cannot stand in models of covariates at time zero."
        )
    if bad := int((~np.isfinite(data.entry) | ~np.isfinite(data.exit)).sum()):
        raise EstimationError(f"impute: {bad:,} rows have no time; the outcome is never imputed.")


def _carried(data: SurvivalData, incomplete: Sequence[Variable]) -> None:
    """Raise where a column that is imputed differs between rows of a person: what came later is not time zero."""
    if data.frame is data.baseline or data.row_a_person:
        return
    for variable in incomplete:
        if variable.name not in data.frame.columns:
            continue
        row, zero = data.frame[variable.name], data.baseline[variable.name].iloc[data.person].reset_index(drop=True)
        same = (row.isna() & zero.isna()) | (row == zero).fillna(False)
        if differ := int((~same).sum()):
            raise EstimationError(
                f"impute: column {variable.name!r} differs in {differ:,} rows from its person's first; only values at time zero are "
                "imputed. Leave it out, or give it to every row as it was at time zero."
            )


def _with_columns(frame: pd.DataFrame, columns: Mapping[str, Any]) -> pd.DataFrame:
    """Return a frame with other columns in place, that shares those that stay: m completed sets hold them once."""
    found = frame.copy(deep=False)
    for name, column in columns.items():
        found[name] = column
    return found


def _spread_of(variable: Variable, drawn: Array) -> pd.DataFrame:
    import pandas as pd

    seen = variable.column.values[~variable.column.missing]
    if variable.levels:
        levels = np.arange(len(variable.levels))
        shares = {
            "observed": (seen[:, None] == levels).mean(axis=0),
            "imputed": (drawn.ravel()[:, None] == levels).mean(axis=0),
        }
        names = [str(level) for level in variable.levels]
        return pd.DataFrame({"column": variable.name, "level": names, "low": np.nan, "high": np.nan, **shares})
    edges = _round_edges(seen)
    known = {"column": variable.name, "level": "", "low": edges[:-1], "high": edges[1:]}
    inside = {"observed": np.clip(seen, edges[0], edges[-1]), "imputed": np.clip(drawn.ravel(), edges[0], edges[-1])}
    return pd.DataFrame({**known, **{name: np.histogram(v, edges)[0] / len(v) for name, v in inside.items()}})


def _round_edges(seen: Array) -> Array:
    """Return edges of equal bins of round width that span the middle 96 % of the values."""
    low, high = np.quantile(seen, [0.02, 0.98])
    if not high > low:
        low, high = seen.min(), seen.max()
    rough = (high - low) / _BINS
    size = 10.0 ** np.floor(np.log10(rough))
    step = next(s * size for s in (1, 2, 5, 10) if s * size >= rough * (1 - 1e-9))
    return np.asarray(step * np.arange(np.floor(low / step), np.ceil(high / step) + 1))
