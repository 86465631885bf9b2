"""How sure: the rules as a table, and that a further doubt never makes a verdict surer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.verdict.objection_kinds import KINDS, Objection, Sureness
from lib.core.verdict.sureness import MANY_DOUBTS, lowered, sureness_of
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


CLEAR = run("a", 0.5), run("b", 0.8)


@pytest.mark.parametrize(
    ("runs", "codes", "level", "sentence"),
    [
        ((), [], CANNOT, "There is nothing to be sure of: no run can be recommended."),
        (
            CLEAR,
            [],
            SURE,
            "The lead of 69.10 points is beyond the noise (90% level), and nothing that was checked casts doubt on it.",
        ),
        (
            CLEAR,
            ["leakage", "overfitting"],
            UNSURE,
            "The lead of 69.10 points is beyond the noise (90% level), but: possible leakage.",
        ),
        (CLEAR[:1], ["alone"], CANNOT, "There is nothing to compare it with."),
        (
            (run("a"), run("b", dataset="x/y")),
            ["no_common_ranking"],
            CANNOT,
            "Which of them is better cannot be told: what they were measured by means different things.",
        ),
        ((run("a"), run("b")), ["tie"], TIE, "The scores are equal."),
    ],
)
def test_the_sentence_says_why(runs, codes, level, sentence):
    surety = sureness_of(decided(*runs), [Objection(code, "Said.") for code in codes])
    assert (surety.level, surety.sentence) == (level, sentence)


def test_a_lead_within_the_noise_says_how_large_it_is():
    surety = sureness_of(decided(run("a", 0.5), run("b", 0.501), noise=0.02), [Objection("tie", "Said.")])
    assert surety.sentence == "The lead of 1.26 points is within the noise (90% level)."


def test_an_unknown_noise_is_said():
    surety = sureness_of(decided(*CLEAR, count=2), [Objection("noise_unknown", "Said.")])
    assert surety.sentence == "Whether its lead is more than noise cannot be told."
