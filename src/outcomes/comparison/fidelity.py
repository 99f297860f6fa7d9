"""Whether people of better delivered groups of one programme reoffend less: the function people call."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from outcomes.adjust.case_mix import left_out_notes, telling_terms
from outcomes.comparison.fidelity_models import by_standard_deviation, by_third, over_scores
from outcomes.comparison.fidelity_result import FidelityEffect
from outcomes.comparison.study_questions import asked_of, case_mix_of
from outcomes.design.cohort import Cohort, build_cohort
from outcomes.design.groups import (
    NOBODY,
    Monitoring,
    group_of_people,
    monitoring_of,
    must_be_started,
    scores_by_person,
    teams,
)
from outcomes.design.some_people import some_people
from outcomes.errors import DesignError, EstimationError, NotSupportedError, did_you_mean, must_be, one_of
from outcomes.results import Array, IntArray, Note
from outcomes.survival.few_clusters import FEW
from outcomes.survival.inputs import normal_quantile

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData
    from outcomes.design.study import Study
    from outcomes.loading.tables import Tables

__all__ = ["fidelity_effect"]

_WHAT = "fidelity_effect"
_CLUSTERS = {"group": "group", "facilitator": "facilitators' team", "site": "site"}
_UNITS = "_unit"
_LEAST = 3  # groups, below which a slope is hardly one


@dataclass(frozen=True, eq=False)
class _Scored:
    """People of one arm whose group was monitored; N people.

    Attributes
    ----------
    data : SurvivalData
        Clustered by `_UNITS`.
    score : ndarray, shape (N,)
    group : ndarray of int, shape (N,)
    """

    data: SurvivalData
    score: Array
    group: IntArray
    scale: str
    notes: tuple[Note, ...]

    def of_groups(self) -> Array:
        """Return the score of each group, shape (G,): that of its people, on average where it hangs on their time zero."""
        code = np.unique(self.group, return_inverse=True)[1]
        found: Array = np.bincount(code, weights=self.score) / np.bincount(code)
        return found


def fidelity_effect(
    tables: Tables,
    study: Study,
    *,
    outcome: str | None = None,
    horizon: float | str | None = None,
    formula: str | None = None,
    arm: str | None = None,
    scale: str | None = None,
    monitoring: str = "group",
    cluster: str | None = None,
    conf_level: float = 0.95,
    margin: float | None = None,
) -> FidelityEffect:
    """Estimate how risk goes with the delivery fidelity of people's groups, within one arm.

    Use it where a manual is monitored: whether the programme as written does better than the programme as it was sometimes run. It is
    the fidelity of a group, never of a person: how often somebody came is decided by them, after time zero, and is not asked about here
    (see a landmark analysis for that).

    Parameters
    ----------
    tables : Tables
        With table fidelity, and groups in table participation.
    study : Study
        Arms by start.
    outcome : str, optional
        Default: that of the headline, else the only one.
    horizon : float or str, optional
        Days, or text such as ``"2y"``. Default: that of the headline, else the end of follow-up.
    formula : str, optional
        Case mix, such as ``"age_at_time_zero + C(risk_band)"``; ``""``: none. Default: that of [adjust], if there is one.
    arm : str, optional
        Default: the one arm whose programmes are ``recorded`` in the catalogue.
    scale : str, optional
        Which scale of table fidelity, where the arm's groups were scored on several.
    monitoring : {"group", "before"}
        Which scores count: all of the group's, up to its last session; or only those dated up to the person's time zero.
    cluster : {"group", "facilitator", "site"}, optional
        What varies together. Default: teams of facilitators (table delivery: groups that share one), since they make the score of several
        groups; the group where table delivery is not there.
    conf_level : float
    margin : float, optional
        Percentage points of risk a standard deviation of the score; allows the verdict "no difference larger than the margin" of that
        slope, and of nothing else. Default: none. The margin of the headline is one of arms, and is not used.

    Returns
    -------
    FidelityEffect
        ``to_frame()``: analysis (per_sd, tertile), measure (hazard_ratio, risk_difference), arm, reference, estimate, std_error, df,
        p_value, p_wild, p_proportional (of hazard ratios: of the test that they stay the same over time), conf_low, conf_high,
        value_arm, value_reference, n, n_events (by the horizon, beside risks), n_groups, n_clusters, verdict; ``curve()``: the hazard
        ratio over the scores against their mean; ``thirds()``: the risk by third.

    Raises
    ------
    DesignError
        No arm with recorded programmes (or several), no monitoring, several scales.
    EstimationError
        A margin of 0 or less; fewer than 3 monitored groups, scores that do not vary, nobody had the outcome, missing covariates.
    NotSupportedError
        People are not classed by what they started by time zero; several rows a person.

    Notes
    -----
    The exposure is the plain mean of a group's scores, the same for everybody in it; a higher score is taken for better delivery. With
    ``monitoring="group"`` some of it may be dated after a person's time zero (in the community that is the first session). That is taken
    as the better default, since a group is monitored when the monitors come, and scores before a person's first session leave out those
    who were first to join. A score tells nothing of one member's outcome, but a group that lost members to arrest may be scored worse for
    it: how many people this may touch is said, and ``monitoring="before"`` is the answer beside which it is read. One standard deviation
    is of the groups' scores, each group once. Hazard ratios are of a Cox model, linear in the score; risks are standardised over
    everybody: all in groups half a standard deviation above the mean beside all half of one below, by models of every cause. The thirds
    are cut so that each holds as many groups. The curve is a natural spline with 3 degrees of freedom, where there are 10 groups.
    Intervals are by cluster, on t with one degree of freedom less than there are clusters; with fewer than 10 there are none. Below 50
    clusters p_wild is that of wild_score_test for no slope. In invented data without an effect (20 teams whose sites differ and whose
    groups share 70 % of the variance of their scores) limits on t left out the truth in 8 to 10 %, clustered by group in 15 %, and p_wild
    was below 0.05 in 6 %. Groups were not scored by chance: places that deliver well may differ in all else.

    References
    ----------
    Cameron & Miller (2015), Journal of Human Resources 50:317 (clusters); Andrews & Bonta (2010), Psychology, Public Policy, and Law
    16:39 (integrity of delivery).

    Examples
    --------
    >>> import outcomes as oc
    >>> tables, study = oc.load_tables("data/synthetic"), oc.read_study("notebooks/study.toml")  # doctest: +SKIP
    >>> oc.fidelity_effect(tables, study, horizon="2y").plot()  # doctest: +SKIP
    """
    name, length = asked_of(tables, study, outcome, horizon, _WHAT)
    one_of(monitoring, ("group", "before"), what=f"{_WHAT}: monitoring")
    if cluster is not None:
        one_of(cluster, _CLUSTERS, what=f"{_WHAT}: cluster")
    normal_quantile(conf_level)
    if margin is not None:
        must_be(margin, (int, float), what=f"{_WHAT}(tables, study): margin", expected="a number of percentage points")
    if margin is not None and not margin > 0:
        raise EstimationError(f"{_WHAT}: margin must be above 0; got {margin}.")
    written = case_mix_of(study, formula, _WHAT)
    must_be_started(study, _WHAT)
    cohort = build_cohort(tables, study)
    chosen = _arm(cohort, arm)
    scored, by = _scored(cohort, chosen, name, scale, monitoring, cluster)
    kept, left = telling_terms(written, scored.data.baseline) if written else ("", ())
    asked = (name, length, kept, conf_level)
    groups = scored.of_groups()
    slope, said = by_standard_deviation(scored.data, scored.score, groups, *asked)
    thirds, of_thirds = by_third(scored.data, scored.score, groups, *asked)
    curve, of_curve = over_scores(scored.data, scored.score, groups, name, kept, conf_level)
    return FidelityEffect.build(
        slope=slope, thirds=thirds, line=curve, scores=groups, of_person=scored.score, data=scored.data, arm=chosen,
        scale=scored.scale, monitoring=monitoring, clustered_by=_CLUSTERS[by], outcome=name, horizon=length, margin=margin,
        conf_level=conf_level,
        notes=tuple(dict.fromkeys((*scored.notes, *left_out_notes({chosen: left}), *said, *of_thirds, *of_curve, _NOT_BY_CHANCE))),
        provenance=MappingProxyType({"study": study.hash, "outcome": name, "horizon": length, "arm": chosen, "scale": scored.scale,
                                     "monitoring": monitoring, "cluster": by}),
    )  # fmt: skip


_NOT_BY_CHANCE = Note(
    "not_by_chance",
    "Groups were not scored by chance: areas and staff that deliver well may differ in more than case mix. How often somebody came is "
    "another question, of what people did after time zero: ask it from a landmark.",
)


def _arm(cohort: Cohort, asked: str | None) -> str:
    """Return the arm asked about, else the only one whose programmes are recorded."""
    if asked is not None:
        if asked not in cohort.study.arms.treated:
            raise DesignError(
                f"{_WHAT}: no arm {asked!r} with programmes. {did_you_mean(asked, cohort.study.arms.treated)}"
            )
        return asked
    catalogue = cohort.tables.frame("programmes").set_index("programme_id")["recorded"].astype(bool)
    recorded = [
        arm for arm in cohort.study.arms.treated if catalogue.reindex(sorted(cohort.candidates.programmes[arm])).all()
    ]
    if len(recorded) != 1:
        found = " and ".join(recorded) if recorded else "none"
        raise DesignError(
            f"{_WHAT}: one arm is looked at, by default that whose programmes are all recorded (table programmes); here that is {found}. "
            "Name it (arm=)."
        )
    return recorded[0]


def _scored(
    cohort: Cohort, arm: str, outcome: str, scale: str | None, which: str, cluster: str | None
) -> tuple[_Scored, str]:
    """Return people of the arm with their group's score, clustered, and what clusters are."""
    import pandas as pd

    data = cohort.outcome(outcome)
    if data.multi_row:
        raise NotSupportedError(f"{_WHAT}: one row a person is needed; take [follow_up] scale = 'calendar'.")
    row = pd.Index(cohort.baseline["sentence_id"]).get_indexer(data.baseline["sentence_id"])
    group = group_of_people(cohort)[row]
    mine = data.arm == data.arms.index(arm)
    if not (mine & (group != NOBODY)).any():
        raise DesignError(f"{_WHAT}: the table participation names no group of anybody in {arm} (group_id).")
    found = monitoring_of(cohort, np.unique(group[mine & (group != NOBODY)]), scale, _WHAT)
    zero = data.baseline["time_zero"].to_numpy(dtype=np.float64)
    score, _ = scores_by_person(group, found, np.full(len(group), np.inf) if which == "group" else zero)
    kept = np.flatnonzero(mine & np.isfinite(score))
    groups = len(np.unique(group[kept]))
    if groups < _LEAST:
        raise EstimationError(
            f"{_WHAT}: {groups} groups of {arm} were monitored{' by their time zero' if which == 'before' else ''}; a slope "
            f"needs {_LEAST}, and an interval {FEW}."
        )
    unit, by = _units(cohort, data, group, cluster)
    notes = [
        *_left_out(group[mine], score[mine], arm, which, found),
        *_after_zero(group, found, zero, data, kept, which),
    ]
    lost = kept[unit[kept] == NOBODY]
    if len(lost):
        notes.append(Note("no_cluster", f"{len(lost):,} people have no {_CLUSTERS[by]} recorded, and are left out."))
        kept = kept[unit[kept] != NOBODY]
    people = some_people(data, kept, np.zeros(len(kept), dtype=np.int64), (arm,))
    baseline = people.baseline.assign(**{_UNITS: unit[kept]})
    people = replace(people, frame=baseline, baseline=baseline, arm_column=None, cluster=_UNITS)
    return _Scored(people, score[kept], group[kept], found.scale, tuple(notes)), by


