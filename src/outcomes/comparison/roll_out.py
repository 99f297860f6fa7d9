"""Programme or era: what changed in areas when one programme replaced the other, against areas where it had not yet."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.adjust.case_mix import left_out_notes, telling_terms
from outcomes.comparison.comparing import verdict
from outcomes.comparison.measures import quantiles
from outcomes.comparison.roll_out_kernel import FEWEST, impute_untreated, leads
from outcomes.comparison.roll_out_result import RollOut
from outcomes.comparison.study_questions import asked_of, must_be_a_level
from outcomes.design.assignment import arm_programmes
from outcomes.design.cohort import build_cohort
from outcomes.design.some_people import some_people
from outcomes.durations import DAYS_PER_YEAR
from outcomes.errors import EstimationError, NotSupportedError
from outcomes.results import Array, IntArray, Note
from outcomes.survival.curves import cumulative_incidence
from outcomes.survival.design_matrix import design_matrix
from outcomes.survival.formula_text import names_in, terms_of
from outcomes.survival.pseudo_values import censored_early, pseudo_values

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.study import Study
    from outcomes.loading.tables import Tables

__all__ = ["replaced_area_by_area"]

_LEADS = 3  # years before the change that are looked at one by one
_AT_ONCE = (
    "replaced_area_by_area: the change came everywhere within the same years: programme and era cannot be told apart. A comparison of "
    "areas with and without it in one year needs a roll-out that was staggered."
)


def replaced_area_by_area(
    tables: Tables,
    study: Study,
    *,
    outcome: str | None = None,
    horizon: float | str | None = None,
    conf_level: float = 0.95,
) -> RollOut:
    """Compare what happened in areas once one programme had replaced the other with areas where it had not yet.

    Use it beside every comparison of two programmes of which one came after the other: it takes out what areas and years have in common,
    and shows whether areas were on their way already before the change.

    Parameters
    ----------
    tables : Tables
    study : Study
        Two arms with programmes; everyone whom [eligibility] include admits counts from release (custody) or sentence (community),
        whoever started what.
    outcome : str, optional
        Default: that of the headline, else the only one.
    horizon : float or str, optional
        Days, or text such as ``"2y"``. Default: that of the headline, else the end of follow-up.
    conf_level : float

    Returns
    -------
    RollOut
        ``to_frame()``: when (before, after, overall), year (relative to the change), arm (the new programme), reference (the old),
        estimate, std_error, statistic, df, p_value, conf_low, conf_high, n, verdict: differences in risk, new programme minus old.

    Raises
    ------
    EstimationError
        The change came everywhere in the same years; fewer than three areas.
    NotSupportedError
        Other than two arms with programmes.

    Notes
    -----
    Outcomes are pseudo-values of the risk by the horizon, so that censoring and competing events are reckoned with. A linear model of
    area, year and the study's covariates is fitted to people under the old regime and says what those under the new one would have
    had under the old; effects are averages of the differences (imputation: no area already changed serves as a control). Years in which
    fewer than three areas had the old regime alone, and areas that never had it, are left out and counted; so are people on whose day
    both programmes were open. Standard errors by leaving out area after area, on t with areas - 1 degrees of freedom. It assumes that
    risks would have moved in parallel; the years before the change show whether they did, as far as they can. Areas tell of those years
    very unequally, since some changed early: their variances are bias-reduced and their degrees of freedom Satterthwaite's and Hotelling's
    (`df`). In 350 invented cohorts of 12 areas in which nothing acts the test of the years before was below 0.05 in 4 % (11 % by the usual
    clustered variance on areas - 1); in 60 of 40 areas in 5 %.

    References
    ----------
    Borusyak, Jaravel & Spiess (2024), Review of Economic Studies 91:3253; Andersen, Klein & Rosthøj (2003), Biometrika 90:15; Pustejovsky
    & Tipton (2018), Journal of Business & Economic Statistics 36:672 (few areas).

    Examples
    --------
    >>> import outcomes as oc
    >>> tables, study = oc.load_tables("data/synthetic"), oc.read_study("notebooks/study.toml")  # doctest: +SKIP
    >>> oc.replaced_area_by_area(tables, study).describe()  # doctest: +SKIP
    """
    name, length = asked_of(tables, study, outcome, horizon, "replaced_area_by_area")
    must_be_a_level(conf_level)
    if len(study.arms.treated) != 2:
        raise NotSupportedError(
            f"replaced_area_by_area: two arms with programmes are compared; the study has {len(study.arms.treated)}."
        )
    cohort = build_cohort(tables, study.by_provision())
    data = cohort.outcome(name)
    baseline = data.baseline
    opened = {arm: _opened(tables, study, arm) for arm in cohort.arms}
    new, old = sorted(cohort.arms, key=lambda arm: -float(np.median(opened[arm])))
    treated = (baseline["arm"].astype(str) == new).to_numpy()
    area, areas = _codes(baseline["area"])
    year, years = _codes(baseline["period"])
    usable = _identified(area, year, treated, len(areas), len(years))
    if not (usable & treated).any() or len(areas) < FEWEST:
        raise EstimationError(_AT_ONCE)
    covariates, left_out = _case_mix(study, baseline)
    everybody = some_people(data, np.arange(len(baseline)), np.zeros(len(baseline), dtype=np.int64), ("all",))
    y = pseudo_values(cumulative_incidence(everybody), length, name)
    columns = np.column_stack([_dummies(area, len(areas)), _dummies(year, len(years)), covariates])
    since = np.floor((baseline["time_zero"].to_numpy() - opened[new].reindex(areas).to_numpy()[area]) / DAYS_PER_YEAR)
    after = [np.flatnonzero(usable & treated & (since == k)) for k in np.unique(since[usable & treated])]
    groups = [usable & treated, *(_mask(one, len(y)) for one in after)]
    found = impute_untreated(y, columns, treated, area, groups)
    rows = [("overall", np.nan), *(("after", float(since[one[0]])) for one in after)]
    frame = _frame(rows, found.estimate, found.std_error, found.n, np.full(len(rows), len(areas) - 1.0), conf_level)
    before, test = _before(y, columns, treated, area, since, conf_level)
    changed = len(np.unique(area[usable & treated]))
    return RollOut.build(
        frame, before, test=test, new=new, old=old, areas=changed, outcome=name, horizon=length, conf_level=conf_level,
        notes=(
            *_notes(usable, treated, new),
            *left_out_notes({"those compared": left_out}),
            *censored_early(data, length, ~treated | usable, "area, year, regime or covariates"),
        ),
        provenance=MappingProxyType({"study": study.hash, "outcome": name, "horizon": length}),
    )  # fmt: skip


def _opened(tables: Tables, study: Study, arm: str) -> pd.Series[float]:
    """Return the day from which an area had a programme of an arm, by area."""
    ids = arm_programmes(tables, study.arms)[arm]
    provision = tables.frame("provision")
    mine = provision[provision["programme_id"].isin(ids)]
    return mine.groupby("area", observed=True)["open_from"].min().astype(np.float64)


def _codes(column: pd.Series[Any]) -> tuple[IntArray, list[str]]:
    names, codes = np.unique(column.astype(str).to_numpy(), return_inverse=True)
    return codes.astype(np.int64), list(map(str, names))


def _identified(area: IntArray, year: IntArray, treated: Any, areas: int, years: int) -> Any:
    """Return whose area holds people under the old regime, and whose year holds some in three areas or more."""
    there = np.zeros((years, areas), dtype=bool)
    there[year[~treated], area[~treated]] = True
    years_known, areas_known = np.asarray(there.sum(axis=1) >= FEWEST), np.asarray(there.any(axis=0))
    return years_known[year] & areas_known[area]


def _dummies(codes: IntArray, count: int) -> Array:
    return np.asarray(codes[:, None] == np.arange(count), dtype=np.float64)


def _case_mix(study: Study, baseline: pd.DataFrame) -> tuple[Array, tuple[str, ...]]:
    """Return the columns of the study's covariates, without those of the year, about their means; and the terms that say nothing."""
    if study.adjust is None:
        return np.zeros((len(baseline), 0)), ()
    kept, left = telling_terms(study.adjust.formula, baseline)
    formula = (
        " + ".join(term for term in terms_of(kept) if not {"period", "area"} & set(names_in(term))) if kept else ""
    )
    if not formula:
        return np.zeros((len(baseline), 0)), left
    values = design_matrix(formula, baseline, arm=None, what="replaced_area_by_area").values
    return np.asarray(values - values.mean(axis=0)), left


