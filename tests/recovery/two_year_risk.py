"""Does the adjusted interval find the truth, and does the naive one miss it?

One seed is one invented cohort of 3,000 people in 30 areas with every default bias on but no unmeasured confounder. Asked is the
headline: any reoffence proven within six months, within two years, calendar scale, among starters eligible for both programmes,
bespoke minus manualised. The truth is the mean of each person's own difference in risk (from both potential courses), weighted by
e(1 - e) with e the true chance of the manualised programme, as overlap weights ask; beside it, with everyone counted alike.

`make recovery` runs it with all else that is recovered; the table, one row a cohort, is docs/recovery/two_year_risk.csv.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from gates import gates_for, summary_row
from replicating import COLUMNS
from scenario import Interval, Setting, Truth

import outcomes as oc
from outcomes.synthetic import Biases, make_cohort

__all__ = ["HEADLINE", "TABLE", "many", "one_seed", "summary_rows"]

ROOT = Path(__file__).resolve().parents[2]
STUDY = ROOT / "notebooks" / "study.toml"
TABLE = ROOT / "docs" / "recovery" / "two_year_risk.csv"
REPLICATES = 200


def one_seed(seed: int, *, n_people: int = 3000, n_areas: int = 30, biases: Biases | None = None) -> dict[str, Any]:
    """Return naive and adjusted estimate and interval, and the truth, for one invented cohort."""
    made = make_cohort(
        n_people, n_areas=n_areas, seed=seed, biases=biases or Biases(), replicates=REPLICATES, scope="headline"
    )
    study = oc.read_study(STUDY)
    cohort = oc.build_cohort(oc.load_tables(made.tables), study)
    data = cohort.outcome(study.headline.outcome)
    weights = oc.weight(data, study.adjust.formula, estimand=study.adjust.estimand)
    row: dict[str, Any] = {"seed": seed, "n": len(data.baseline), **_truth(made.potential)}
    for name, used in (("naive", None), ("adjusted", weights)):
        risk = oc.cumulative_incidence(data, weights=used, cluster=study.adjust.cluster)
        found = oc.compare(risk, measure="risk_difference", at=study.headline.horizon).to_frame().iloc[0]
        row |= {f"{name}_{key}": float(found[key]) for key in ("estimate", "std_error", "conf_low", "conf_high")}
        row[f"{name}_covers"] = bool(found["conf_low"] <= row["truth"] <= found["conf_high"])
    for arm, size in weights.effective_sample_size.items():
        row[f"effective_share_{arm}"] = size / int((weights.arm == weights.arms.index(arm)).sum())
    return row


def _truth(potential: pd.DataFrame) -> dict[str, float]:
    """Return the true difference among people who might have gone to either programme, and with everyone counted alike."""
    both = potential[potential["in_both"]]
    difference = both["bespoke_any_proven_risk_2y"] - both["manualised_any_proven_risk_2y"]
    overlap = both["propensity"] * (1 - both["propensity"])
    return {"truth": float((difference * overlap).sum() / overlap.sum()), "truth_everyone": float(difference.mean())}


def many(seeds: range, *, workers: int = 2) -> pd.DataFrame:
    """Return one row a seed, in order of seeds."""
    from joblib import Parallel, delayed

    return pd.DataFrame(Parallel(n_jobs=workers)(delayed(one_seed)(seed) for seed in seeds))


def summary_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row of the common table for both estimates; each cohort has a truth of its own, their mean is shown."""
    middle, out = float(rows["truth"].mean()), []
    for name, estimator in _SAID.items():
        values = rows[[f"{name}_{key}" for key in ("estimate", "std_error", "conf_low", "conf_high")]].to_numpy()
        moved = values - (rows["truth"] - middle).to_numpy()[:, None] * [1, 0, 1, 1]
        row = summary_row([Interval(*one) for one in moved], Truth(middle), gates_for(len(rows)), conservative=False)
        passed = "pass" if row.pop("passed") else "FAIL"
        gate = "reported" if estimator in HEADLINE.reported else passed
        asked = {
            "setting": HEADLINE.name,
            "estimator": estimator,
            "quantity": "difference in risk at 2y",
            "n": HEADLINE.people,
        }
        out.append({**asked, **row, "gate": gate})
    return pd.DataFrame(out, columns=list(COLUMNS))


_SAID = {"naive": "compare, no weights", "adjusted": "compare, overlap weights from the score"}
HEADLINE = Setting(
    name="the headline on invented cohorts",
    said="Cohorts of `synthetic` with every default bias on but no unmeasured confounder, 30 areas; derived, weighted and compared as the "
    "example study asks. Each has a truth of its own, from both potential courses of its people; their mean is shown, errors are against "
    "each cohort's own.",
    people=3000,
    reported={_SAID["naive"]: "the arms differ in who is in them: this is what adjustment is for"},
)
