"""The questions behind the headline as items of a report: how each is asked, what it takes, and when it cannot be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from outcomes.comparison.attending import attendance_effect
from outcomes.comparison.by_whom import who_benefits
from outcomes.comparison.completing import starters_and_completers
from outcomes.comparison.detection import detection_sensitivity
from outcomes.comparison.each_population import populations
from outcomes.comparison.every_programme import programmes_against_nothing
from outcomes.comparison.fidelity import fidelity_effect
from outcomes.comparison.immortal_counting import immortal_time
from outcomes.comparison.maintaining import maintenance_effect
from outcomes.comparison.outside import outside_of
from outcomes.comparison.roll_out import replaced_area_by_area
from outcomes.comparison.shut_out_people import shut_out
from outcomes.comparison.site_varying import site_variation
from outcomes.comparison.states_of_courses import course_states
from outcomes.comparison.whole_caseload import caseload
from outcomes.design.course_study import BY
from outcomes.design.report_items import Options
from outcomes.report.analysis import Analysis
from outcomes.report.item import Item, event_of, horizon_of
from outcomes.report.lacking import (
    no_clients,
    no_entry_rules,
    no_fidelity,
    no_follow_up_from_zero,
    no_maintenance,
    no_regimes,
    no_replacement,
    no_starters,
)
from outcomes.results import Result

__all__ = ["QUESTIONS"]


def _by_headline(ask: Callable[..., Result]) -> Callable[[Analysis, str, Options], Result]:
    """Return how a question is asked that takes tables, study, outcome and horizon, and the keys of its entry."""

    def asked(analysis: Analysis, outcome: str, options: Options) -> Result:
        horizon = analysis.headline.horizon
        return ask(analysis.tables, analysis.study, outcome=outcome, horizon=horizon, **options.given)

    return asked


def _outside(analysis: Analysis, outcome: str, options: Options) -> Result:
    own = analysis.cohort.with_population("own")
    return outside_of(own.baseline, own.arms, analysis.study.arms.treated)


def _caseload(analysis: Analysis, outcome: str, options: Options) -> Result:
    study, horizon = analysis.study, analysis.headline.horizon
    return caseload(analysis.tables, study, outcome=outcome, horizon=horizon, seed=study.seed, **options.given)


def _detection(analysis: Analysis, outcome: str, options: Options) -> Result:
    """Return it in each arm's own people, unweighted: whom entry rules shut out have no counterpart to be weighted to."""
    own = analysis.cohort if analysis.study.arms.assigned_by == "provision" else analysis.cohort.with_population("own")
    headline = analysis.headline
    whom = {column: values[0] if len(values) == 1 else list(values) for column, values in options.less_detected}
    margin = headline.margin if outcome == headline.outcome else None
    return detection_sensitivity(own.outcome(outcome), less_detected=whom, at=headline.horizon, margin=margin)


def _course_states(analysis: Analysis, outcome: str, options: Options) -> Result:
    return course_states(analysis.tables, analysis.study, outcome=outcome, by=options.by[0] if options.by else "all")


def _maintenance(analysis: Analysis, outcome: str, options: Options) -> Result:
    return maintenance_effect(analysis.tables, analysis.study, outcome=outcome, **options.given)


def _attendance(analysis: Analysis, outcome: str, options: Options) -> Result:
    return attendance_effect(analysis.tables, analysis.study, outcome=outcome, **options.given)


def _sites(analysis: Analysis, outcome: str, options: Options) -> Result:
    by, horizon = options.by[0] if options.by else "site", analysis.headline.horizon
    return site_variation(analysis.tables, analysis.study, outcome=outcome, horizon=horizon, by=by)


def _who_benefits(analysis: Analysis, outcome: str, options: Options) -> Result:
    by, horizon = list(options.by) or None, analysis.headline.horizon
    return who_benefits(analysis.tables, analysis.study, outcome=outcome, horizon=horizon, by=by)


