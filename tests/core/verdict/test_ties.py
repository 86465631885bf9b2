"""What is said about winner or tie."""

from __future__ import annotations

import pytest

from lib.core.ranking.eval_noise import EvalNoise, NoiseUnknown
from lib.core.verdict.ties import lead_sentence, lowest_sentence, unknown_noise, why_in_best_set, why_unknown
from tests.core.decided_runs import decided, run

LABELS = {run_id: f"run {run_id.upper()}" for run_id in "abc"}
CLEAR = run("a", 0.5), run("b", 0.8)


def test_a_clear_lead_is_beyond_the_noise_and_what_that_covers_is_said():
    decision = decided(*CLEAR)
    lead, lowest = lead_sentence(decision, LABELS), lowest_sentence(decision, LABELS)
    assert lead.startswith("The recommended run's lead of 11.00 points is beyond the noise, at the 90% level.")
    assert "train losses are taken as exact" in lead
    assert lowest.startswith("run A has the lowest eval loss beyond the noise, at the 90% level.")
    assert "another seed" in lowest
    assert why_in_best_set(decision.lowest, "a", LABELS).startswith("May be the best: 0.50")
    assert why_in_best_set(decision.lowest, "b", LABELS).startswith("Not the best: 0.3000 above run A; up to 0.00")


def test_a_tie_names_its_members():
    decision = decided(run("a", 0.5), run("b", 0.501), run("c", 0.9), noise=0.02)
    assert "is within the noise: run B may score as high." in lead_sentence(decision, LABELS)
    assert lowest_sentence(decision, LABELS).startswith("Tie: run A and run B cannot be told apart by their eval")


def test_a_lead_that_rests_on_a_band_edge_says_so():
    decision = decided(run("a", 0.5, train=0.4502), run("b", 0.6), noise=0.002)
    assert "reaches into another gap band for run A." in lead_sentence(decision, LABELS)


def test_repeats_say_that_the_seeds_are_in_the_noise():
    runs = [run(f"{group}{seed}", loss + 0.01 * seed, learning_rate=rate, seed=seed)
            for group, loss, rate in (("a", 0.5, 1e-4), ("b", 0.9, 2e-4)) for seed in range(3)]  # fmt: skip
    decision = decided(*runs)
    labels = {each.run_id: each.run_id for each in runs}
    assert decision.lowest.seeds == 4
    assert "vary (4 degrees of freedom)" in lowest_sentence(decision, labels)
    assert "Seed-to-seed variation is in the noise" in lead_sentence(decision, labels)


def test_an_unknown_noise_says_why_and_for_whom():
    decision = decided(*CLEAR, count=3)
    assert lead_sentence(decision, LABELS).endswith(
        "cannot be compared with the noise. The noise is not known well enough to compare it with run B."
    )
    assert "the noise is unknown for run A and run B" in lowest_sentence(decision, LABELS)
    assert unknown_noise(decision.lowest, LABELS) == (
        "Whether its lead is beyond the noise cannot be told (run A: 3 measured eval losses, at least 6 are needed;"
        " run B: 3 measured eval losses, at least 6 are needed)."
    )
    assert why_in_best_set(decision.lowest, "a", LABELS).startswith("Cannot be told: 3 measured eval losses")


@pytest.mark.parametrize(
    ("unknown", "count", "words"),
    [
        (NoiseUnknown.NOT_ALL_READ, 9, "not all of its eval losses were read"),
        (NoiseUnknown.NO_EVAL_LOSS, 0, "no finite eval loss in its curve"),
        (NoiseUnknown.TOO_FEW, 1, "1 measured eval loss, at least 6 are needed"),
        (None, 30, ""),
    ],
)
def test_every_reason_for_an_unknown_noise_has_its_words(unknown, count, words):
    assert why_unknown(EvalNoise(count, unknown=unknown)) == words


def test_one_ranked_run_says_why_it_is_alone():
    apart = decided(run("a"), run("b", 0.1, dataset="x/y"))
    for said in (lead_sentence(apart, LABELS), lowest_sentence(apart, LABELS)):
        assert said.endswith("it is the best of its own class of comparable runs, and the only one in it.")
    alone = decided(run("a"))
    for said in (lead_sentence(alone, LABELS), lowest_sentence(alone, LABELS)):
        assert said.endswith("it is the only completed run with an eval loss among the selected.")
    assert lead_sentence(decided(), LABELS) == ""
    assert lowest_sentence(decided(), LABELS) == "No run has an eval loss, so there is nothing to compare."
