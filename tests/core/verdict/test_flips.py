"""What is said about what would flip the verdict."""

from __future__ import annotations

from lib.core.verdict.flips import flip_sentences
from tests.core.decided_runs import decided, run

LABELS = {"a": "first", "b": "second"}


def test_the_sentences_say_the_interval_and_what_the_runner_up_lacks():
    weights, takes_over, change = flip_sentences(decided(run("a", 1.0, train=0.98), run("b", 0.995, train=0.9)), LABELS)
    assert weights.startswith("It stays the recommended run for eval weights from 0% to ")
    assert takes_over.startswith("Above ")
    assert takes_over.endswith("%, second would be.")
    assert change.startswith("The runner-up second (")
    assert " points behind) would win with an eval loss of about 0." in change
    assert "with a gap of about 0.05" in change
    assert change.endswith("its eval loss unchanged.")


def test_a_winner_by_both_parts_stays_whatever_the_weight():
    stays, change = flip_sentences(decided(run("a", 0.5), run("b", 0.9, train=0.1)), LABELS)
    assert stays == "It stays the recommended run whatever the eval weight is."
    assert "second" in change


def test_where_neither_number_alone_helps_that_is_said():
    sentences = flip_sentences(decided(run("a", 0.0, train=-0.01), run("b", 0.9, train=0.1)), LABELS)
    assert sentences[-1].startswith("Neither its eval loss nor its gap alone would make the runner-up second win")


def test_one_ranked_run_cannot_be_beaten_and_none_has_nothing_to_flip():
    assert flip_sentences(decided(run("a")), LABELS) == (
        "Nothing can flip the verdict: it is the only completed run with an eval loss among the selected.",
    )
    (said,) = flip_sentences(decided(run("a"), run("b", 0.1, dataset="x/y")), LABELS)
    assert said.endswith("it is the best of its own class of comparable runs, and the only one in it.")
    assert flip_sentences(decided(), LABELS) == ()
