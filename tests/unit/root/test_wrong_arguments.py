"""Arguments in the wrong order or of the wrong kind: one error of ours says what was given and what was expected."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cloned_lives import as_clones, lived
from small_study import small_study
from small_tables import small_tables

import outcomes as oc

MARK = "CANARY-7731"
FRAME = pd.DataFrame({"week": [5.0, 8.0, 9.0], "arrest": [1, 0, 1], "remark": MARK})
DATA = "SurvivalData, from cohort.outcome(…) or survival_data(…)"


@pytest.fixture(scope="module")
def given() -> dict[str, Any]:
    return {
        "tables": oc.load_tables(small_tables()),
        "study": small_study(),
        "data": oc.survival_data(FRAME, duration="week", event="arrest"),
        "frame": FRAME,
    }


CASES: list[tuple[Callable[[dict[str, Any]], Any], type[oc.OutcomesError], str]] = [
    (lambda g: oc.build_cohort(g["study"], g["tables"]), oc.DesignError,
     "build_cohort(tables, study): tables must be Tables, from load_tables(…); got Study."),
    (lambda g: oc.build_cohort(g["tables"], "study.toml"), oc.DesignError,
     "build_cohort(tables, study): study must be a Study, from read_study(…); got str."),
    (lambda g: oc.load_tables(g["study"]), oc.DataError, "load_tables: a source of type Study is not supported."),
    (lambda g: oc.k_anonymity(small_tables()), oc.DataError, "k_anonymity(tables): tables must be Tables, from load_tables(…); got dict."),
    (lambda g: oc.read_study(g["tables"]), oc.DesignError, "read_study(path): path must be a path or text; got Tables."),
    (lambda g: oc.survival_data(g["data"], duration="week", event="arrest"), oc.DataError,
     "survival_data: frame must be a pandas, Polars or pyarrow frame, collected; got SurvivalData."),
    (lambda g: oc.count_rows("week", ["week"]), oc.DataError, "count_rows: frame must be a frame narwhals knows; got str."),
    (lambda g: oc.cox(g["data"], "remark", conf_level=95), oc.EstimationError, "conf_level must lie between 0 and 1; got 95."),
    (lambda g: oc.rmst(g["data"], horizon=8, conf_level=95), oc.EstimationError, "conf_level must lie between 0 and 1; got 95."),
    (lambda g: oc.cox(g["data"], ["arm"]), oc.EstimationError, "cox(data, formula): formula must be text such as 'arm + age'; got list."),
    (lambda g: oc.compare(g["data"], measure="risk_difference", at=8), oc.EstimationError,
     "compare(result): result must be what kaplan_meier(…), cumulative_incidence(…), mean_count(…), adjusted_curves(…), rmst(…), cox(…) "
     "or its standardised() gives; got SurvivalData."),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case[2].partition(":")[0] for case in CASES])
def test_what_was_given_and_what_was_expected(number: int, given: dict[str, Any]) -> None:
    call, kind, said = CASES[number]
    with pytest.raises(kind) as caught:
        call(given)
    assert str(caught.value).startswith(said)
    assert MARK not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_a_path_is_no_wrong_argument(tmp_path: Path) -> None:
    with pytest.raises(oc.DesignError, match="there is no file"):
        oc.read_study(tmp_path / "study.toml")


def _needed(name: str) -> list[str]:
    """Return the arguments a public function cannot do without; none where it is no function."""
    function = getattr(oc, name)
    known = inspect.signature(function).parameters.values() if inspect.isfunction(function) else ()
    return [argument.name for argument in known if argument.default is inspect.Parameter.empty]


OF_DATA = {name: needed for name in oc.__all__ if (needed := _needed(name))[:1] == ["data"]}


def _answer(name: str, first: Any, formula: Any = "arm") -> str:
    """Return what a function of time at risk says of arguments, the others as it takes them."""
    others: dict[str, Any] = {"formula": formula, "horizon": 8, "measure": "rmst", "at": 8, "by": "week"}
    others |= {
        "terms": ["week"],
        "estimand": "ato",
        "distribution": "weibull",
        "statistic": len,
        "seed": 1,
        "weights": None,
        "less_detected": {},
    }
    rest = {key: others[key] for key in OF_DATA[name][1:]}
    with pytest.raises(oc.EstimationError) as caught:
        getattr(oc, name)(first, **rest)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    return str(caught.value)


def test_the_functions_of_time_at_risk_are_found() -> None:
    assert {"kaplan_meier", "cox", "weight", "split_follow_up"} <= OF_DATA.keys()
    assert len(OF_DATA) >= 25


@pytest.mark.parametrize("name", OF_DATA)
@pytest.mark.parametrize("kind", ["frame", "text"])
def test_every_function_of_time_at_risk_says_what_it_takes(name: str, kind: str) -> None:
    said = _answer(name, FRAME if kind == "frame" else MARK)
    assert said.startswith(f"{name}(data")
    assert said.endswith(f"): data must be {DATA}; got {'pandas DataFrame' if kind == 'frame' else 'str'}.")


@pytest.mark.parametrize("name", [name for name, needed in OF_DATA.items() if "formula" in needed])
def test_every_formula_is_text(name: str) -> None:
    data = oc.survival_data(
        FRAME, duration="week", event="arrest", id="week", repeated=name in ("andersen_gill", "pwp")
    )
    if name == "censoring_weights":
        data = as_clones(lived(20, np.random.default_rng(1), (1.0, 1.0)))
    said = _answer(name, data, [MARK])
    assert said.startswith(name)
    assert ": formula must be text such as '" in said
    assert said.endswith("; got list.")
