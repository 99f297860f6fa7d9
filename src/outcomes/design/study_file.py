"""Reading a study file: every key checked, unknown ones refused with the nearest name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from outcomes.design.conditions import parse_condition
from outcomes.design.report_items import figure_asked, table_asked
from outcomes.design.study import (
    Adjust,
    Arms,
    ArmSpec,
    Checks,
    Disclosure,
    Eligibility,
    FollowUp,
    Headline,
    Outcome,
    Study,
    TimeZero,
)
from outcomes.design.study_sections import (
    REQUIRED,
    Section,
    as_boolean,
    as_day,
    as_length,
    as_positive,
    as_text,
    as_whole,
)
from outcomes.design.time_away import AWAY
from outcomes.durations import days
from outcomes.errors import DesignError, did_you_mean, must_be
from outcomes.loading.schema import OFFENCE_TYPES, STRANDS

__all__ = ["parse_condition", "read_study"]

_COMPETING = ("death", "deportation", "emigration", "recall", "custody")


def read_study(path: str | Path) -> Study:
    """Read a study from its TOML file.

    Use it before anything is estimated: it is where a comparison is written down.

    Parameters
    ----------
    path : str or Path
        The study file. Paths inside it are relative to it.

    Returns
    -------
    Study
        Frozen specs, one a section; ``study.hash`` and ``study.headline_hash`` identify them.

    Raises
    ------
    DesignError
        The file is not there or no TOML; a key is unknown (the nearest name is given), missing or of the wrong kind; parts
        contradict each other.

    Examples
    --------
    >>> import outcomes as oc
    >>> oc.read_study("notebooks/study.toml").arms.names  # doctest: +SKIP
    ('manualised', 'bespoke')
    """
    must_be(path, (str, Path), what="read_study(path): path", expected="a path or text", error=DesignError)
    file = Path(path)
    content, problem = _load(file)
    if problem:
        raise DesignError(problem)
    return _study(content, file)


def _load(file: Path) -> tuple[dict[str, Any], str]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8")), ""
    except OSError:
        return {}, f"read_study: there is no file {file.name!r} that can be read."
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        where = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is not UTF-8"
        return {}, f"read_study: {file.name} is no TOML: {where}"


def _study(content: dict[str, Any], file: Path) -> Study:
    name = file.name
    top = Section("study file", content, name)
    section = Section("study", top.take("study", dict, "the table [study]"), name)
    outcomes = top.take("outcomes", dict, "tables such as [outcomes.any]")
    headline, adjust = top.take("headline", dict, "a table", None), top.take("adjust", dict, "a table", None)
    study = {
        "title": section.take("title", as_text, "text"),
        "data": Path(section.take("data", as_text, "a path")),
        "seed": section.take("seed", as_whole, "a whole number", 2010),
        "synthetic": section.take("synthetic", as_boolean, "true or false", False),
        "arms": _arms(Section("arms", top.take("arms", dict, "the table [arms]"), name)),
        "eligibility": _eligibility(Section("eligibility", top.take("eligibility", dict, "a table", {}), name)),
        "time_zero": _time_zero(Section("time_zero", top.take("time_zero", dict, "a table", {}), name)),
        "follow_up": _follow_up(Section("follow_up", top.take("follow_up", dict, "the table [follow_up]"), name)),
        "outcomes": MappingProxyType(
            {key: _outcome(key, Section(f"outcomes.{key}", value, name)) for key, value in outcomes.items()}
        ),
        "adjust": None if adjust is None else _adjust(Section("adjust", adjust, name)),
        "headline": None if headline is None else _headline(Section("headline", headline, name)),
        "checks": _checks(Section("checks", top.take("checks", dict, "a table", {}), name)),
        "codes": _nested(top, "codes"),
        "columns": _nested(top, "columns"),
        "disclosure": _disclosure(Section("disclosure", top.take("disclosure", dict, "a table", {}), name)),
        "figures": tuple(
            figure_asked(Section("figure", spec, name)) for spec in top.take("figure", list, "tables [[figure]]", [])
        ),
        "tables": tuple(
            table_asked(Section("table", spec, name)) for spec in top.take("table", list, "tables [[table]]", [])
        ),
        "path": file,
    }
    section.done()
    top.done()
    problem = ""
    try:
        return Study(**study)
    except DesignError as error:
        problem = f"{name}: {error}"
    raise DesignError(problem)


def _arms(section: Section) -> Arms:
    reference = section.take("reference", as_text, "the name of an arm")
    assigned_by = section.one_of("assigned_by", ("start", "referral", "provision"), "start")
    window, if_both = section.duration("window", None), section.one_of("if_both", ("first", "exclude"), "first")
    definitions = {}
    for key, value in section.values.items():
        if key in section.asked:
            continue
        if not isinstance(value, Mapping):
            raise section.fault(key, f"is not a key of this section, and no arm. {did_you_mean(key, section.asked)}")
        arm = Section(f"arms.{key}", value, section.file)
        definitions[key] = ArmSpec(
            family=arm.names("family", None, ()),
            programme=arm.names("programme", None, ()),
            strand=arm.names("strand", STRANDS, ()),
            none=arm.take("none", as_boolean, "true or false", False),
        )
        arm.done()
    return Arms(reference, MappingProxyType(definitions), assigned_by, window, if_both)


def _eligibility(section: Section) -> Eligibility:
    texts = section.names("include", None, ())
    found = Eligibility(
        population=section.one_of("population", ("own", "both", "caseload"), "both"),
        include=tuple(parse_condition(text, where=f"{section.file}: [eligibility] include") for text in texts),
        covariate_window=section.duration("covariate_window", None),
        index=section.one_of("index", ("first", "all"), "first"),
    )
    section.done()
    return found


def _time_zero(section: Section) -> TimeZero:
    found = TimeZero(
        event=section.one_of("event", ("auto", "sentence", "release", "start", "referral"), "auto"),
        strategy=section.one_of("strategy", ("none", "landmark", "time_varying", "clone_censor_weight"), "none"),
        grace=section.duration("grace", None),
    )
    section.done()
    return found


def _follow_up(section: Section) -> FollowUp:
    found = FollowUp(
        data_cut=section.take("data_cut", as_day, "a date such as 2015-12-31, or a whole day"),
        horizon=section.duration("horizon"),
        scale=section.one_of("scale", ("calendar", "at_risk", "community"), "calendar"),
        observed_from=section.take("observed_from", as_day, "a date such as 2004-01-01, or a whole day", None),
    )
    section.done()
    return found


def _outcome(key: str, section: Section) -> Outcome:
    kind = section.one_of("kind", ("reoffence", "drop_out", *AWAY), "reoffence")
    offends = kind == "reoffence"
    found = Outcome(
        name=key,
        competing=section.names("competing", _COMPETING, ("death", "deportation")),
        kind=kind,
        **(_of_offences(section) if offends else {"types": (), "proving_period": 0.0}),
        negative_control=section.take("negative_control", as_boolean, "true or false", False),
    )
    for name in ("types", "proving_period", "severity", "disposals", "rule"):
        if not offends and name in section.values:
            raise section.fault(name, f"is for offences; an outcome of kind = {kind!r} has none.")
    section.done()
    if offends and not found.types:
        raise section.fault("types", "names no offence type.")
    return found


def _of_offences(section: Section) -> dict[str, Any]:
    """Return what only an outcome of offences says."""
    return {
        "types": section.names("types", OFFENCE_TYPES),
        "proving_period": _proving_period(section),
        "severity": section.take("severity", as_whole, "the least severe tier that counts, 1 the most severe", None),
        "disposals": section.names("disposals", None, ()),
        "rule": section.one_of("rule", ("proving_period", "moj_window"), "proving_period"),
    }


def _proving_period(section: Section) -> float:
    sexual = all(t.startswith("sexual") for t in section.names("types", OFFENCE_TYPES))
    window = section.values.get("rule") == "moj_window"
    if window and "proving_period" in section.values:
        raise section.fault("proving_period", "rule = 'moj_window' has its own: six months after the year that counts.")
    proving = section.take(
        "proving_period",
        as_length,
        "how long a proof may take; for sexual offences say it, usually 12m to 24m",
        REQUIRED if sexual and not window else days("6m"),
    )
    return days(proving, what=f"{section.file}: [{section.name}] proving_period")


def _adjust(section: Section) -> Adjust:
    found = Adjust(
        formula=section.take("formula", as_text, "terms joined by +"),
        estimand=section.one_of("estimand", ("ate", "att", "atc", "ato", "atm")),
        method=section.take("method", as_text, "a method", "logistic"),
        missing=section.one_of("missing", ("error", "indicator", "impute"), "error"),
        cluster=section.take("cluster", as_text, "a column", None),
    )
    section.done()
    return found


def _headline(section: Section) -> Headline:
    found = Headline(
        outcome=section.take("outcome", as_text, "the name of an outcome"),
        horizon=section.duration("horizon"),
        population=section.one_of("population", ("own", "both", "caseload"), "both"),
        subgroups=section.names("subgroups", None, ()),
        margin=section.take("margin", as_positive, "a number of percentage points", None),
    )
    section.done()
    return found


def _checks(section: Section) -> Checks:
    found = Checks(drop=section.names("drop", None, ()), declared=section.names("declared", None, ()))
    section.done()
    return found


def _disclosure(section: Section) -> Disclosure:
    policies = ("sensitive", "academic_safe", "opensafely", "moj_publication", "none")
    found = Disclosure(section.one_of("policy", policies, "sensitive"))
    section.done()
    return found


def _nested(top: Section, key: str) -> Mapping[str, Mapping[str, str]]:
    """Return [codes] or [columns] as plain text to text; ``table.column`` may be a dotted or a quoted key."""
    found: dict[str, Mapping[str, str]] = {}
    for name, value in top.take(key, dict, "a table", {}).items():
        inner = value if isinstance(value, Mapping) else {}
        if inner and all(isinstance(v, Mapping) for v in inner.values()):
            found |= {
                f"{name}.{column}": {str(k): str(v) for k, v in mapping.items()} for column, mapping in inner.items()
            }
        elif inner:
            found[name] = {str(k): str(v) for k, v in inner.items()}
        else:
            raise DesignError(f"{top.file}: [{key}] {name}: expected {{ theirs = ours }}.")
    return MappingProxyType(found)