QUESTIONS: Mapping[str, Item] = MappingProxyType(
    {
        "who_benefits": Item(
            "whom",
            _who_benefits,
            lambda a, o: f"{event_of(o)} within {horizon_of(a)}: who benefits",
            drawing="forest",
            explained=True,
            takes=(("by", ()),),
        ),
        "populations": Item(
            "populations",
            _by_headline(populations),
            lambda a, o: f"{event_of(o)} within {horizon_of(a)}, in each population",
            heading="Three populations",
            drawing="intervals",
            explained=True,
            lacking=no_clients,
        ),
        "outside": Item(
            "populations",
            _outside,
            lambda a, o: "Own clients who are not eligible for every programme",
            heading="Who is outside",
            lacking=no_clients,
        ),
        "caseload": Item(
            "populations",
            _caseload,
            lambda a, o: f"{event_of(o)} within {horizon_of(a)}: everybody where one or the other is on offer",
            heading="Everybody where it is on offer",
            drawing="waterfall",
            explained=True,
            exploratory=True,
            slow=True,
            takes=(("replicates", ()),),
            lacking=no_regimes,
        ),
        "replaced_area_by_area": Item(
            "era",
            _by_headline(replaced_area_by_area),
            lambda a, o: f"{event_of(o)} within {horizon_of(a)}: one programme replaced by the other",
            drawing="intervals",
            explained=True,
            exploratory=True,
            lacking=no_replacement,
        ),
        "shut_out": Item(
            "shut_out",
            _by_headline(shut_out),
            lambda a, o: f"{event_of(o)} within {horizon_of(a)}: people whom a programme shuts out",
            heading="People whom a programme shuts out, beside people like them who started nothing",
            drawing="intervals",
            explained=True,
            exploratory=True,
            lacking=no_entry_rules,
        ),
        "detection_sensitivity": Item(
            "shut_out",
            _detection,
            lambda a, o: f"{event_of(o)} within {horizon_of(a)}, were some people's recorded less often",
            heading="If some people's reoffences come to light less often",
            drawing="detection",
            explained=True,
            exploratory=True,
            takes=(("less_detected", ()),),
            needs=("less_detected",),
            lacking=no_follow_up_from_zero,
        ),
        "course_states": Item(
            "courses",
            _course_states,
            lambda a, o: f"From referral to {event_of(o).lower()}",
            heading="Where people are on the way",
            drawing="state_probabilities",
            explained=True,
            takes=(("by", BY),),
            numbers="marks",
        ),
        "maintenance_effect": Item(
            "courses",
            _maintenance,
            lambda a, o: f"{event_of(o)} by maintenance after completion",
            heading="Maintenance after completion",
            drawing="intervals",
            explained=True,
            exploratory=True,
            takes=(("arm", ()), ("landmark", ())),
            lacking=no_maintenance,
        ),
        "attendance_effect": Item(
            "courses",
            _attendance,
            lambda a, o: f"{event_of(o)} by sessions attended of those planned",
            heading="Sessions attended",
            drawing="intervals",
            explained=True,
            exploratory=True,
            takes=(("arm", ()), ("scheduled", ()), ("high", ())),
        ),
        "fidelity_effect": Item(
            "delivery",
            _by_headline(fidelity_effect),
            lambda a, o: f"{event_of(o)} by fidelity of delivery",
            heading="Groups run more or less as the manual says",
            drawing="fidelity",
            explained=True,
            exploratory=True,
            takes=(("arm", ()), ("monitoring", ("group", "before"))),
            lacking=no_fidelity,
        ),
        "site_variation": Item(
            "delivery",
            _sites,
            lambda a, o: f"{event_of(o)} within {horizon_of(a)}, site by site",
            heading="How much sites differ",
            drawing="caterpillar",
            explained=True,
            exploratory=True,
            takes=(("by", ("site", "facilitator")),),
            lacking=no_starters,
        ),
        "starters_and_completers": Item(
            "counting",
            _by_headline(starters_and_completers),
            lambda a, o: f"{event_of(o)} within {horizon_of(a)}: starters, and completers beside them",
            heading="Starters, and completers beside them",
            drawing="intervals",
            explained=True,
            lacking=no_starters,
        ),
        "immortal_time": Item(
            "counting",
            _by_headline(immortal_time),
            lambda a, o: f"{event_of(o)}: time before a start, counted wrongly and rightly",
            heading="Time before a start",
            drawing="intervals",
            explained=True,
            exploratory=True,
            takes=(("arm", ()), ("grace", ())),
        ),
        "programmes": Item(
            "programmes",
            _by_headline(programmes_against_nothing),
            lambda a, o: f"{event_of(o)}: every programme against nothing",
            drawing="intervals",
            explained=True,
            exploratory=True,
        ),
    }
)
