"""Does the adjusted interval find the truth, and does the naive one miss it?

One seed is one invented cohort of 3,000 people in 30 areas with every default bias on but no unmeasured confounder. Asked is the
headline: any reoffence proven within six months, within two years, calendar scale, among starters eligible for both programmes,
bespoke minus manualised. The truth is the mean of each person's own difference in risk (from both potential courses), weighted by
e(1 - e) with e the true chance of the manualised programme, as overlap weights ask; beside it, with everyone counted alike.

Run `python tests/recovery/two_year_risk.py --seeds 200` (or `make recovery`); it writes the table beside this file.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pandas as pd

import outcomes as oc
from outcomes.synthetic import Biases, make_cohort

STUDY = Path(__file__).resolve().parents[2] / "notebooks" / "study.toml"
TABLE = Path(__file__).with_name("two_year_risk.csv")
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


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Return bias (with its Monte-Carlo error), spread, mean standard error and coverage of both estimates."""
    out = []
    for name in ("naive", "adjusted"):
        error = rows[f"{name}_estimate"] - rows["truth"]
        out.append(
            {
                "estimate": name,
                "seeds": len(rows),
                "bias": error.mean(),
                "bias_error": error.std() / len(rows) ** 0.5,
                "empirical_sd": error.std(),
                "mean_std_error": rows[f"{name}_std_error"].mean(),
                "coverage": rows[f"{name}_covers"].mean(),
            }
        )
    return pd.DataFrame(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=1)
    options = parser.parse_args()
    rows = many(range(options.first, options.first + options.seeds))
    rows.to_csv(TABLE, index=False, float_format="%.6g", lineterminator="\n")
    print(summarise(rows).to_string(index=False))


if __name__ == "__main__":
    main()
