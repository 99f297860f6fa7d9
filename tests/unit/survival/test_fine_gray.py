"""Fine–Gray regression: R's numbers, its definition by hand, weights, strata, clusters, late entry, what it refuses and says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fine_gray_by_hand import People, coefficients, covariance

import outcomes as oc
from outcomes.survival.fine_gray_result import FineGray

CAUSES = {1: "sexual", 2: "death"}
I = np.arange(90)  # noqa: E741 - as in the R code below

# Estimates and standard errors of x and z in R: cmprsk 2.2-11, survival 3.5-3, on a frame made by the same formula.
# crr(stop, e, cbind(x, z), cengroup=); coxph(Surv(fgstart, fgstop, fgstatus) ~ x + z, weights=fgwt, cluster=) on
# finegray(Surv(stop, ev) ~ ., id=id) or Surv(entry, stop, ev), with strata(g) in both formulas where it says strata.
IN_R = {
    "crr": ([0.0435984106098, -0.0608310495940], [0.269498695019, 0.365565358840]),
    "crr_cengroup": ([0.0399673352756, -0.0613070457110], [0.269496923716, 0.365786247955]),
    "finegray": ([0.0435671389425, -0.0676265025797], [0.274710154817, 0.372959319349]),
    "clustered": ([0.0435671389425, -0.0676265025797], [0.3301676790744, 0.0952730915667]),
    "strata": ([0.0420795222008, -0.0680373063992], [0.270031231517, 0.370407145152]),
    "late": ([0.0464522926683, -0.0585160183648], [0.277567182704, 0.376817863317]),
    "late_breslow": ([0.0449599605628, -0.0544436553344], [0.272337389080, 0.369115271485]),
    "late_strata": ([0.0401402853858, -0.0639075661550], [0.273694941007, 0.374201734000]),
}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    late = np.where(I % 4 == 1, (3 * I) % 5, 0)
    return pd.DataFrame(
        {
            "x": (7 * I) % 11 / 5,
            "z": (I % 3 == 0) * 1,
            "cl": (5 * I) % 12,
            "g": I % 2,
            "entry": late,
            "stop": late + 1 + (17 * I) % 13 + (I % 7 == 2) * 3,
            "e": np.where(I % 11 == 4, 0, np.array([0, 1, 2, 1, 2])[(I * 7) % 5]),
            "w": 0.5 + (5 * I) % 9 / 6,
        }
    )


def take(frame: pd.DataFrame, **more: Any) -> oc.SurvivalData:
    return oc.survival_data(frame, **({"duration": "stop", "event": "e", "causes": CAUSES} | more))


def late(frame: pd.DataFrame, **more: Any) -> oc.SurvivalData:
    return take(frame, duration=None, entry="entry", exit="stop", **more)


def fit(data: oc.SurvivalData, formula: str = "x + z", **more: Any) -> FineGray:
    return oc.fine_gray(data, formula, cause="sexual", **more)


def errors(model: FineGray) -> np.ndarray:
    return np.sqrt(np.diag(model.covariance))


# R's numbers


@pytest.mark.parametrize(
    ("name", "comes_late", "asked"),
    [
        ("crr", False, {}),
        ("finegray", False, {"ties": "efron"}),
        ("clustered", False, {"ties": "efron", "cluster": "cl"}),
        ("strata", False, {"ties": "efron", "strata": "g", "censoring_strata": "g"}),
        ("late", True, {"ties": "efron"}),
        ("late_strata", True, {"ties": "efron", "strata": "g", "censoring_strata": "g"}),
    ],
)
def test_estimates_and_errors_are_those_of_r(
    frame: pd.DataFrame, name: str, comes_late: bool, asked: dict[str, Any]
) -> None:
    model = fit(late(frame) if comes_late else take(frame), **asked)
    np.testing.assert_allclose(model.coefficients, IN_R[name][0], rtol=1e-8)
    np.testing.assert_allclose(errors(model), IN_R[name][1], rtol=1e-8)


def test_with_late_entry_breslow_has_the_estimate_of_finegray_and_counts_the_weights_as_estimated(
    frame: pd.DataFrame,
) -> None:
    model = fit(late(frame))
    np.testing.assert_allclose(model.coefficients, IN_R["late_breslow"][0], rtol=1e-8)
    np.testing.assert_allclose(errors(model), IN_R["late_breslow"][1], rtol=0.01)
    assert np.all(errors(model) != pytest.approx(IN_R["late_breslow"][1], rel=1e-6))


def test_by_censoring_strata_the_estimate_is_crrs_and_nobody_moves_the_censoring_of_another_stratum(
    frame: pd.DataFrame,
) -> None:
    model = fit(take(frame), censoring_strata="g")
    np.testing.assert_allclose(model.coefficients, IN_R["crr_cengroup"][0], rtol=1e-8)
    np.testing.assert_allclose(errors(model), IN_R["crr_cengroup"][1], rtol=0.005)


# The definition by hand


def people(frame: pd.DataFrame, *, weighted: bool, comes_late: bool, group: bool, stratum: bool) -> People:
    nobody = np.zeros(len(frame), dtype=int)
    return People(
        entry=frame["entry"].to_numpy(dtype=float) if comes_late else np.zeros(len(frame)),
        exit=frame["stop"].to_numpy(dtype=float),
        event=frame["e"].to_numpy(),
        x=frame[["x", "z"]].to_numpy(dtype=float),
        weight=frame["w"].to_numpy() if weighted else np.ones(len(frame)),
        group=frame["g"].to_numpy() if group else nobody,
        stratum=frame["h"].to_numpy() if stratum else nobody,
    )


@pytest.mark.parametrize("ties", ["breslow", "efron"])
@pytest.mark.parametrize("comes_late", [False, True])
@pytest.mark.parametrize(("group", "stratum"), [(False, False), (True, False), (True, True)])
def test_the_estimate_is_that_of_the_definition(
    frame: pd.DataFrame, ties: str, comes_late: bool, group: bool, stratum: bool
) -> None:
    some = frame.iloc[:26].assign(h=I[:26] % 3 // 2)
    hand = people(some, weighted=True, comes_late=comes_late, group=group, stratum=stratum)
    expected = coefficients(hand, exact=comes_late or ties == "efron", efron=ties == "efron")
    model = fit(
        late(some) if comes_late else take(some), weights="w", ties=ties, strata="h" if stratum else None,
        censoring_strata="g" if group else None,
    )  # fmt: skip
    np.testing.assert_allclose(model.coefficients, expected, rtol=1e-7)


@pytest.mark.parametrize(("group", "stratum"), [(False, False), (True, False), (True, True)])
def test_the_variance_is_that_of_the_definition(frame: pd.DataFrame, group: bool, stratum: bool) -> None:
    some = frame.iloc[:26].assign(h=I[:26] % 3 // 2)
    model = fit(take(some), weights="w", strata="h" if stratum else None, censoring_strata="g" if group else None)
    hand = people(some, weighted=True, comes_late=False, group=group, stratum=stratum)
    np.testing.assert_allclose(model.covariance, covariance(hand, model.coefficients), rtol=1e-7)


@pytest.mark.parametrize("asked", [{}, {"strata": "g", "censoring_strata": "g"}, {"censoring_strata": "g"}])
def test_influences_are_the_derivatives_by_the_weights(frame: pd.DataFrame, asked: dict[str, Any]) -> None:
    """With late entry nothing is approximated: re-estimating censoring and entry under moved weights is in the influence."""
    data, weight, step = late(frame), frame["w"].to_numpy(), 1e-5
    model = fit(data, weights=weight, **asked)
    for person in range(0, 90, 13):
        moved = [weight + sign * step * (person == I) for sign in (1, -1)]
        up, down = (fit(data, weights=one, **asked).coefficients for one in moved)
        np.testing.assert_allclose(model.slopes[person], (up - down) / (2 * step), rtol=1e-5, atol=1e-8)


# Weights, frequencies, clusters


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_the_scale_of_the_weights_does_not_matter(frame: pd.DataFrame, ties: str) -> None:
    one, ten = (fit(take(frame), weights=k * frame["w"], ties=ties, cluster="cl") for k in (1, 10))
    np.testing.assert_allclose(one.coefficients, ten.coefficients, rtol=1e-9)
    np.testing.assert_allclose(one.covariance, ten.covariance, rtol=1e-9)


def test_weights_of_one_are_no_weights(frame: pd.DataFrame) -> None:
    plain, ones = fit(take(frame)), fit(take(frame), weights=np.ones(90))
    np.testing.assert_allclose(plain.coefficients, ones.coefficients, rtol=1e-12)
    np.testing.assert_allclose(plain.covariance, ones.covariance, rtol=1e-12)


def test_a_weight_of_two_is_two_rows_and_a_frequency_of_two_is_two_people(frame: pd.DataFrame) -> None:
    twice = frame["g"] == 1
    doubled = fit(take(pd.concat([frame, frame[twice]], ignore_index=True)))
    weighted = fit(take(frame), weights=1.0 + twice)
    counted = fit(take(frame.assign(f=1 + twice), frequency="f"))
    for other in (weighted, counted):
        np.testing.assert_allclose(other.coefficients, doubled.coefficients, rtol=1e-9)
    np.testing.assert_allclose(counted.covariance, doubled.covariance, rtol=1e-9)
    assert (counted.n, counted.n_events, counted.n_competing) == (doubled.n, doubled.n_events, doubled.n_competing)
    assert not np.allclose(weighted.covariance, doubled.covariance, rtol=1e-3)


def test_people_without_weight_are_not_there(frame: pd.DataFrame) -> None:
    weight = np.where(frame["cl"] < 3, 0.0, 1.0)
    model, fewer = fit(take(frame), weights=weight), fit(take(frame[frame["cl"] >= 3]))
    np.testing.assert_allclose(model.coefficients, fewer.coefficients, rtol=1e-9)
    np.testing.assert_allclose(model.covariance, fewer.covariance, rtol=1e-9)
    assert model.n == fewer.n


def test_clusters_sum_the_influences_of_their_people(frame: pd.DataFrame) -> None:
    model = fit(take(frame), cluster="cl")
    np.testing.assert_allclose(model.coefficients, fit(take(frame)).coefficients, rtol=1e-12)
    summed = pd.DataFrame(fit(take(frame)).influence()).groupby(frame["cl"]).sum().to_numpy()
    np.testing.assert_allclose(model.covariance, summed.T @ summed, rtol=1e-9)
    table = model.to_frame()
    assert table["df"].tolist() == [11, 11]
    np.testing.assert_allclose(table["statistic"], table["estimate"] / table["std_error"] / np.sqrt(12 / 11))


def test_weights_from_a_score_can_be_counted_as_estimated(frame: pd.DataFrame) -> None:
    data = take(frame, arm="g", reference=0)
    model = fit(data, "arm", weights=oc.weight(data, "x + z", estimand="ate"))
    known, estimated = model.influence(), model.influence(variance="stacked")
    np.testing.assert_allclose(known.T @ known, model.covariance)
    assert not np.allclose(known, estimated)


# What must not change


def test_order_of_rows_unit_of_time_and_scale_of_covariates_do_not_matter(frame: pd.DataFrame) -> None:
    model = fit(late(frame), strata="g", censoring_strata="z", weights="w")
    other = frame.sample(frac=1, random_state=3).assign(
        stop=lambda d: d["stop"] * 30.4, entry=lambda d: d["entry"] * 30.4, x=lambda d: 1e6 + 1e3 * d["x"]
    )
    again = fit(late(other), strata="g", censoring_strata="z", weights="w")
    np.testing.assert_allclose(again.coefficients * [1e3, 1], model.coefficients, rtol=1e-7)
    np.testing.assert_allclose(errors(again) * [1e3, 1], errors(model), rtol=1e-7)


def test_the_other_reference_turns_the_sign(frame: pd.DataFrame) -> None:
    one, other = (fit(take(frame, arm="g", reference=level), "arm + x") for level in (0, 1))
    assert (one.terms[0], other.terms[0]) == ("arm[1]", "arm[0]")
    np.testing.assert_allclose(one.coefficients * [-1, 1], other.coefficients, rtol=1e-9)
    np.testing.assert_allclose(errors(one), errors(other), rtol=1e-9)


def test_without_competing_events_it_is_the_cox_model(frame: pd.DataFrame) -> None:
    alone = frame.assign(e=np.where(frame["e"] == 2, 0, frame["e"]))
    model = fit(take(alone), ties="efron")
    cox = oc.cox(take(alone), "x + z", cause="sexual", robust=True)
    np.testing.assert_allclose(model.coefficients, cox.coefficients, rtol=1e-9)
    np.testing.assert_allclose(model.covariance, cox.covariance, rtol=1e-9)
    assert "nothing_competes" in {note.code for note in model.notes}


def test_without_censoring_competing_events_never_leave(frame: pd.DataFrame) -> None:
    """The risk set is then known: Cox with competing events moved to after the end."""
    full = frame.assign(e=np.where(frame["e"] == 0, 2, frame["e"]))
    stays = full.assign(stop=np.where(full["e"] == 2, 99, full["stop"]), e=full["e"] % 2)
    model, cox = fit(take(full)), oc.cox(take(stays, causes={1: "sexual"}), "x + z", ties="breslow", robust=True)
    np.testing.assert_allclose(model.coefficients, cox.coefficients, rtol=1e-9)
    np.testing.assert_allclose(model.covariance, cox.covariance, rtol=1e-9)


# What is refused


def test_causes_that_compete_need_a_name(frame: pd.DataFrame) -> None:
    with pytest.raises(oc.EstimationError, match=r"2 causes compete here \(sexual, death\)"):
        oc.fine_gray(take(frame), "x")
    with pytest.raises(oc.EstimationError, match="Did you mean 'sexual'"):
        oc.fine_gray(take(frame), "x", cause="sexuel")
    with pytest.raises(oc.EstimationError, match="'breslow', 'efron'"):
        fit(take(frame), ties="exact")
    with pytest.raises(oc.EstimationError, match="conf_level"):
        fit(take(frame), conf_level=95)


def test_several_rows_a_person_have_no_right_answer(frame: pd.DataFrame) -> None:
    """Covariates that change, gaps and split spells all come as several rows."""
    split = pd.concat(
        [frame.assign(id=I, entry=0), frame.assign(id=I, entry=frame["stop"], stop=frame["stop"] + 1)],
        ignore_index=True,
    )
    split.loc[:89, "e"] = 0
    with pytest.raises(oc.NotSupportedError, match="90 rows are a person's second or later"):
        fit(late(split, id="id"))


def test_data_that_hold_every_event_are_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(oc.NotSupportedError, match="fine_gray is about the first"):
        fit(replace(take(frame), repeated=True))


def test_missing_and_useless_columns_are_named(frame: pd.DataFrame) -> None:
    for column, values, message in (
        ("x", frame["x"].where(frame["x"] > 0), r"covariates are missing: x \(9\) of 90 rows"),
        ("x", 1, "x is the same for everyone"),
        ("x", frame["z"] * 2 + 1, "collinear"),
        ("x", np.where(frame["x"] > 1.5, np.inf, 0), "infinite values in x"),
    ):
        with pytest.raises(oc.EstimationError, match=message):
            fit(take(frame.assign(**{column: values})), "z + x")
    with pytest.raises(oc.EstimationError, match=r"no column 'gg' \(strata\)"):
        fit(take(frame), censoring_strata="gg")


def test_a_term_that_differs_only_between_strata_says_nothing(frame: pd.DataFrame) -> None:
    with pytest.raises(oc.EstimationError, match="z says nothing"):
        fit(take(frame), strata="z")


def test_the_arm_needs_two(frame: pd.DataFrame) -> None:
    with pytest.raises(oc.EstimationError, match="only one arm"):
        fit(take(frame), "arm")
    with pytest.raises(oc.EstimationError, match="every weight in arm '1' is 0"):
        fit(take(frame, arm="g", reference=0), "arm", weights=1.0 - frame["g"])


def test_no_event_no_fit(frame: pd.DataFrame) -> None:
    with pytest.raises(oc.EstimationError, match="nobody had the event 'sexual'"):
        fit(take(frame.assign(e=2 * (frame["e"] > 0))))


def test_a_chance_that_cannot_be_told_is_an_error_in_counts() -> None:
    """All in view are censored at 2; those who enter later and have a competing event cannot be weighed against them."""
    rows = {"entry": [0, 0, 3, 3, 3, 4], "stop": [2, 2, 5, 6, 7, 8], "e": [0, 0, 2, 1, 0, 1], "x": [0, 1, 1, 0, 1, 1]}
    with pytest.raises(oc.EstimationError, match="before 1 competing events") as raised:
        fit(late(pd.DataFrame(rows)), "x")
    assert raised.value.__cause__ is raised.value.__context__ is None


# Few events, all events, separation


def test_one_event_fits_with_a_note(frame: pd.DataFrame) -> None:
    model = fit(take(frame.assign(e=np.where(I == 44, 1, 2 * (frame["e"] == 2)))), "x")
    assert "few_events" in {note.code for note in model.notes}


def test_everybody_may_have_the_event(frame: pd.DataFrame) -> None:
    model = fit(take(frame.assign(e=1)))
    assert (model.n_events, model.n_competing) == (90, 0)
    assert np.isfinite(errors(model)).all()


def test_a_term_that_separates_is_said_in_a_note(frame: pd.DataFrame) -> None:
    model = fit(take(frame.assign(x=(frame["e"] == 1) * 1)), "x")
    assert "separation" in {note.code for note in model.notes}
    assert model.to_frame(exponentiate=True)["conf_high"].item() > 1e6


# Tables and sentences


def test_the_table_names_what_kind_of_ratio_it_is(frame: pd.DataFrame) -> None:
    model = fit(take(frame), conf_level=0.9)
    table, ratio = model.to_frame(), model.to_frame(exponentiate=True)
    assert table["measure"].unique().tolist() == ["log_subdistribution_hazard_ratio"]
    assert ratio["measure"].unique().tolist() == ["subdistribution_hazard_ratio"]
    np.testing.assert_allclose(
        np.exp(table[["estimate", "conf_low", "conf_high"]]), ratio[["estimate", "conf_low", "conf_high"]]
    )
    np.testing.assert_allclose(table["conf_high"] - table["estimate"], 1.644854 * table["std_error"], rtol=1e-6)
    assert table[["n", "n_events", "n_competing"]].to_numpy().tolist() == [[90, 33, 33]] * 2
    assert model.summary().columns.tolist()[:2] == ["term", "subdistribution_hazard_ratio"]


def test_the_test_of_all_terms_is_wald(frame: pd.DataFrame) -> None:
    model = fit(take(frame))
    found = model.tests()
    assert found["test"].tolist() == ["wald"]
    b = model.coefficients
    assert found["statistic"].item() == pytest.approx(b @ np.linalg.solve(model.covariance, b))
    assert np.isnan(fit(take(frame), cluster="g").tests()["statistic"].item())


def test_the_sentence_says_what_the_ratio_is_not(frame: pd.DataFrame) -> None:
    text = fit(take(frame)).describe()
    assert text.startswith("Subdistribution hazard ratios for sexual (90 people, 33 events, 33 competing events")
    assert "not a ratio of rates among people still at risk" in text
    assert "Fine–Gray" in repr(fit(take(frame)))
