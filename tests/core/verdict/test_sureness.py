"""How sure: the rules as a table, and that a further doubt never makes a verdict surer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.verdict.objection_kinds import KINDS, Objection, Sureness
from lib.core.verdict.sureness import MANY_DOUBTS, Surety, lowered, sureness_of
from tests.core.decided_runs import decided, run

SURE, FAIRLY, LIKELY, UNSURE, TIE, CANNOT = Sureness
FAIR = [kind.code for kind in KINDS if kind.cap is FAIRLY]
CODES = st.lists(st.sampled_from([kind.code for kind in KINDS]), max_size=6)


@pytest.mark.parametrize(
    ("codes", "level", "because"),
    [
        ([], SURE, ()),
        (["overfitting", "may_overtake"], SURE, ()),
        (["lower_loss_beyond_noise", "overfitting"], FAIRLY, ("lower_loss_beyond_noise",)),
        (FAIR[: MANY_DOUBTS - 1], FAIRLY, tuple(FAIR[: MANY_DOUBTS - 1])),
        (FAIR[:MANY_DOUBTS], UNSURE, tuple(FAIR[:MANY_DOUBTS])),
        (["few_evaluations", *FAIR[:MANY_DOUBTS]], UNSURE, tuple(FAIR[:MANY_DOUBTS])),
        (["leakage", *FAIR], UNSURE, ("leakage",)),
        (["tie", "winner_data", *FAIR], TIE, ("tie",)),
        (["alone", "winner_health"], CANNOT, ("alone",)),
        (["tie", "no_common_ranking"], CANNOT, ("no_common_ranking",)),
        (["few_evaluations", "lower_loss_beyond_noise"], LIKELY, ("few_evaluations",)),
        (["noise_unknown"], CANNOT, ("noise_unknown",)),
    ],
)
def test_a_verdict_is_as_sure_as_its_gravest_objection_allows(codes, level, because):
    assert lowered(codes) == (level, because)


@given(CODES, st.sampled_from([kind.code for kind in KINDS]))
@settings(deadline=None)
def test_a_further_doubt_never_makes_a_verdict_surer(codes, further):
    assert lowered([*codes, further])[0].rank >= lowered(codes)[0].rank


@given(CODES, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_objections_does_not_matter(codes, shuffle):
    shuffled = list(codes)
    shuffle.shuffle(shuffled)
    assert lowered(shuffled)[0] is lowered(codes)[0]


def test_without_a_recommended_run_there_is_nothing_to_be_sure_of():
    assert sureness_of(decided(), []) == Surety(CANNOT)
    assert sureness_of(decided(run("a"), run("b")), [Objection("tie", "Said.")]) == Surety(TIE, ("tie",))
