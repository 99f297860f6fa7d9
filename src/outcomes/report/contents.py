"""What a study file can ask to be drawn or tabulated, and in which order a report holds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from outcomes.adjust.describing_arms import characteristics
from outcomes.comparison.subgroups import subgroup_effects
from outcomes.design.report_items import Options
from outcomes.design.study import FigureSpec, Study, TableSpec
from outcomes.errors import DesignError, NotSupportedError, did_you_mean
from outcomes.loading.tables import Tables
from outcomes.report.analysis import Analysis
from outcomes.report.headline import headline_results
from outcomes.report.item import Item, event_of, horizon_of
from outcomes.report.questions import QUESTIONS
from outcomes.report.target_trial import target_trial
from outcomes.results import Result
from outcomes.survival.curves import kaplan_meier

__all__ = ["FIGURES", "ORDER", "TABLES", "check_answerable", "check_contents", "figures_of", "tables_of"]

_TABLE_1 = (
    "age_at_time_zero", "sex", "ethnicity_group", "setting", "sentence_type", "index_offence", "prior_sanctions",
    "prior_sexual_sanctions", "risk_score", "risk_band", "denial", "learning_disability", "wait_days", "period",
)  # fmt: skip


def _overlap(analysis: Analysis, outcome: str, options: Options) -> Result:
    weights = analysis.outcomes[outcome].weights
    assert weights is not None  # check_contents refused a study without [adjust]
    return weights.overlap()


def _balance(analysis: Analysis, outcome: str, options: Options) -> Result:
    weights = analysis.outcomes[outcome].weights
    assert weights is not None
    return weights.balance()


def _kaplan_meier(analysis: Analysis, outcome: str, options: Options) -> Result:
    one = analysis.outcomes[outcome]
    return kaplan_meier(one.data, cause=outcome, weights=one.weights)


def _effects(analysis: Analysis, outcome: str, options: Options) -> Result:
    one, headline = analysis.outcomes[outcome], analysis.headline
    return subgroup_effects(
        one.data, list(headline.subgroups), at=headline.horizon, weights=one.weights, margin=headline.margin
    )


def _table_1(analysis: Analysis, outcome: str, options: Options) -> Result:
    one = analysis.outcomes[outcome]
    baseline = one.data.baseline
    terms = [name for name in _TABLE_1 if name in baseline.columns and baseline[name].nunique(dropna=False) > 1]
    return characteristics(one.data, terms, weights=one.weights)


_DRAWN: Mapping[str, Item] = MappingProxyType(
    {
        "flow": Item("people", lambda a, o, k: a.cohort.flow, lambda a, o: "Who is compared, and who left on the way"),
        "overlap": Item(
            "alike", _overlap, lambda a, o: "How far the groups overlap, before and after weighting", adjusted=True
        ),
        "love_plot": Item(
            "alike", _balance, lambda a, o: "How alike the groups are, before and after weighting", adjusted=True
        ),
        "kaplan_meier": Item(
            "time",
            _kaplan_meier,
            lambda a, o: f"People still without {event_of(o).lower()}",
            horizon=True,
            exploratory=True,
        ),
        "cumulative_incidence": Item(
            "time",
            lambda a, o, k: a.outcomes[o].best,
            lambda a, o: f"{event_of(o)}, and what competes with it",
            horizon=True,
            exploratory=True,
        ),
        "forest": Item(
            "whom",
            _effects,
            lambda a, o: f"{event_of(o)} within {horizon_of(a)}: everybody, and by subgroup",
            exploratory=True,
        ),
    }
)
_TABLED: Mapping[str, Item] = MappingProxyType(
    {
        "target_trial": Item(
            "people",
            lambda a, o, k: target_trial(a),
            lambda a, o: "The trial one would have wished for, and what was done",
        ),
        "flow": Item("people", lambda a, o, k: a.cohort.flow, lambda a, o: "Who left at which step"),
        "table1": Item("alike", _table_1, lambda a, o: "Characteristics at time zero"),
        "headline": Item(
            "answer", lambda a, o, k: headline_results(a, o), lambda a, o: f"{event_of(o)} within {horizon_of(a)}"
        ),
    }
)

FIGURES: Mapping[str, Item] = MappingProxyType(
    {**_DRAWN, **{name: item for name, item in QUESTIONS.items() if item.drawing}}
)
TABLES: Mapping[str, Item] = MappingProxyType({**_TABLED, **QUESTIONS})
ORDER = tuple(dict.fromkeys([*_TABLED, *_DRAWN, *QUESTIONS]))
"""Everything there is to draw or tabulate, in the order in which a chapter holds it."""

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
    """Refuse a study that asks for what there is not, before anything is loaded.

    Raises
    ------
    DesignError
        An unknown figure or table, a name used twice, a key that is not asked there, is missing or names no arm of the study, a
        figure of weights in a study without [adjust], a forest without subgroups.
    """
    for where, spec, known in _listed(study):
        if spec.draws not in known:
            raise DesignError(f"{where}: there is nothing called {spec.draws!r}. {did_you_mean(spec.draws, known)}")
        item = known[spec.draws]
        if item.adjusted and study.adjust is None:
            raise DesignError(f"{where}: {spec.draws} is about weights, and the study has no [adjust].")
        if spec.draws == "forest" and not _applies("forest", item, study):
            raise DesignError(f"{where}: a forest needs subgroups in [headline].")
        _check_options(where, spec, item, study)
    names = [spec.name for _, spec, _ in _listed(study)]
    for name in names:
        if names.count(name) > 1:
            raise DesignError(f"Two figures or tables are called {name!r}; each needs a name of its own.")


def check_answerable(study: Study, tables: Tables) -> None:
    """Refuse a study that asks for what it and its tables cannot answer, before anything is estimated.

    Raises
    ------
    NotSupportedError
        Naming the figure or table, and the reason.
    """
    for where, spec, known in _listed(study):
        why = known[spec.draws].lacking(study, tables)
        if why:
            raise NotSupportedError(f"{where}: {spec.draws} cannot be answered: {why}. Leave it out of the study file.")


def _listed(study: Study) -> Iterator[tuple[str, FigureSpec | TableSpec, Mapping[str, Item]]]:
    """Yield what a study asks for: where it is written, what it says, and what there is of its sort."""
    for figure in study.figures:
        yield f"[[figure]] {figure.name}", figure, FIGURES
    for table in study.tables:
        yield f"[[table]] {table.name}", table, TABLES


def _check_options(where: str, spec: FigureSpec | TableSpec, item: Item, study: Study) -> None:
    """Refuse keys that are not asked there or are missing, and names that there are not."""
    takes, given = dict(item.takes), spec.options.given
    for key in given:
        if key not in takes:
            keys = f"It takes {', '.join(takes)}." if takes else "It takes none."
            raise DesignError(f"{where}: {key} is not a key of {spec.draws}. {keys}")
    for key in item.needs:
        if key not in given:
            raise DesignError(f"{where}: {spec.draws} needs {key}, such as {_SUCH_AS[key]}.")
    arms = study.arms.treated
    for key, valid in {**takes, **({"arm": arms} if "arm" in takes else {})}.items():
        said = given.get(key, ())
        names = (said,) if isinstance(said, str) else said if valid else ()
        for name in names:
            if valid and name not in valid:
                raise DesignError(f"{where}: {key} = {name!r}. {did_you_mean(name, valid)}")
        if valid and len(names) > 1:
            raise DesignError(f"{where}: {key} is one of {', '.join(valid)}.")


_SUCH_AS = {"less_detected": "{ learning_disability = true }"}