def _mask(rows: Any, size: int) -> Any:
    found = np.zeros(size, dtype=bool)
    found[rows] = True
    return found


def _before(
    y: Array, columns: Array, treated: Any, area: IntArray, since: Array, conf_level: float
) -> tuple[pd.DataFrame, tuple[float, float]]:
    """Return the last years before the change against earlier ones, and the test that none differs; none where there are no such years."""
    plain = ~treated & np.isfinite(since)
    years = [-k for k in range(_LEADS, 0, -1)]
    ahead = np.column_stack([since == k for k in years])[plain]
    there = ahead.any(axis=0) & (since[plain].min(initial=0.0) < years[0])
    if not there.any():
        return _frame([], np.empty(0), np.empty(0), np.empty(0, dtype=np.int64), np.empty(0), conf_level), (
            np.nan,
            np.nan,
        )
    found = leads(y[plain], columns[plain], ahead[:, there].astype(np.float64), area[plain])
    rows = [("before", float(year)) for year, here in zip(years, there, strict=True) if here]
    frame = _frame(rows, found.estimate, found.std_error, ahead[:, there].sum(axis=0), found.df, conf_level)
    return frame, (found.test.statistic, found.test.p_value)


def _frame(
    rows: list[tuple[str, float]], estimate: Array, error: Array, n: IntArray, df: Array, conf_level: float
) -> pd.DataFrame:
    import pandas as pd
    from scipy.stats import t

    reach = quantiles(conf_level, df)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(error > 0, estimate / error, np.nan)
    frame = pd.DataFrame(
        {
            "when": [when for when, _ in rows], "year": [year for _, year in rows], "estimate": estimate, "std_error": error,
            "statistic": statistic, "df": df, "p_value": 2 * t.sf(np.abs(statistic), df),
            "conf_low": estimate - reach * error, "conf_high": estimate + reach * error, "n": n,
        }
    )  # fmt: skip
    frame["verdict"] = [
        verdict({str(k): v for k, v in row.items()}, "risk_difference", None) for row in frame.to_dict("records")
    ]
    return frame


def _notes(usable: Any, treated: Any, new: str) -> tuple[Note, ...]:
    left = int((treated & ~usable).sum())
    if not left:
        return ()
    text = (
        f"{left:,} of {int(treated.sum()):,} people under the regime that offers {new} come from areas without anybody under the other, "
        f"or years with fewer than {FEWEST} such areas: what they would have had cannot be known, and they are left out."
    )
    return (Note("no_counterpart", text),)