def _units(cohort: Cohort, data: SurvivalData, group: IntArray, asked: str | None) -> tuple[IntArray, str]:
    """Return the cluster of each person, and what it is. A group of which nobody knows who ran it is a team by itself."""
    team = teams(cohort, group) if asked in (None, "facilitator") else np.full(len(group), NOBODY)
    known = bool((team != NOBODY).any())
    if asked == "facilitator" and not known:
        raise DesignError(f"{_WHAT}: the table delivery names no facilitator of these groups. Take cluster = 'group'.")
    if asked == "site":
        site = data.baseline["site_id"].to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(np.isnan(site), NOBODY, site).astype(np.int64), "site"
    if not known:
        return group, "group"
    return np.where((team == NOBODY) & (group != NOBODY), team.max() + 1 + group, team), "facilitator"


def _left_out(group: IntArray, score: Array, arm: str, which: str, found: Monitoring) -> list[Note]:
    """Say who of the arm is not in, and which monitoring does not count."""
    nowhere, unscored = int((group == NOBODY).sum()), int(((group != NOBODY) & ~np.isfinite(score)).sum())
    parts = []
    if nowhere:
        parts.append(f"{nowhere:,} have no group recorded")
    if unscored:
        early = " by their time zero" if which == "before" else ""
        parts.append(f"the groups of {unscored:,} were not monitored{early}")
    notes = []
    if parts:
        text = f"Of {len(group):,} people of {arm}, {' and '.join(parts)}; they are left out."
        notes.append(Note("not_monitored", text))
    if found.n_late:
        text = (
            f"{found.n_late:,} scores are dated after their group's last session (or the data cut), and do not count."
        )
        notes.append(Note("late_scores", text))
    return notes


def _after_zero(
    group: IntArray, found: Monitoring, zero: Array, data: SurvivalData, kept: IntArray, which: str
) -> list[Note]:
    """Say whose group was scored after their time zero, and for how many of them after their outcome."""
    if which == "before":
        return []
    last = np.full(len(group), -np.inf)
    place = np.searchsorted(found.group, group, side="right") - 1
    known = (place >= 0) & (found.group[np.maximum(place, 0)] == group)
    last[known] = found.date[place[known]]
    later = last[kept] > zero[kept]
    if not later.any():
        return []
    text = f"The groups of {int(later.sum()):,} of {len(kept):,} people were scored after their time zero as well"
    if data.labels.get("scale") != "community":  # on that clock days are not those between dates
        ended = later & (np.asarray(data.event)[kept] == 1) & (np.asarray(data.exit)[kept] < last[kept] - zero[kept])
        text += f", those of {int(ended.sum()):,} after their own outcome"
    text += ". Scores are the group's, whoever came; monitoring = 'before' leaves those out."
    return [Note("scores_after_time_zero", text)]
