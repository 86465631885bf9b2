"""Who has the trophy, who leads and who is behind, in words."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.facts.runs import RunStatus
from lib.core.ranking.scoring import ScoringPolicy, recommend
from lib.core.verdict.summary import SummaryInput
from lib.core.verdict.trophy import leader_so_far, trophy, trophy_sentence, why_not_others
from tests.core.judged_runs import judged, real_runs, run


def test_the_real_runs_recommend_one_and_give_the_trophy_to_another_and_say_why():
    recommendation, rows, labels = judged(*real_runs())
    assert recommendation.run_id == "8 3e-6"
    assert trophy(rows) == ("8 3e-5",)
    assert trophy_sentence(recommendation, rows, labels) == (
        "L8 3e-5 has the lowest eval loss (0.3293), but its gap of +0.3090 (high overfitting) gives 30"
        " gap points against 100 of L8 3e-6; in total 59.36 against 79.74."
    )
    assert why_not_others(recommendation, labels) == [
        "L8 1e-3: 78.71, 1.03 points behind.",
        "L8 3e-5: 59.36, 20.38 points behind.",
        "L8 4e-5: 59.24, 20.51 points behind.",
        "L8 2e-5: 59.20, 20.54 points behind.",
    ]
    assert leader_so_far(rows, recommendation, labels) is None


def test_the_trophy_of_the_recommended_run_needs_no_sentence():
    recommendation, rows, labels = judged(run("1", 0.2, 0.2), run("2", 0.3, 0.3))
    assert trophy(rows) == ("1",)
    assert trophy_sentence(recommendation, rows, labels) is None


@pytest.mark.parametrize(("status", "why"), [(RunStatus.RUNNING, "still running"), (RunStatus.FAILED, "failed")])
def test_a_trophy_of_a_run_that_cannot_be_recommended_says_why(status, why):
    recommendation, rows, labels = judged(run("1", 0.3, 0.3), run("2", 0.2, 0.2, status))
    assert trophy_sentence(recommendation, rows, labels) == (
        f"L2 has the lowest eval loss (0.2000), but cannot be recommended: {why}."
    )


def test_a_trophy_of_a_run_that_was_not_ranked_says_so():
    _, rows, labels = judged(run("1", 0.3, 0.3), run("2", 0.2, 0.2))
    only_first = recommend([rows[0].run])
    other = SummaryInput(run=rows[1].run, label="L2")
    assert trophy_sentence(only_first, [rows[0], other], labels).endswith(
        "but was not ranked with the recommended run."
    )


def test_an_unknown_gap_is_given_as_the_reason():
    recommendation, rows, labels = judged(run("1", 0.3, 0.28), run("2", 0.25))
    assert trophy_sentence(recommendation, rows, labels) == (
        "L2 has the lowest eval loss (0.2500), but its gap is unknown, which gives 50 gap points against 100"
        " of L1; in total 69.52 against 81.86."
    )


def test_a_shared_trophy_names_the_tie_break():
    when = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2)]
    cases = [
        ({"loss": 0.29}, {"loss": 0.28}, "its smaller gap (+0.0100 against +0.0200)"),
        ({"completed_at": when[0]}, {"completed_at": when[1]}, "having completed earlier"),
        ({"completed_at": when[0]}, {}, "having completed earlier"),
        ({}, {}, "its id, the last tie-break"),
    ]
    for first, second, words in cases:
        recommendation, rows, labels = judged(run("1", 0.3, **first), run("2", 0.3, **second))
        sentence = trophy_sentence(recommendation, rows, labels)
        assert trophy(rows) == ("1", "2")
        assert sentence.startswith("L2 shares the lowest eval loss (0.3000), and its score is the same (")
        assert sentence.endswith(f"; L1 wins the tie by {words}.")


def test_a_shared_trophy_with_different_gaps_names_the_points():
    recommendation, rows, labels = judged(run("1", 0.3, 0.3), run("2", 0.3, 0.1))
    assert trophy_sentence(recommendation, rows, labels).startswith(
        "L2 shares the lowest eval loss (0.3000), but its gap of +0.2000 (high overfitting) gives 30 gap points"
    )


def test_without_any_gap_weight_the_trophy_is_the_recommendation():
    recommendation, rows, labels = judged(*real_runs(), policy=ScoringPolicy(eval_weight=1.0))
    assert trophy(rows) == (recommendation.run_id,)
    assert trophy_sentence(recommendation, rows, labels) is None


some_loss = st.none() | st.sampled_from([0.0, -0.5, 0.2, 0.3, 0.30000000001, math.nan, math.inf]) | st.floats(0, 5)
some_run = st.tuples(some_loss, some_loss, st.sampled_from(list(RunStatus)))


@given(st.lists(some_run, max_size=5), st.sampled_from([0.0, 0.5, 0.7, 1.0]))
@settings(deadline=None)
def test_every_selection_has_its_words(cases, weight):
    runs = [run(str(n), *case) for n, case in enumerate(cases)]
    recommendation, rows, labels = judged(*runs, policy=ScoringPolicy(eval_weight=weight))
    holders = trophy(rows)
    leader = leader_so_far(rows, recommendation, labels)
    sentence = trophy_sentence(recommendation, rows, labels)
    assert (leader is None) == (recommendation.run_id is not None)
    expected = [h for h in holders if h != recommendation.run_id] if recommendation.run_id else []
    assert (sentence or "").count("the lowest eval loss") == len(expected)
    assert len(why_not_others(recommendation, labels)) == len(runs) - (recommendation.run_id is not None)
    for holder in expected:
        score = next((s for s in recommendation.ranking.scores if s.run_id == holder), None)
        if score and " of L" in sentence and len(expected) == 1:
            # Whoever has the lower loss can only be behind by its gap points.
            assert score.gap_points < recommendation.winner.gap_points


def test_the_leader_so_far_is_named_with_what_keeps_it_from_being_recommended():
    running = run("1", 0.4123, 0.4, RunStatus.RUNNING)
    recommendation, rows, labels = judged(running, run("2", 0.5, 0.4, RunStatus.FAILED))
    assert leader_so_far(rows, recommendation, labels) == (
        "Leader so far by eval loss: L1 with 0.4123 (still running)."
    )
    recommendation, rows, labels = judged(running, run("2", 0.4123, status=RunStatus.FAILED))
    assert leader_so_far(rows, recommendation, labels) == (
        "Leaders so far by eval loss, tied with 0.4123: L1 (still running), L2 (failed)."
    )


def test_where_there_is_no_leader_the_words_say_why():
    def said(*runs):
        recommendation, rows, labels = judged(*runs)
        return leader_so_far(rows, recommendation, labels)

    assert said() == "There is no leader so far: no run is selected."
    assert said(run("1")) == "There is no leader so far: no selected run has logged an eval loss."
    assert said(run("1", math.nan), run("2")) == (
        "There is no leader so far: no selected run has a finite eval loss (L1: NaN)."
    )


def test_others_are_behind_by_points_level_or_left_out():
    recommendation, _, labels = judged(
        run("1", 0.3, 0.29),
        run("2", 0.3, 0.28),
        run("3", 0.30000001, 0.29),
        run("4"),
        run("5", 1, 1, RunStatus.QUEUED),
    )
    assert why_not_others(recommendation, labels) == [
        "L2: 81.86, level with the recommended run, which wins by its smaller gap (+0.0100 against +0.0200).",
        "L3: 81.85727, 0.000001 points behind.",
        "L4: left out, no eval loss logged.",
        "L5: left out, not started yet.",
    ]


def test_a_run_without_a_label_is_called_by_its_id():
    recommendation, _, _ = judged(run("1", 0.2), run("2", 0.3))
    assert why_not_others(recommendation, {})[0].startswith("2: ")
