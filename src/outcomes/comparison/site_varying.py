"""How much sites (or facilitators' teams) of one programme differ, and what that does to its comparison: the function people call."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from outcomes.adjust.case_mix import left_out_notes, telling_terms
from outcomes.comparison.random_intercepts import RandomIntercepts, random_intercepts
from outcomes.comparison.site_models import differences, nothing_left, site_model
from outcomes.comparison.site_notes import site_notes
from outcomes.comparison.site_result import SiteVariation
from outcomes.comparison.study_questions import asked_of, case_mix_of
from outcomes.design.cohort import Cohort, build_cohort
from outcomes.design.groups import NOBODY, grade_of_groups, group_of_people, must_be_started, teams
from outcomes.errors import EstimationError, NotSupportedError, must_be, one_of
from outcomes.results import Array, IntArray, Note
from outcomes.survival.curves import cumulative_incidence
from outcomes.survival.design_matrix import design_matrix
from outcomes.survival.inputs import normal_quantile
from outcomes.survival.pseudo_values import censored_early, pseudo_values

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.study import Study
    from outcomes.loading.tables import Tables

__all__ = ["People", "site_variation"]

_BY = ("site", "facilitator")
_WHAT = "site_variation"


@dataclass(frozen=True)
class People:
    """What is modelled; N people of A arms in U units, each a site (or team) of one arm.

    Attributes
    ----------
    y : ndarray, shape (N,)
        Pseudo-values of the risk by the horizon.
    x : ndarray, shape (N, p)
        Case mix (and grades, the last columns), centred on the mean of all N.
    arm, unit, place : ndarray of int, shape (N,)
        Index into `arms`; number of the unit; id of the site or team, which may serve several arms.
    arms : tuple of str
        The reference first.
    grades : tuple of str
        Columns of `x` that are grades.
    """

    y: Array
    x: Array
    arm: IntArray
    unit: IntArray
    place: IntArray
    arms: tuple[str, ...]
    grades: tuple[str, ...]

    @property
    def units(self) -> IntArray:
        """Number of units in each arm, shape (A,)."""
        return np.array([len(np.unique(self.unit[self.arm == k])) for k in range(len(self.arms))], dtype=np.int64)

    def of(self, arm: int) -> tuple[Array, Array, IntArray]:
        """Return y, x and unit of one arm's people."""
        mine = self.arm == arm
        return self.y[mine], self.x[mine], self.unit[mine]


