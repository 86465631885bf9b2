"""What is said about what would flip the verdict."""

from __future__ import annotations

from lib.core.verdict.flips import flip_sentences
from tests.core.decided_runs import decided, run

LABELS = {"a": "first", "b": "second"}


def test_the_sentences_say_the_interval_and_what_the_runner_up_lacks():
    weights, takes_over, loss, gap = flip_sentences(
        decided(run("a", 1.0, train=0.98), run("b", 0.995, train=0.9)), LABELS
    )
    assert weights.startswith("It stays first for eval weights from 0% to ")
    assert takes_over.startswith("Above ")
    assert takes_over.endswith("%, second would win.")
    assert loss.startswith("Runner-up second needs an eval loss 0.0")
    assert loss.endswith(" lower (train loss unchanged) to win.")
    # Its gap is 0.095, and from 0.05 down it has 100 points instead of 80: with those it wins.
    assert gap == "Runner-up second needs a gap 0.045 smaller (eval loss unchanged) to win."


def test_a_winner_by_both_parts_stays_whatever_the_weight():
    stays, *changes = flip_sentences(decided(run("a", 0.5), run("b", 0.9, train=0.1)), LABELS)
    assert stays == "It stays first whatever the weights are."
    assert all("second" in change for change in changes)


def test_where_neither_number_alone_helps_that_is_said():
    sentences = flip_sentences(decided(run("a", 0.0, train=-0.01), run("b", 0.9, train=0.1)), LABELS)
    assert sentences[-1] == "Neither its eval loss nor its gap alone would make runner-up second win."


def test_a_metric_says_how_much_more_of_it_would_win():
    how = {"further": {"a": {"eval_f1": (0.1, 0.7)}, "b": {"eval_f1": (0.1, 0.4)}}, "by": "eval_f1"}
    (change,) = flip_sentences(decided(run("a", 0.5), run("b", 0.6), **how), LABELS)
    # At the same value the lower eval loss breaks the tie, so that more than the difference is needed.
    assert change == "Runner-up second needs over 0.30 more F1 to win."


def test_one_ranked_run_cannot_be_beaten_and_none_has_nothing_to_flip():
    assert flip_sentences(decided(run("a")), LABELS) == (
        "Nothing can flip the verdict: it is the only completed run with an eval loss among the selected.",
    )
    (said,) = flip_sentences(decided(run("a"), run("b", 0.1, dataset="x/y")), LABELS)
    assert said.endswith("it is the best of its own class of comparable runs, and the only one in it.")
    assert flip_sentences(decided(), LABELS) == ()
