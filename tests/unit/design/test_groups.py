"""Which group people went to, who ran it, and what it scored by a day."""

from __future__ import annotations

import numpy as np
import pytest
from small_study import cohort, compared, extract, small_study
from small_tables import rows

import outcomes as oc
from outcomes.design.groups import NOBODY, Monitoring, group_of_people, must_be_started, scores_by_person, teams

PEOPLE = extract(
    "p1 m1 community 2009-12-01 - 2010-01-01",
    "p2 m1 community 2009-12-01 - 2010-01-01",
    "p3 b1 community 2009-12-01 - 2010-01-01",
    "p4 b1 community 2009-12-01 - 2010-01-01",
)
STARTS = rows(
    "participation_id person_id sentence_id programme_id start_date end_date status voluntary group_id",
    "t1 p1 s1 m1 2010-01-01 2010-06-01 completed false g1",
    "t2 p1 s1 m1 2010-01-01 2010-06-01 completed false g2",  # on the same day, with a larger id
    "t3 p2 s2 m1 2010-01-01 2010-06-01 completed false g2",
    "t4 p2 s2 m1 2010-09-01 2010-12-01 completed false g1",  # later
    "t5 p3 s3 b1 2010-01-01 2010-06-01 completed false g3",
    "t6 p3 s3 b2 2009-12-20 2010-06-01 completed false -",  # first of the arm, in no group
    "t7 p4 s4 b1 2010-01-01 2010-06-01 completed false g3",
    "t8 p4 s4 m1 2010-03-01 2010-06-01 completed false g1",  # of another arm
)
RUN = rows("group_id facilitator_id", "g1 f1", "g1 f2", "g2 f2", "g3 f3")


def of_person(found: oc.Cohort, values: np.ndarray) -> dict[str, int]:
    return dict(zip(compared(found), map(int, values), strict=True))


def test_the_group_is_that_of_the_spell_that_put_somebody_into_their_arm() -> None:
    found = cohort(PEOPLE | {"participation": STARTS})
    group = of_person(found, group_of_people(found))
    assert group["p3"] == NOBODY
    assert len({group["p1"], group["p2"], group["p4"]}) == 3
    assert NOBODY not in {group["p1"], group["p2"], group["p4"]}


def test_groups_that_share_a_facilitator_are_of_one_team() -> None:
    found = cohort(PEOPLE | {"participation": STARTS, "delivery": RUN})
    team = of_person(found, teams(found, group_of_people(found)))
    assert team["p1"] == team["p2"] != team["p4"]
    assert team["p3"] == NOBODY
    without = cohort(PEOPLE | {"participation": STARTS})
    assert set(teams(without, group_of_people(without))) == {NOBODY}


def test_scores_count_up_to_a_day_and_groups_without_any_have_none() -> None:
    monitoring = Monitoring(
        group=np.array([4, 4, 4, 9]),
        date=np.array([10, 20, 30, 15]),
        score=np.array([1.0, 2.0, 6.0, 5.0]),
        scale="s",
        n_late=0,
    )
    group, by = np.array([4, 4, 4, 9, 9, 7, NOBODY]), np.array([np.inf, 20, 9, 15, 14, np.inf, np.inf])
    score, count = scores_by_person(group, monitoring, by)
    assert score == pytest.approx([3.0, 1.5, np.nan, 5.0, np.nan, np.nan, np.nan], nan_ok=True)
    assert list(count) == [3, 2, 0, 1, 0, 0, 0]


@pytest.mark.parametrize("changed", [{"assigned_by": "referral"}, {"strategy": "time_varying"}])
def test_people_whose_start_is_not_known_at_time_zero_are_in_no_group(changed: dict[str, str]) -> None:
    with pytest.raises(oc.NotSupportedError, match="put into the groups they started in"):
        must_be_started(small_study(**changed), "fidelity_effect")