def site_variation(
    tables: Tables,
    study: Study,
    *,
    outcome: str | None = None,
    horizon: float | str | None = None,
    formula: str | None = None,
    by: str = "site",
    grade: bool = False,
    conf_level: float = 0.95,
) -> SiteVariation:
    """Estimate how much sites (or facilitators' teams) that run the same programme differ in risk, and what that does to the comparison.

    Use it where a programme is run by few: what looks like a programme may be a site, and where sites differ, many people at few sites
    say less than their number.

    Parameters
    ----------
    tables : Tables
    study : Study
        Arms by start.
    outcome : str, optional
        Default: that of the headline, else the only one.
    horizon : float or str, optional
        Days, or text such as ``"2y"``. Default: that of the headline, else the end of follow-up.
    formula : str, optional
        Case mix, such as ``"age_at_time_zero + C(risk_band)"``; ``""``: none. Default: that of [adjust], if there is one.
    by : {"site", "facilitator"}
        Sites where people started; or teams of table delivery: groups that share a facilitator, directly or by way of others.
    grade : bool
        Whether the grade of whoever led a person's group (table delivery) stands in the model too; ``grades`` then has its differences.
    conf_level : float

    Returns
    -------
    SiteVariation
        ``to_frame()``: quantity (sd, icc, risk, risk_difference, grade), arm, reference, model, level, estimate, std_error, df, p_value,
        conf_low, conf_high, n, n_sites, verdict; ``sites()``: one row a site of an arm with its shrunken effect; ``grades()``.

    Raises
    ------
    DesignError
        No such outcome; no grades though asked for.
    EstimationError
        No site (team) is recorded for anybody; a horizon beyond an arm's follow-up; missing covariates.
    NotSupportedError
        People are not classed by what they started by time zero; several rows a person (scale = 'at_risk'); late entry.

    Notes
    -----
    The outcome is each person's pseudo-value of the risk by the horizon within their arm (competing causes as in the study), modelled
    linearly on the case mix, with a normal intercept for each site as it runs one arm's programme, by restricted maximum likelihood. A
    site that runs two programmes counts once in each. The ICC is on the scale of the pseudo-values, that is of risk, not of a latent one;
    its limits are of the profile likelihood, its p-value allows for 0 being the border. Effects of sites are shrunk towards their arm by
    people and ICC; their intervals take the variances as known. The difference of arms is given with people as independent and with sites
    that vary. The case mix has the same slopes in all arms; each arm has the variances between and within sites of its own model, and the
    variances of the two arms' parts of the difference are added, on t with the degrees of freedom of Satterthwaite, to which an arm
    brings one less than its sites: few sites that differ much are not lent the likeness of many others. In invented data (25 people a
    site, 500 samples) its interval held the truth in 95 to 98 of 100 samples with 6 or 12 sites in either arm, and in 99 where 21 sites
    with a standard deviation of 2 per 100 met 3 with one of 12 (one variance for all sites: 88): with so few it is wide, and with two in
    an arm says hardly anything. Grades are of one model of all arms, with one variance between sites. With one site in an arm site and
    programme cannot be told apart: no interval; where nobody (or everybody) in an arm had the event: no difference. It is adjusted by
    regression, and stands beside the headline, not in its place.

    References
    ----------
    Andersen, Klein & Rosthøj (2003), Biometrika 90:15 (pseudo-values); Henderson (1975), Biometrics 31:423 (shrunken effects); Goldstein
    & Spiegelhalter (1996), Journal of the Royal Statistical Society A 159:385 (why sites are not to be ranked).

    Examples
    --------
    >>> import outcomes as oc
    >>> tables, study = oc.load_tables("data/synthetic"), oc.read_study("notebooks/study.toml")  # doctest: +SKIP
    >>> oc.site_variation(tables, study, horizon="2y").plot()  # doctest: +SKIP
    """
    name, length = asked_of(tables, study, outcome, horizon, _WHAT)
    one_of(by, _BY, what=f"{_WHAT}: by")
    must_be(grade, bool, what=f"{_WHAT}(tables, study): grade", expected="True or False")
    normal_quantile(conf_level)
    written = case_mix_of(study, formula, _WHAT)
    must_be_started(study, _WHAT)
    cohort = build_cohort(tables, study)
    people, notes = _people(cohort, name, length, written, by, grade)
    models = {arm: site_model(*people.of(k), conf_level) for k, arm in enumerate(people.arms)}
    apart = differences(people.y, people.x, people.arm, people.unit, list(models.values()))
    head = study.headline
    margin = head.margin if head is not None and head.outcome == name else None
    return SiteVariation.build(
        people=people, models=models, apart=apart, graded=_of_grades(people, conf_level), by=by, outcome=name, horizon=length,
        margin=margin, conf_level=conf_level, notes=(*notes, *site_notes(people, models, by, name)),
        provenance=MappingProxyType({"study": study.hash, "outcome": name, "horizon": length, "by": by, "grade": grade}),
    )  # fmt: skip


