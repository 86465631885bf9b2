"""Why the recommended run is first: the sentences with their numbers."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime

import pytest

from lib.core.facts.runs import RunStatus
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY, ScoringPolicy
from lib.core.ranking.scoring import LeftOut, Rule, Unscorable
from lib.core.verdict.flips import flip_sentences
from lib.core.verdict.reasons import LEFT_OUT, TIE_BREAKS, ReasonCode, left_out
from tests.core import decided_runs
from tests.core.decided_runs import grounded
from tests.core.judged_runs import judged, run
from tests.core.ranked_runs import recommend

GAP_ONLY, LOSS_ONLY = ScoringPolicy(eval_weight=0.0), ScoringPolicy(eval_weight=1.0)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def sentence(runs, code, policy=DEFAULT_POLICY) -> str:
    return judged(*runs, policy=policy).sentence(code)


def test_the_sentences_carry_the_numbers() -> None:
    found = judged(run("a", 0.5, 0.48), run("b", 0.6, 0.58))
    assert [reason.sentence for reason in found.reasons] == [
        "Its eval loss is 0.5, which gives 100.00 of 100 points (weight 70%).",
        "The gap between eval and train loss (train loss of the end of training) is +0.0200: excellent, 100.00 of 100"
        " points (weight 30%).",
        "It is 56.83 points ahead of the runner-up.",
        "The runner-up needs an eval loss 0.12 lower (train loss unchanged) to win.",
    ]
    assert found.why_first.count(". ") == 3
    assert sentence([run("a", 0.5)], ReasonCode.GAP) == (
        "The gap between eval and train loss is unknown: no train loss was logged just before that step. So it is for"
        " all ranked runs: the eval loss alone ranks."
    )


def test_without_a_recommended_run_the_reason_says_so() -> None:
    assert [reason.code for reason in judged().reasons] == [ReasonCode.NOTHING_SELECTED]
    (reason,) = judged(run("a", 0.1, status=RunStatus.RUNNING), run("b")).reasons
    assert reason.code is ReasonCode.NONE_ELIGIBLE
    assert "only completed runs with an eval loss" in reason.sentence


def test_a_lone_eligible_run_says_that_it_had_no_competition() -> None:
    runs = [run("a", 0.5), run("b", 0.1, status=RunStatus.RUNNING)]
    assert sentence(runs, ReasonCode.ALONE) == (
        "It had no competition: it is the only completed run with an eval loss among the selected."
    )


def test_the_only_run_of_its_class_does_not_claim_to_be_the_only_completed_one() -> None:
    runs = decided_runs.run("a"), decided_runs.run("b", 0.1, dataset="x/y")
    assert grounded(*runs).sentence(ReasonCode.ALONE) == (
        "It is the best of its own class of comparable runs, and the only one in it."
    )


def test_a_gap_that_is_nothing_but_rounding_has_no_minus_sign() -> None:
    assert "+0.0000: excellent" in sentence([run("a", 0.3, 0.1 + 0.2)], ReasonCode.GAP)


def test_a_margin_that_would_print_as_nothing_is_said_to_be_small() -> None:
    runs = [run("a", 0.5, 0.48), run("b", 0.500001, 0.48)]
    assert sentence(runs, ReasonCode.MARGIN) == "It is less than 0.01 points ahead of the runner-up."


def test_what_would_change_names_an_eval_loss_that_does_change_it() -> None:
    winner, runner_up = run("a", 0.60, 0.59), run("b", 0.63, 0.53)
    said = sentence([winner, runner_up], ReasonCode.WOULD_CHANGE)
    assert said == "The runner-up needs an eval loss 0.036 lower (train loss unchanged) to win."
    # Rounded up to two digits: with what is said it wins, with less than the smaller two digits it does not.
    assert recommend([winner, run("b", 0.63 - 0.036, 0.53)]).run_id == "b"
    assert recommend([winner, run("b", 0.63 - 0.035, 0.53)]).run_id == "a"


@pytest.mark.parametrize(
    "runs",
    [
        (run("a", 0.60, 0.59), run("b", 0.63, 0.53)),
        # The nearest is a higher eval loss, out of the band of negative gaps; a lower one would win too, further away.
        (run("a", 1.0, 0.85), run("b", 1.0, 1.001)),
        (run("a", 0.0, -0.01), run("b", 0.9, 0.1)),
    ],
)
def test_the_reason_names_the_change_that_what_would_flip_it_names_first(runs) -> None:
    reason, found = sentence(runs, ReasonCode.WOULD_CHANGE), judged(*runs)
    flips = flip_sentences(found.decision, found.labels)
    if " needs " in reason:
        assert any(flip.split(" needs ")[-1] == reason.split(" needs ")[1] for flip in flips)
    else:
        assert reason.startswith("Neither")
        assert flips[-1].startswith("Neither")


def test_a_tie_that_the_eval_loss_only_breaks_says_so() -> None:
    winner = run("a", 0.59, 0.58)
    assert sentence([winner, run("b", 0.6, 0.58)], ReasonCode.WOULD_CHANGE, GAP_ONLY) == (
        "The runner-up needs an eval loss 0.010 lower (train loss unchanged) to win."
    )
    assert recommend([winner, run("b", 0.5899, 0.58)], GAP_ONLY).run_id == "b"


def test_an_eval_loss_that_would_leave_its_gap_band_before_it_wins_the_tie_is_not_promised() -> None:
    runs = [run("a", 0.5, 0.49), run("b", 0.6, 0.59)]
    said = "Neither its eval loss nor its gap alone would make the runner-up win."
    assert sentence(runs, ReasonCode.WOULD_CHANGE, GAP_ONLY) == said
    assert all(recommend([runs[0], run("b", loss, 0.59)], GAP_ONLY).run_id == "a" for loss in (0.58, 0.55, 0.4))


@pytest.mark.parametrize(
    ("first", "second", "policy", "words"),
    [
        ({"best": 0.5, "train_loss": 0.49}, {"best": 0.6, "train_loss": 0.59}, GAP_ONLY, "its lower eval loss"),
        ({"train_loss": -100.0}, {}, LOSS_ONLY, "its known gap"),
        ({"train_loss": 0.47}, {"train_loss": 0.45}, LOSS_ONLY, "its smaller gap (+0.0300 against +0.0500)"),
        # 0.85 - 0.80 and 0.85 - 0.90 are of one size, and not so in binary.
        ({"best": 0.85, "train_loss": 0.80, "completed_at": NOON}, {"best": 0.85, "train_loss": 0.90}, LOSS_ONLY,
         "its known time of completion"),
        ({"completed_at": NOON}, {"completed_at": datetime(2026, 1, 2, tzinfo=UTC)}, LOSS_ONLY,
         "having completed earlier"),
        ({}, {}, LOSS_ONLY, "its id, the last tie-break"),
    ],
)  # fmt: skip
def test_a_tie_break_is_told_alike_wherever_it_is_told(first, second, policy, words) -> None:
    found = judged(run("1", **{"best": 0.5} | first), run("2", **{"best": 0.5} | second), policy=policy)
    assert found.sentence(ReasonCode.TIE) == f"It ties with the runner-up and wins by {words}."
    assert found.behind["2"].endswith(f"level with the recommended run, which wins by {words}.")
    if found.lowest_not_first:
        assert found.lowest_not_first.endswith(f"L1 wins the tie by {words}.")


def test_others_are_behind_by_points_level_or_left_out() -> None:
    runs = run("1", 0.3, 0.29), run("2", 0.3, 0.28), run("3", 0.30000001, 0.29), run("4")
    found = judged(*runs, run("5", 1, 1, RunStatus.QUEUED))
    assert found.behind == {
        "2": "100.00, level with the recommended run, which wins by its smaller gap (+0.0100 against +0.0200).",
        "3": "99.99998, 0.00002 points behind.",
    }
    assert found.left_out == {"4": "no eval loss logged", "5": "not started yet"}


def test_every_code_has_its_words_and_every_rule_but_the_score_is_a_tie_break() -> None:
    assert set(LEFT_OUT) == set(LeftOut)
    assert list(TIE_BREAKS) == [rule for rule in Rule if rule is not Rule.BETTER]
    assert left_out(Unscorable("a", LeftOut.UNKNOWN, "zombie {0}"), {}) == "not known to have completed: zombie {0}"
    assert left_out(Unscorable("a", LeftOut.RUNNING, "running"), {}) == "still running"


CLEAR = decided_runs.run("a", 0.5), decided_runs.run("b", 0.8)


def test_reasons_survive_copying_whole() -> None:
    grounds = grounded(*CLEAR)
    for twin in (pickle.loads(pickle.dumps(grounds.reasons)), copy.deepcopy(grounds.reasons)):
        assert twin == grounds.reasons
    assert decide(CLEAR, {}, DEFAULT_POLICY).recommendation.scores == recommend(CLEAR).scores
