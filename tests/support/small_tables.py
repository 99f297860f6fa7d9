"""A handful of people in every table, for tests that change one thing and look at what follows."""

from __future__ import annotations

from typing import Any

import pandas as pd


def rows(columns: str, *lines: str) -> pd.DataFrame:
    """Return a frame from lines of cells separated by blanks; ``-`` is an empty cell."""
    names = columns.split()
    cells = [[None if cell == "-" else cell for cell in line.split()] for line in lines]
    return pd.DataFrame(cells, columns=names)


def small_tables(**changed: Any) -> dict[str, pd.DataFrame]:
    """Return four people: 1 and 2 in the manualised programme, 3 and 4 in the bespoke one; `changed` replaces tables."""
    tables = {
        "people": rows(
            "person_id sex ethnicity_group", "p1 male white", "p2 male black", "p3 male white", "p4 female -"
        ),
        "sentences": rows(
            "sentence_id person_id sentence_date sentence_type setting index_offence release_date age_at_sentence "
            "prior_sanctions prior_sexual_sanctions area",
            "s1 p1 2008-01-01 determinate custody sexual_contact 2010-01-01 30 2 1 north",
            "s2 p2 2010-01-01 community_order community sexual_image - 40 0 0 north",
            "s3 p3 2010-02-01 community_order community sexual_contact - 50 5 2 south",
            "s4 p4 2008-06-01 determinate custody sexual_contact 2010-03-01 25 1 1 south",
        ),
        "assessments": rows(
            "person_id date instrument score band denial learning_disability",
            "p1 2008-02-01 static 3 medium none false",
            "p2 2010-01-05 static 1 low none false",
            "p3 2010-02-05 static 5 high partial false",
            "p4 2008-07-01 static 2 medium none false",
        ),
        "programmes": rows(
            "programme_id family_id name design strand format setting accredited recorded",
            "m1 core_manual Core manualised core group both true true",
            "b1 south_project Project bespoke core group both false false",
            "b2 south_project Maintenance bespoke maintenance group community false false",
        ),
        "provision": rows(
            "programme_id area open_from open_to",
            "m1 north 2005-01-01 -",
            "b1 south 2000-01-01 2014-01-01",
            "b2 south 2000-01-01 -",
        ),
        "eligibility": rows(
            "programme_id column operator value reason",
            "m1 denial == full denial",
            "m1 learning_disability == true learning_disability",
        ),
        "referrals": rows(
            "referral_id person_id sentence_id programme_id referral_date stage decision",
            "r1 p1 s1 m1 2008-03-01 custody accepted",
            "r2 p2 s2 m1 2010-01-10 order accepted",
            "r3 p3 s3 b1 2010-02-10 order accepted",
            "r4 p4 s4 b1 2008-08-01 custody accepted",
        ),
        "participation": rows(
            "participation_id referral_id person_id sentence_id programme_id start_date end_date status voluntary",
            "t1 r1 p1 s1 m1 2008-06-01 2009-01-01 completed false",
            "t2 r2 p2 s2 m1 2010-02-01 2010-08-01 completed false",
            "t3 r3 p3 s3 b1 2010-03-01 2010-09-01 dropped_out false",
            "t4 r4 p4 s4 b1 2008-10-01 2009-05-01 completed false",
        ),
        "spells": rows("person_id start_date end_date state reason"),
        "reoffences": rows(
            "reoffence_id person_id offence_date proven_date offence_type",
            "o1 p1 2011-01-01 2011-03-01 acquisitive",
            "o3 p3 2010-09-01 2010-12-01 sexual_contact",
        ),
        "exits": rows("person_id exit_date reason", "p4 2012-03-01 death"),
    }
    unknown = set(changed) - {*tables, "supervision", "delivery", "fidelity"}
    assert not unknown, unknown
    return {**tables, **changed}