def _people(
    cohort: Cohort, outcome: str, horizon: float, written: str, by: str, grade: bool
) -> tuple[People, tuple[Note, ...]]:
    """Return who is modelled, on what, and what is to be said of who and what is left out."""
    data, study = cohort.outcome(outcome), cohort.study
    if data.multi_row:
        raise NotSupportedError(f"{_WHAT}: one row a person is needed; take [follow_up] scale = 'calendar'.")
    y = pseudo_values(cumulative_incidence(data), horizon, outcome, what=_WHAT)
    row = _rows_of(cohort, data.baseline)
    group = group_of_people(cohort)[row]
    place = teams(cohort, group) if by == "facilitator" else _sites(data.baseline)
    treated = np.isin(np.array(data.arms)[data.arm], study.arms.treated)
    kept = np.flatnonzero(treated & (place != NOBODY))
    if not len(kept):
        raise EstimationError(f"{_WHAT}: no {'team' if by == 'facilitator' else 'site'} is recorded for anybody.")
    baseline = _of(data.baseline, kept)
    formula, left = telling_terms(written, baseline) if written else ("", ())
    columns = design_matrix(formula, baseline, arm=None, what=_WHAT).values if formula else np.zeros((len(kept), 0))
    grades = _grades(cohort, group[kept]) if grade else {}
    x = np.column_stack([columns, *grades.values()])
    arms = tuple(
        arm for arm in data.arms if arm in study.arms.treated and (data.arm[kept] == data.arms.index(arm)).any()
    )
    arm = np.array([arms.index(data.arms[code]) for code in data.arm[kept]], dtype=np.int64)
    unit = np.unique(np.stack([arm, place[kept]]), axis=1, return_inverse=True)[1].reshape(-1)
    everyone = int(treated.sum())
    notes = (
        *left_out_notes({" and ".join(arms): left}),
        *_nowhere(everyone - len(kept), everyone, by),
        *censored_early(data, horizon, kept, "case mix or site within an arm"),
    )
    found = People(y[kept], x - x.mean(axis=0), arm, unit.astype(np.int64), place[kept], arms, tuple(grades))
    return found, notes


def _rows_of(cohort: Cohort, baseline: pd.DataFrame) -> IntArray:
    """Return the row of the cohort's baseline of each row of the data's, who may have lost those without follow-up."""
    import pandas as pd

    return np.asarray(pd.Index(cohort.baseline["sentence_id"]).get_indexer(baseline["sentence_id"]), dtype=np.int64)


def _sites(baseline: pd.DataFrame) -> IntArray:
    site = baseline["site_id"].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(site), NOBODY, site).astype(np.int64)


def _of(baseline: pd.DataFrame, kept: IntArray) -> pd.DataFrame:
    """Return some rows, whose categories are those that somebody there has."""
    frame = baseline.iloc[kept].reset_index(drop=True)
    named = frame.select_dtypes("category")
    return frame.assign(**{str(name): column.cat.remove_unused_categories() for name, column in named.items()})


def _grades(cohort: Cohort, group: IntArray) -> dict[str, Array]:
    """Return a column of 0 and 1 for each grade but the first by the alphabet; who has none recorded has a column too."""
    grade = grade_of_groups(cohort, group)
    levels = sorted(set(grade) - {"not recorded"}) + (["not recorded"] if (grade == "not recorded").any() else [])
    return {f"{level} against {levels[0]}": (grade == level).astype(np.float64) for level in levels[1:]}


def _nowhere(left: int, everyone: int, by: str) -> tuple[Note, ...]:
    if not left:
        return ()
    what = "no group with a facilitator" if by == "facilitator" else "no site"
    text = f"{left:,} of {everyone:,} people have {what} recorded for their start, and are left out."
    return (Note("no_site" if by == "site" else "no_team", text),)


def _of_grades(people: People, conf_level: float) -> RandomIntercepts | None:
    """Return the fit of all arms together, whose last columns are grades; None where nobody was asked about them or nothing varies."""
    if not people.grades:
        return None
    by_arm = [(people.arm == k).astype(np.float64) for k in range(1, len(people.arms))]
    x = np.column_stack([np.ones(len(people.y)), *by_arm, people.x])
    return None if nothing_left(people.y, x) else random_intercepts(people.y, x, people.unit, conf_level)
