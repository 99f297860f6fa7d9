"""What a study file can ask to be drawn or tabulated, and where in the report each stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from outcomes.adjust.describing_arms import characteristics
from outcomes.comparison.each_population import populations
from outcomes.comparison.every_programme import programmes_against_nothing
from outcomes.comparison.outside import outside_of
from outcomes.comparison.subgroups import subgroup_effects
from outcomes.comparison.whole_caseload import caseload
from outcomes.design.study import FigureSpec, Study, TableSpec
from outcomes.durations import in_words
from outcomes.errors import DesignError, did_you_mean
from outcomes.report.analysis import Analysis
from outcomes.report.headline import headline_results
from outcomes.report.target_trial import target_trial
from outcomes.results import Result
from outcomes.survival.curves import kaplan_meier

__all__ = ["FIGURES", "SECTIONS", "TABLES", "Item", "check_contents", "figures_of", "tables_of"]

SECTIONS = MappingProxyType(
    {
        "people": "Who is compared",
        "alike": "How alike the groups are",
        "answer": "How large the difference is, and how sure anyone can be",
        "time": "How long people stayed without reoffending",
        "whom": "For whom",
        "populations": "Own clients, those eligible for both, and everybody",
        "programmes": "Other programmes",
    }
)

_TABLE_1 = (
    "age_at_time_zero", "sex", "ethnicity_group", "setting", "sentence_type", "index_offence", "prior_sanctions",
    "prior_sexual_sanctions", "risk_score", "risk_band", "denial", "learning_disability", "wait_days", "period",
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    """Something a report can hold.

    Attributes
    ----------
    section : str
        A key of `SECTIONS`.
    result : callable
        Makes the exact result, from the analysis and the outcome's name.
    title : callable
        Makes the title.
    horizon : bool
        Whether curves end at the end of follow-up.
    adjusted : bool
        Whether it needs [adjust] in the study.
    drawing : str
        What draws it; default: the figure of its own name.
    explained : bool
        Whether its sentences stand above the picture.
    """

    section: str
    result: Callable[[Analysis, str], Result]
    title: Callable[[Analysis, str], str]
    horizon: bool = False
    adjusted: bool = False
    drawing: str = ""
    explained: bool = False


def _overlap(analysis: Analysis, outcome: str) -> Result:
    weights = analysis.outcomes[outcome].weights
    assert weights is not None  # check_contents refused a study without [adjust]
    return weights.overlap()


def _balance(analysis: Analysis, outcome: str) -> Result:
    weights = analysis.outcomes[outcome].weights
    assert weights is not None
    return weights.balance()


def _kaplan_meier(analysis: Analysis, outcome: str) -> Result:
    one = analysis.outcomes[outcome]
    return kaplan_meier(one.data, cause=outcome, weights=one.weights)


def _effects(analysis: Analysis, outcome: str) -> Result:
    one, headline = analysis.outcomes[outcome], analysis.headline
    return subgroup_effects(
        one.data, list(headline.subgroups), at=headline.horizon, weights=one.weights, margin=headline.margin
    )


def _table_1(analysis: Analysis, outcome: str) -> Result:
    one = analysis.outcomes[outcome]
    baseline = one.data.baseline
    terms = [name for name in _TABLE_1 if name in baseline.columns and baseline[name].nunique(dropna=False) > 1]
    return characteristics(one.data, terms, weights=one.weights)


def _populations(analysis: Analysis, outcome: str) -> Result:
    return populations(analysis.tables, analysis.study, outcome=outcome, horizon=analysis.headline.horizon)


def _caseload(analysis: Analysis, outcome: str) -> Result:
    study = analysis.study
    return caseload(analysis.tables, study, outcome=outcome, horizon=analysis.headline.horizon, seed=study.seed)


def _outside(analysis: Analysis, outcome: str) -> Result:
    own = analysis.cohort.with_population("own")
    return outside_of(own.baseline, own.arms, analysis.study.arms.treated)


def _programmes(analysis: Analysis, outcome: str) -> Result:
    return programmes_against_nothing(
        analysis.tables, analysis.study, outcome=outcome, horizon=analysis.headline.horizon
    )


def _event(outcome: str) -> str:
    return f"{outcome.replace('_', ' ')} reoffence"


def _by(analysis: Analysis) -> str:
    return in_words(analysis.headline.horizon)


_POPULATIONS = Item(
    "populations",
    _populations,
    lambda a, o: f"{_event(o).capitalize()} within {_by(a)}, in each population",
    drawing="intervals",
    explained=True,
)
_CASELOAD = Item(
    "populations",
    _caseload,
    lambda a, o: f"{_event(o).capitalize()} within {_by(a)}: everybody where one or the other is on offer",
    drawing="waterfall",
    explained=True,
)
_PROGRAMMES = Item(
    "programmes",
    _programmes,
    lambda a, o: f"{_event(o).capitalize()}: every programme against nothing",
    drawing="intervals",
    explained=True,
)

FIGURES: Mapping[str, Item] = MappingProxyType(
    {
        "populations": _POPULATIONS,
        "caseload": _CASELOAD,
        "programmes": _PROGRAMMES,
        "flow": Item("people", lambda a, o: a.cohort.flow, lambda a, o: "Who is compared, and who left on the way"),
        "overlap": Item(
            "alike", _overlap, lambda a, o: "How far the groups overlap, before and after weighting", adjusted=True
        ),
        "love_plot": Item(
            "alike", _balance, lambda a, o: "How alike the groups are, before and after weighting", adjusted=True
        ),
        "kaplan_meier": Item("time", _kaplan_meier, lambda a, o: f"People still without {_event(o)}", horizon=True),
        "cumulative_incidence": Item(
            "time",
            lambda a, o: a.outcomes[o].best,
            lambda a, o: f"{_event(o).capitalize()}, and what competes with it",
            horizon=True,
        ),
        "forest": Item(
            "whom", _effects, lambda a, o: f"{_event(o).capitalize()} within {_by(a)}: everybody, and by subgroup"
        ),
    }
)

TABLES: Mapping[str, Item] = MappingProxyType(
    {
        "target_trial": Item(
            "people",
            lambda a, o: target_trial(a),
            lambda a, o: "The trial one would have wished for, and what was done",
        ),
        "flow": Item("people", lambda a, o: a.cohort.flow, lambda a, o: "Who left at which step"),
        "table1": Item("alike", _table_1, lambda a, o: "Characteristics at time zero"),
        "populations": _POPULATIONS,
        "outside": Item("populations", _outside, lambda a, o: "Own clients who are not eligible for every programme"),
        "caseload": _CASELOAD,
        "programmes": _PROGRAMMES,
        "headline": Item("answer", headline_results, lambda a, o: f"{_event(o).capitalize()} within {_by(a)}"),
    }
)

_DEFAULT_FIGURES = ("flow", "overlap", "love_plot", "kaplan_meier", "cumulative_incidence", "forest")
_DEFAULT_TABLES = ("target_trial", "flow", "table1", "headline")


def figures_of(study: Study) -> tuple[FigureSpec, ...]:
    """Return the figures a study asks for; all that apply where it asks for none."""
    if study.figures:
        return study.figures
    names = [n for n in _DEFAULT_FIGURES if _applies(n, FIGURES[n], study)]
    return tuple(FigureSpec(f"fig{i}_{name}", name) for i, name in enumerate(names, start=1))


def tables_of(study: Study) -> tuple[TableSpec, ...]:
    """Return the tables a study asks for; all where it asks for none."""
    if study.tables:
        return study.tables
    return tuple(TableSpec(f"table{i}_{name}", name) for i, name in enumerate(_DEFAULT_TABLES, start=1))


def _applies(name: str, item: Item, study: Study) -> bool:
    if name == "forest" and (study.headline is None or not study.headline.subgroups):
        return False
    return study.adjust is not None or not item.adjusted


def check_contents(study: Study) -> None:
    """Refuse a study that asks for what there is not, before anything is estimated.

    Raises
    ------
    DesignError
        An unknown figure or table, a name used twice, a figure of weights in a study without [adjust], a forest without
        subgroups.
    """
    listed: list[tuple[str, FigureSpec | TableSpec, Mapping[str, Item]]] = []
    listed += [("figure", spec, FIGURES) for spec in study.figures]
    listed += [("table", spec, TABLES) for spec in study.tables]
    for kind, spec, known in listed:
        if spec.draws not in known:
            raise DesignError(
                f"[[{kind}]] {spec.name}: there is nothing called {spec.draws!r}. {did_you_mean(spec.draws, known)}"
            )
        if known[spec.draws].adjusted and study.adjust is None:
            raise DesignError(f"[[{kind}]] {spec.name}: {spec.draws} is about weights, and the study has no [adjust].")
        if spec.draws == "forest" and not _applies("forest", known[spec.draws], study):
            raise DesignError(f"[[{kind}]] {spec.name}: a forest needs subgroups in [headline].")
    names = [spec.name for _, spec, _ in listed]
    for name in names:
        if names.count(name) > 1:
            raise DesignError(f"Two figures or tables are called {name!r}; each needs a name of its own.")
