"""What is said about which eval losses compare."""

from __future__ import annotations

from lib.core.ranking.comparability_aspects import Aspect
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.verdict.comparability import ASPECT_WORDS, aspect_names, caution, pair_words, unknown_aspects
from lib.core.verdict.grounds import grounds_of
from tests.core.decided_runs import curves_of, decided, grounded, run


def said_of(first, second):
    (pair,) = decided(first, second).comparability.pairs
    return pair_words(pair)


def test_every_aspect_has_its_words():
    assert list(ASPECT_WORDS) == list(Aspect)
    assert aspect_names((Aspect.METHOD, Aspect.DATASET)) == "method, evaluation data"


def test_a_pair_names_what_differs_with_both_values():
    plain = run("a")
    assert said_of(plain, run("b")) == "nothing differs"
    assert said_of(plain, run("b", packing=True)) == "different packing (False / True)"
    assert said_of(plain, run("b", max_length=4096)) == "with care, different sequence length (2048 / 4096)"
    assert said_of(plain, run("b", packing=..., method=...)) == "not known to be the same: method, packing"


def test_a_class_says_what_is_open_and_what_may_matter():
    assert unknown_aspects((Aspect.PACKING,)) == "We cannot check that these runs have the same packing."
    assert unknown_aspects([Aspect.DATASET]) == "We cannot check that these runs were evaluated on the same data."
    assert unknown_aspects((Aspect.METHOD, Aspect.DATASET)).endswith("have the same method and evaluation data.")
    assert unknown_aspects(list(Aspect)[:5]).endswith("have the same method, evaluation data, eval split and 2 more.")
    assert caution(Aspect.MAX_SEQ_LENGTH) == (
        "The ranked runs differ in sequence length: longer texts are cut, and other tokens are counted of them."
    )


def test_runs_of_other_classes_say_what_differs_and_how_far_they_came():
    runs = [run("a"), run("b"), run("c"), run("d", dataset="x/y"), run("e", 0.6, dataset="x/y")]
    curves = {"d": curves_of("d", 0.5, noise=0.0, start=1.0)}
    found = grounds_of(decide(runs, curves, DEFAULT_POLICY), runs, {"d": "D"})
    assert found.other_classes == {"d": "different evaluation data", "e": "different evaluation data"}
    assert found.decision.improvements["d"] == 0.5
    assert grounded(*runs[:3]).other_classes == {}


def test_a_run_that_could_be_in_either_class_says_that_too_little_is_recorded():
    found = grounded(run("a"), run("b", 0.6), run("c", dataset="other/data"), run("d", dataset=...))
    assert found.other_classes["d"] == ("too little is recorded to tell which of the others it can be compared with")
