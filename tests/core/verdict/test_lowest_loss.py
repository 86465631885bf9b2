"""Who has the lowest eval loss, why it is not recommended, and who leads where none is."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.facts.runs import RunStatus
from lib.core.ranking.policy import ScoringPolicy
from lib.core.verdict.lowest_loss import lowest_losses
from tests.core import decided_runs
from tests.core.decided_runs import grounded
from tests.core.judged_runs import judged, real_runs, run


def grounds(*runs, policy=None):
    return judged(*runs, policy=policy)


def test_a_run_with_the_lowest_loss_and_a_poor_gap_says_why_it_is_not_first():
    found = grounds(run("1", 1.0, 0.97), run("2", 0.98, 0.7), run("3", 1.2, 1.19))
    assert found.decision.recommendation.run_id == "1"
    assert found.lowest == ("2",)
    assert found.lowest_not_first == ("L2 has the lowest eval loss (0.98), but a gap of 0.28: it scores 79.0, L1 87.8.")
    assert [found.labels[run_id] for run_id in (*found.behind, *found.left_out)] == ["L2", "L3"]
    assert found.leader is None


def test_the_lowest_loss_of_the_recommended_run_needs_no_sentence():
    found = grounds(run("1", 0.2, 0.2), run("2", 0.3, 0.3))
    assert found.lowest == ("1",)
    assert found.lowest_not_first is None


@pytest.mark.parametrize(("status", "why"), [(RunStatus.RUNNING, "still running"), (RunStatus.FAILED, "failed")])
def test_the_lowest_loss_of_a_run_that_cannot_be_recommended_says_why(status, why):
    assert grounds(run("1", 0.3, 0.3), run("2", 0.2, 0.2, status)).lowest_not_first == (
        f"L2 has the lowest eval loss (0.2), but cannot be recommended: {why}."
    )


def test_an_unknown_gap_is_given_as_the_reason():
    assert grounds(run("1", 1.0, 0.98), run("2", 0.99)).lowest_not_first == (
        "L2 has the lowest eval loss (0.99), but an unknown gap: it scores 85.0, L1 93.6."
    )


def test_a_shared_lowest_loss_names_the_tie_break():
    when = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2)]
    cases = [
        ({"loss": 0.29}, {"loss": 0.28}, "its smaller gap (+0.0100 against +0.0200)"),
        ({"completed_at": when[0]}, {"completed_at": when[1]}, "having completed earlier"),
        ({"completed_at": when[0]}, {}, "its known time of completion"),
        ({}, {}, "its id, the last tie-break"),
    ]
    for first, second, words in cases:
        found = grounds(run("1", 0.3, **first), run("2", 0.3, **second))
        assert found.lowest == ("1", "2")
        assert found.lowest_not_first.startswith("L2 shares the lowest eval loss (0.3), and the same score; ")
        assert found.lowest_not_first.endswith(f"; L1 wins the tie by {words}.")


def test_a_shared_lowest_loss_with_different_gaps_names_the_points():
    assert grounds(run("1", 0.3, 0.3), run("2", 0.3, 0.1)).lowest_not_first.startswith(
        "L2 shares the lowest eval loss (0.3), but a gap of 0.2000: it scores 79.0, L1 100.0."
    )


def test_without_any_gap_weight_the_lowest_loss_is_recommended():
    found = grounds(*real_runs(), policy=ScoringPolicy(eval_weight=1.0))
    assert found.lowest == (found.decision.recommendation.run_id,)
    assert found.lowest_not_first is None


some_loss = st.none() | st.sampled_from([0.0, -0.5, 0.2, 0.3, 0.30000000001, math.nan, math.inf]) | st.floats(0, 5)
some_run = st.tuples(some_loss, some_loss, st.sampled_from(list(RunStatus)))


@given(st.lists(some_run, max_size=5), st.sampled_from([0.0, 0.5, 0.7, 1.0]))
@settings(deadline=None)
def test_every_selection_has_its_words(cases, weight):
    runs = [run(str(n), *case) for n, case in enumerate(cases)]
    found = grounds(*runs, policy=ScoringPolicy(eval_weight=weight))
    recommendation, sentence = found.decision.recommendation, found.lowest_not_first
    assert (found.leader is None) == (recommendation.run_id is not None)
    expected = [each for each in found.lowest if each != recommendation.run_id] if recommendation.run_id else []
    assert (sentence or "").count("the lowest eval loss") == len(expected)
    assert len(found.behind) + len(found.left_out) == len(runs) - (recommendation.run_id is not None)
    for holder in expected:
        score = found.decision.scores.get(holder)
        if score and " of L" in sentence and len(expected) == 1:
            # Whoever has the lower loss can only be behind by its gap points.
            assert score.gap_points < recommendation.winner.gap_points


def test_the_leader_so_far_is_named_with_what_keeps_it_from_being_recommended():
    running = run("1", 0.4123, 0.4, RunStatus.RUNNING)
    assert grounds(running, run("2", 0.5, 0.4, RunStatus.FAILED)).leader == (
        "L1 has the lowest eval loss, 0.4123 (still running)."
    )
    assert grounds(running, run("2", 0.4123, status=RunStatus.FAILED)).leader == (
        "L1 and L2 share the lowest eval loss, 0.4123."
    )


def test_where_there_is_no_leader_the_words_say_why():
    assert grounds().leader == "No run is selected."
    assert grounds(run("1")).leader == "No selected run has logged an eval loss."
    assert grounds(run("1", math.nan), run("2")).leader == "No selected run has a finite eval loss."


def test_runs_whose_losses_do_not_compare_have_no_leader():
    first = decided_runs.run("a", 0.5, RunStatus.RUNNING)

    def leader(dataset):
        return grounded(first, decided_runs.run("b", 0.4, RunStatus.RUNNING, dataset=dataset)).leader

    assert leader("tatsu-lab/alpaca").startswith("b has the lowest eval loss, 0.4")
    assert leader(...).startswith("b has the lowest eval loss, 0.4")
    assert leader("x/y") == "None leads: the eval losses do not compare (different evaluation data)."


def test_the_lowest_of_no_losses_is_none():
    assert lowest_losses([]) == lowest_losses([run("1"), run("2", math.inf)]) == ()
