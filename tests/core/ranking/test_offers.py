"""What a list offers beside the selected runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.offers import better_in, comparable_with, stored_best
from tests.core.decided_runs import decided, run

SELECTED = run("a", 0.5), run("b", 0.6)


def ids(runs):
    return [each.run_id for each in runs]


def test_comparable_are_completed_runs_that_are_not_known_to_differ_and_the_surest_come_first():
    own = run("a")
    listed = [
        own,
        run("unknown", dataset=...),
        run("other", dataset="x/y"),
        run("running", 0.1, RunStatus.RUNNING),
        replace(run("copy"), same_training_as="a"),
        run("alike"),
    ]
    assert ids(comparable_with(own, listed)) == ["alike", "unknown"]
    assert ids(comparable_with(replace(own, same_training_as="alike"), listed)) == ["unknown"]


def test_better_is_the_best_that_is_not_selected_and_may_be_compared():
    decision = decided(*SELECTED)
    listed = [*SELECTED, run("c", 0.45), run("d", 0.4), run("e", 0.1, dataset="x/y"), run("f", 0.2, RunStatus.FAILED)]
    assert better_in(decision, SELECTED, listed).run_id == "d"
    assert better_in(decision, SELECTED, [*SELECTED, run("g", 0.5), run("h", None)]) is None
    assert better_in(decided(), (), listed) is None


def bare(folder, loss, **config):
    """A run that states nothing but where it lies."""
    file = f"{folder}/trainer_state.json"
    stated = {"status": RunStatus.COMPLETED, "best_eval_loss": loss, "files": (file,), "config": config}
    return RunSummary(run_id=folder, name=folder, **stated)


EPOCHS = {"num_train_epochs": 20}


@pytest.mark.parametrize(
    ("own", "other", "is_offered"),
    [
        (bare("dpo", 0.5), bare("classifier", 0.3), False),
        (bare("work/dpo", 0.5, **EPOCHS), bare("work/classifier", 0.3, **EPOCHS), False),
        (bare("sweep/8 3e-5", 0.5, **EPOCHS), bare("sweep/8 4e-5", 0.3, **EPOCHS), True),
        (bare("run1", 0.5, **EPOCHS), bare("run2", 0.3, num_train_epochs=3), False),
        (bare("run1", 0.5), bare("run2", 0.3), False),
        (bare("here/a", 0.5, dataset="x/y"), bare("there/b", 0.3, dataset="x/y"), True),
        (bare("a", 0.5, base_model="m/m"), bare("b", 0.3, base_model="m/m"), False),
        (bare("a", 0.5, base_model="m/m", method="sft"), bare("b", 0.3, base_model="m/m", method="sft"), True),
        (bare("a", 0.5, base_model="m/m", method="sft"), bare("b", 0.3, base_model="m/m", method="dpo"), False),
        (bare("one", 0.5), replace(bare("two", 0.3), files=bare("one", 0.5).files), True),
    ],
)
def test_of_runs_that_say_too_little_only_those_of_the_same_work_are_offered(own, other, is_offered):
    found = better_in(decided(own), [own], [own, other])
    assert found == (other if is_offered else None)


def test_a_stored_best_value_counts_only_for_the_metric_that_it_is_of():
    stated = replace(run("a", 0.5, metric_for_best_model="f1"), extra={"best_metric": 0.8})
    assert stored_best(stated, "eval_f1") == 0.8
    assert stored_best(stated, "eval_accuracy") is None
    assert stored_best(replace(run("a"), extra={"best_metric": 0.8}), "eval_f1") is None
    assert stored_best(stated, "eval_loss") == 0.5


def test_runs_without_a_common_ranking_have_no_better_one():
    apart = run("a"), run("b", dataset="x/y")
    assert better_in(decided(*apart), apart, [run("c", 0.1)]) is None
