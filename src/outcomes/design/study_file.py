"""Reading a study file: every key checked, unknown ones refused with the nearest name."""

from __future__ import annotations

import datetime
import difflib
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from outcomes.design.conditions import parse_condition
from outcomes.design.study import (
    Adjust,
    Arms,
    ArmSpec,
    Checks,
    Disclosure,
    Eligibility,
    FigureSpec,
    FollowUp,
    Headline,
    Outcome,
    Study,
    TableSpec,
    TimeZero,
)
from outcomes.design.time_away import AWAY
from outcomes.durations import days
from outcomes.errors import DesignError, did_you_mean, must_be
from outcomes.loading.schema import OFFENCE_TYPES, STRANDS

__all__ = ["parse_condition", "read_study"]

_COMPETING = ("death", "deportation", "emigration", "recall", "custody")
_EPOCH = datetime.date(1970, 1, 1)
_MISSING = object()


class _Section:
    """One table of the file, read key by key; what is left over at the end is unknown."""

    def __init__(self, name: str, values: Any, file: str) -> None:
        if not isinstance(values, Mapping):
            raise DesignError(f"{file}: [{name}] must be a table.")
        self.name, self.values, self.file = name, dict(values), file
        self.asked: list[str] = []

    def fault(self, key: str, text: str) -> DesignError:
        return DesignError(f"{self.file}: [{self.name}] {key}: {text}")

    def take(self, key: str, kind: Callable[[Any], Any], expected: str, default: Any = _MISSING) -> Any:
        """Return the value of `key` as `kind`; a value that is not as expected is an error that says what was."""
        self.asked.append(key)
        if key not in self.values:
            if default is _MISSING:
                near = difflib.get_close_matches(key, map(str, self.values), n=1, cutoff=0.6)
                hint = f"There is {near[0]!r}: is that meant?" if near else ""
                raise self.fault(key, f"is required ({expected}). {hint}".rstrip())
            return default
        value, wrong = self.values[key], False
        try:
            return kind(value)
        except (TypeError, ValueError):
            wrong = True
        if wrong:
            raise self.fault(key, f"expected {expected}; got {value!r}.")
        return None

    def one_of(self, key: str, valid: tuple[str, ...], default: Any = _MISSING) -> str:
        value = self.take(key, _text, f"one of {', '.join(valid)}", default)
        if value not in valid:
            raise self.fault(key, f"{value!r} is not known. {did_you_mean(value, valid)}")
        return str(value)

    def duration(self, key: str, default: Any = _MISSING) -> Any:
        value = self.take(key, _length, "days or text such as '2y'", default)
        return value if value is None else days(value, what=f"{self.file}: [{self.name}] {key}")

    def names(self, key: str, valid: tuple[str, ...] | None, default: Any = _MISSING) -> tuple[str, ...]:
        found = self.take(key, _names, "a list of names", default)
        for name in found:
            if valid is not None and name not in valid:
                raise self.fault(key, f"{name!r} is not known. {did_you_mean(name, valid)}")
        return tuple(found)

    def done(self, also: tuple[str, ...] = ()) -> None:
        for key in self.values:
            if key not in self.asked and key not in also:
                raise self.fault(key, f"is not a key of this section. {did_you_mean(key, self.asked)}")


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
    top = _Section("study file", content, name)
    section = _Section("study", top.take("study", dict, "the table [study]"), name)
    outcomes = top.take("outcomes", dict, "tables such as [outcomes.any]")
    headline, adjust = top.take("headline", dict, "a table", None), top.take("adjust", dict, "a table", None)
    study = {
        "title": section.take("title", _text, "text"),
        "data": Path(section.take("data", _text, "a path")),
        "seed": section.take("seed", _whole, "a whole number", 2010),
        "synthetic": section.take("synthetic", _boolean, "true or false", False),
        "arms": _arms(_Section("arms", top.take("arms", dict, "the table [arms]"), name)),
        "eligibility": _eligibility(_Section("eligibility", top.take("eligibility", dict, "a table", {}), name)),
        "time_zero": _time_zero(_Section("time_zero", top.take("time_zero", dict, "a table", {}), name)),
        "follow_up": _follow_up(_Section("follow_up", top.take("follow_up", dict, "the table [follow_up]"), name)),
        "outcomes": MappingProxyType(
            {key: _outcome(key, _Section(f"outcomes.{key}", value, name)) for key, value in outcomes.items()}
        ),
        "adjust": None if adjust is None else _adjust(_Section("adjust", adjust, name)),
        "headline": None if headline is None else _headline(_Section("headline", headline, name)),
        "checks": _checks(_Section("checks", top.take("checks", dict, "a table", {}), name)),
        "codes": _nested(top, "codes"),
        "columns": _nested(top, "columns"),
        "disclosure": _disclosure(_Section("disclosure", top.take("disclosure", dict, "a table", {}), name)),
        "figures": tuple(
            _figure(_Section("figure", spec, name)) for spec in top.take("figure", list, "tables [[figure]]", [])
        ),
        "tables": tuple(
            _table(_Section("table", spec, name)) for spec in top.take("table", list, "tables [[table]]", [])
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


def _arms(section: _Section) -> Arms:
    reference = section.take("reference", _text, "the name of an arm")
    assigned_by = section.one_of("assigned_by", ("start", "referral", "provision"), "start")
    window, if_both = section.duration("window", None), section.one_of("if_both", ("first", "exclude"), "first")
    definitions = {}
    for key, value in section.values.items():
        if key in section.asked:
            continue
        if not isinstance(value, Mapping):
            raise section.fault(key, f"is not a key of this section, and no arm. {did_you_mean(key, section.asked)}")
        arm = _Section(f"arms.{key}", value, section.file)
        definitions[key] = ArmSpec(
            family=arm.names("family", None, ()),
            programme=arm.names("programme", None, ()),
            strand=arm.names("strand", STRANDS, ()),
            none=arm.take("none", _boolean, "true or false", False),
        )
        arm.done()
    return Arms(reference, MappingProxyType(definitions), assigned_by, window, if_both)


def _eligibility(section: _Section) -> Eligibility:
    texts = section.names("include", None, ())
    found = Eligibility(
        population=section.one_of("population", ("own", "both", "caseload"), "both"),
        include=tuple(parse_condition(text, where=f"{section.file}: [eligibility] include") for text in texts),
        covariate_window=section.duration("covariate_window", None),
        index=section.one_of("index", ("first", "all"), "first"),
    )
    section.done()
    return found


def _time_zero(section: _Section) -> TimeZero:
    found = TimeZero(
        event=section.one_of("event", ("auto", "sentence", "release", "start", "referral"), "auto"),
        strategy=section.one_of("strategy", ("none", "landmark", "time_varying", "clone_censor_weight"), "none"),
        grace=section.duration("grace", None),
    )
    section.done()
    return found


def _follow_up(section: _Section) -> FollowUp:
    found = FollowUp(
        data_cut=section.take("data_cut", _day, "a date such as 2015-12-31, or a whole day"),
        horizon=section.duration("horizon"),
        scale=section.one_of("scale", ("calendar", "at_risk", "community"), "calendar"),
        observed_from=section.take("observed_from", _day, "a date such as 2004-01-01, or a whole day", None),
    )
    section.done()
    return found


def _outcome(key: str, section: _Section) -> Outcome:
    kind = section.one_of("kind", ("reoffence", "drop_out", *AWAY), "reoffence")
    offends = kind == "reoffence"
    found = Outcome(
        name=key,
        competing=section.names("competing", _COMPETING, ("death", "deportation")),
        kind=kind,
        **(_of_offences(section) if offends else {"types": (), "proving_period": 0.0}),
        negative_control=section.take("negative_control", _boolean, "true or false", False),
    )
    for name in ("types", "proving_period", "severity", "disposals", "rule"):
        if not offends and name in section.values:
            raise section.fault(name, f"is for offences; an outcome of kind = {kind!r} has none.")
    section.done()
    if offends and not found.types:
        raise section.fault("types", "names no offence type.")
    return found


def _of_offences(section: _Section) -> dict[str, Any]:
    """Return what only an outcome of offences says."""
    return {
        "types": section.names("types", OFFENCE_TYPES),
        "proving_period": _proving_period(section),
        "severity": section.take("severity", _whole, "the least severe tier that counts, 1 the most severe", None),
        "disposals": section.names("disposals", None, ()),
        "rule": section.one_of("rule", ("proving_period", "moj_window"), "proving_period"),
    }


def _proving_period(section: _Section) -> float:
    sexual = all(t.startswith("sexual") for t in section.names("types", OFFENCE_TYPES))
    window = section.values.get("rule") == "moj_window"
    if window and "proving_period" in section.values:
        raise section.fault("proving_period", "rule = 'moj_window' has its own: six months after the year that counts.")
    proving = section.take(
        "proving_period",
        _length,
        "how long a proof may take; for sexual offences say it, usually 12m to 24m",
        _MISSING if sexual and not window else days("6m"),
    )
    return days(proving, what=f"{section.file}: [{section.name}] proving_period")


def _adjust(section: _Section) -> Adjust:
    found = Adjust(
        formula=section.take("formula", _text, "terms joined by +"),
        estimand=section.one_of("estimand", ("ate", "att", "atc", "ato", "atm")),
        method=section.take("method", _text, "a method", "logistic"),
        missing=section.one_of("missing", ("error", "indicator", "impute"), "error"),
        cluster=section.take("cluster", _text, "a column", None),
    )
    section.done()
    return found


def _headline(section: _Section) -> Headline:
    found = Headline(
        outcome=section.take("outcome", _text, "the name of an outcome"),
        horizon=section.duration("horizon"),
        population=section.one_of("population", ("own", "both", "caseload"), "both"),
        subgroups=section.names("subgroups", None, ()),
        margin=section.take("margin", _positive, "a number of percentage points", None),
    )
    section.done()
    return found


def _checks(section: _Section) -> Checks:
    found = Checks(drop=section.names("drop", None, ()), declared=section.names("declared", None, ()))
    section.done()
    return found


def _disclosure(section: _Section) -> Disclosure:
    policies = ("sensitive", "academic_safe", "opensafely", "moj_publication", "none")
    found = Disclosure(section.one_of("policy", policies, "sensitive"))
    section.done()
    return found


def _figure(section: _Section) -> FigureSpec:
    found = FigureSpec(
        name=section.take("name", _file_name, "letters, digits and _"),
        draws=section.take("draws", _text, "a registered figure"),
        outcome=section.take("outcome", _text, "the name of an outcome", None),
        alt=section.take("alt", _text, "text, or 'auto'", "auto"),
    )
    section.done()
    return found


def _table(section: _Section) -> TableSpec:
    found = TableSpec(
        name=section.take("name", _file_name, "letters, digits and _"),
        draws=section.take("draws", _text, "a registered table"),
        outcome=section.take("outcome", _text, "the name of an outcome", None),
    )
    section.done()
    return found


def _nested(top: _Section, key: str) -> Mapping[str, Mapping[str, str]]:
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


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError
    return value


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(_text(item) for item in value)


def _length(value: Any) -> int | float | str:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _positive(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        raise TypeError
    return float(value)


def _file_name(value: Any) -> str:
    if not _text(value).replace("_", "").isalnum():
        raise ValueError
    return str(value)


def _day(value: Any) -> int:
    if isinstance(value, (datetime.datetime, bool)):
        raise TypeError
    return (value - _EPOCH).days if isinstance(value, datetime.date) else _whole(value)
