"""What is said where settings are compared, between seeds."""

from __future__ import annotations

from dataclasses import replace

from lib.core.curves.metric_curves import RunCurves
from lib.core.glance.glance import glance_of
from lib.core.glance.lines import to_decide
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.text.sentences import plain
from lib.core.verdict.flips import flip_sentences
from lib.core.verdict.grounds import grounds_of
from lib.core.verdict.overview import overview_of
from lib.core.verdict.reasons import ReasonCode
from tests.core.decided_runs import curves_by_id, run
from tests.core.ranking.test_standing import seeded

LABELS = {name: name for name in ("a0", "a1", "b0", "b1")}


def overview(runs, curves):
    decision = decide(runs, curves, DEFAULT_POLICY)
    return overview_of(grounds_of(decision, runs), runs, {}), decision


def way_out(said):
    return plain(to_decide(said.grounds.decision, {}, said.grounds.labels))


def test_the_settings_win_and_all_that_is_said_agrees():
    runs, curves = seeded(lucky=0.99)
    said, decision = overview(runs, curves)
    assert said.headline.run_ids == ("a0",)
    first = said.grounds.reasons[0]
    assert first.code is ReasonCode.SETTINGS
    assert first.sentence.startswith("Settings are compared, not single runs: between seeds, its own are 0.030 of eval")
    assert not {ReasonCode.MARGIN, ReasonCode.WOULD_CHANGE} & {each.code for each in said.grounds.reasons}
    assert list(said.grounds.behind) == ["b0", "a1", "b1"]
    assert said.grounds.behind["b0"].endswith("; its settings are 0.030 of eval loss behind, between seeds.")
    assert said.grounds.behind["a1"].endswith("; another seed of the recommended settings.")
    assert said.grounds.lowest_not_first == (
        "b0 has the lowest eval loss (0.99), but its settings are 0.030 of eval loss behind, between seeds."
    )
    (flip,) = flip_sentences(decision, LABELS)
    assert flip.startswith("Settings are compared: between seeds the next are 0.030 of eval loss behind; up to 0.0")
    assert said.rests_on == "It rests on repeats with other seeds: it is about the settings, not only these runs."
    glance = glance_of(said, runs, {})
    assert glance.texts["Why"].startswith("Its settings are ahead by 0.030 of eval loss between seeds; 0.0")
    assert "To decide" not in glance.texts
    assert [(row.run_id, row.mark) for row in glance.ranking.rows] == [
        ("b0", ""),
        ("a0", "★ ship"),
        ("a1", "other seed"),
        ("b1", "overfits"),
    ]
    assert glance.ranking.note.endswith("Settings decide, between seeds: not single runs.")


def test_a_tie_of_settings_says_which_seed_would_tell_most():
    runs, curves = seeded(lucky=1.03)
    curves["a1"] = curves_by_id([run("a1", 1.2, train=0.9)])["a1"]
    said, _ = overview(runs, curves)
    assert said.headline.run_ids == ("a0", "b0")
    assert way_out(said) == "Another seed of each of these settings would tell most."
    fewer, _ = overview(runs[:3], {name: curves[name] for name in ("a0", "a1", "b0")})
    assert way_out(fewer) == "Another seed of b0 would tell most."


def test_where_evaluations_hold_the_tie_more_of_them_are_asked_for():
    runs = [run(f"{name}{seed}", level, learning_rate=rate, seed=seed, train=0.9)
            for name, level, rate in (("a", 1.0, 1e-4), ("b", 1.003, 2e-4)) for seed in (0, 1)]  # fmt: skip
    said, decision = overview(runs, curves_by_id(runs, noise=0.03))
    assert decision.contest.best.seed_freedom == 2
    assert way_out(said) == "More evaluation data would tell more than another seed."


def test_what_train_losses_leave_open_is_not_settled_by_evaluations():
    runs = [run("a", 1.0, train=0.96), run("b", 1.004, train=0.96)]
    curves = curves_by_id(runs, noise=0.0002)
    for each in runs:
        own = curves[each.run_id].curves
        value = own["train_loss"].value.copy()
        value[::2] += 0.3
        value[1::2] -= 0.3
        curves[each.run_id] = RunCurves(each.run_id, {**own, "train_loss": replace(own["train_loss"], value=value)})
    said, decision = overview(runs, curves)
    assert decision.lead.for_gap == ("b",)
    assert way_out(said) == "More evaluation data would not part them: the noise of their train losses is larger."
