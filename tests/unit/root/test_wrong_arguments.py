"""Arguments in the wrong order or of the wrong kind: one error of ours says what was given and what was expected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
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
    (lambda g: oc.kaplan_meier(g["frame"]), oc.EstimationError, f"kaplan_meier(data): data must be {DATA}; got pandas DataFrame."),
    (lambda g: oc.cumulative_incidence(g["frame"]), oc.EstimationError, f"cumulative_incidence(data): data must be {DATA}; got pandas"),
    (lambda g: oc.nelson_aalen(g["frame"]), oc.EstimationError, f"nelson_aalen(data): data must be {DATA}; got pandas DataFrame."),
    (lambda g: oc.logrank_test(g["frame"]), oc.EstimationError, f"logrank_test(data): data must be {DATA}; got pandas DataFrame."),
    (lambda g: oc.rmst(g["frame"], horizon=8), oc.EstimationError, f"rmst(data): data must be {DATA}; got pandas DataFrame."),
    (lambda g: oc.cox("arm", g["data"]), oc.EstimationError, f"cox(data, formula): data must be {DATA}; got str."),
    (lambda g: oc.cox(g["data"], ["arm"]), oc.EstimationError, "cox(data, formula): formula must be text such as 'arm + age'; got list."),
    (lambda g: oc.weight("age", g["data"], estimand="ato"), oc.EstimationError, f"weight(data, formula): data must be {DATA}; got str."),
    (lambda g: oc.characteristics(g["frame"], ["week"]), oc.EstimationError, f"characteristics(data, terms): data must be {DATA}; got"),
    (lambda g: oc.subgroup_effects("week", g["data"], at=8), oc.EstimationError, f"subgroup_effects(data, by): data must be {DATA}; got"),
    (lambda g: oc.compare(g["data"], measure="risk_difference", at=8), oc.EstimationError,
     "compare(result): result must be what kaplan_meier(…), cumulative_incidence(…), mean_count(…), rmst(…), cox(…) or its standardised() "
     "gives; got SurvivalData."),
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
