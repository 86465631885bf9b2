"""Logs that go on where another ends are one run; seeds, folds and repeats, which begin at the beginning, are not."""

from __future__ import annotations

import numpy as np
import pytest

from lib.data.formats.assembly import merged, same_runs
from lib.data.formats.forms.continued import chains_of
from tests.data.formats.forms.logs import falling, form


def table(path, steps, format="Table", **facts):
    return form(path, {"loss": falling(steps), "val_loss": falling(steps, 3.0)}, format, **facts)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x/log_part1.csv", "x/log_part2.csv"),
        ("x/train.csv", "x/train (1).csv"),
        ("x/train.csv", "x/train_resumed.csv"),
        ("x/a-1.csv", "x/a-2.csv"),
        ("x/log_2026-05-01.csv", "x/log_2026-05-02.csv"),
        ("x/lightning_logs/version_0", "x/lightning_logs/version_1"),
        ("part9/metrics.csv", "part10/metrics.csv"),
        ("x/lr3e-4_seed1_part1.csv", "x/lr3e-4_seed1_part2.csv"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_parts_whose_steps_adjoin_are_one_run(one, other, turned):
    forms = [table(one, range(0, 400, 8)), table(other, range(400, 900, 8))]
    (group,) = same_runs(forms[::-1] if turned else forms)
    run = merged([(forms[::-1] if turned else forms)[at] for at in group])
    assert run.curves.get("train_loss").step.tolist() == [*range(0, 400, 8), *range(400, 900, 8)]
    assert run.run.current_step == 896
    assert any("2 parts" in note for note in run.run.notes)


def test_what_was_trained_again_from_a_checkpoint_is_shown_as_the_later_part_has_it():
    later = form("x/log-2.csv", {"loss": falling(range(350, 800, 10), 1.0), "val_loss": falling([400, 500])}, "Table")
    first = form("x/log-1.csv", {"loss": falling(range(0, 400, 10)), "val_loss": falling([100, 200])}, "Table")
    made = merged([first, later]).curves.get("train_loss")
    assert np.isclose(made.value[made.step == 380], 1.0 / 381**0.5).all()
    assert np.isclose(made.value[made.step == 340], 2.0 / 341**0.5).all()


def test_three_parts_are_one_run_and_a_run_that_begins_anew_is_another():
    forms = [
        table("v/version_0", range(0, 300, 10), "Lightning"),
        table("v/version_1", range(300, 600, 10), "Lightning"),
        table("v/version_2", range(600, 900, 10), "Lightning"),
        form("v/version_3", {"loss": falling(range(0, 500, 10), 5.0), "val_loss": falling([10, 20])}, "Lightning"),
    ]
    assert sorted(map(sorted, same_runs(forms))) == [[0, 1, 2], [3]]


@pytest.mark.parametrize("name", ["fold", "seed_", "run_", "s", "cv", "trial-", "exp", "rank"])
def test_runs_that_all_begin_at_the_beginning_are_not(name):
    lengths = (300, 400, 500, 350, 450)
    forms = [
        form(f"x/{name}{at}.csv", {"loss": falling(range(0, length, 10), 1 + at)}, "Table")
        for at, length in enumerate(lengths)
    ]
    assert len(same_runs(forms)) == 5
    assert chains_of(forms).unsure == ()


@pytest.mark.parametrize("name", ["fold", "seed", "rank", "lr"])
def test_a_number_that_tells_seeds_or_processes_apart_makes_no_parts(name):
    forms = [table(f"x/{name}1.csv", range(0, 400, 10)), table(f"x/{name}2.csv", range(400, 800, 10))]
    assert len(same_runs(forms)) == 2


@pytest.mark.parametrize(
    ("steps", "config", "said"),
    [
        (range(700, 900, 10), {}, "ends at"),
        (range(200, 900, 10), {}, "goes to"),
        (range(400, 900, 10), {"hparams": {"lr": 0.1}}, "another lr"),
    ],
)
def test_where_it_is_not_sure_they_stay_two_and_it_is_said(steps, config, said):
    first = table("x/log1.csv", range(0, 400, 10), config={"hparams": {"lr": 0.2}} if config else {})
    forms = [
        first,
        form("x/log2.csv", {"loss": falling(steps, 3), "val_loss": falling(steps, 4)}, "Table", config=config),
    ]
    assert len(same_runs(forms)) == 2
    ((one, other, why),) = chains_of(forms).unsure
    assert (one, other) == (0, 1)
    assert said in why


def test_two_runs_that_end_where_a_third_begins_leave_open_which_it_is_of():
    forms = [
        form("x/run_1.csv", {"loss": falling(range(0, 400, 10), 1)}, "Table"),
        form("x/run_2.csv", {"loss": falling(range(0, 400, 10), 2)}, "Table"),
        form("x/run_3.csv", {"loss": falling(range(400, 800, 10), 3)}, "Table"),
    ]
    assert len(same_runs(forms)) == 3
    assert {other for _, other, _ in chains_of(forms).unsure} == {2}


def test_logs_of_other_metrics_or_another_format_are_no_parts():
    forms = [
        form("x/log1.csv", {"loss": falling(range(0, 400, 10))}, "Table"),
        form("x/log2.csv", {"loss": falling(range(400, 800, 10)), "val_acc": falling([500])}, "Table"),
        form("x/log3.csv", {"loss": falling(range(400, 800, 10), 3)}, "Keras CSVLogger"),
    ]
    assert chains_of(forms).joined == ()


def test_epochs_that_go_on_are_counted_like_those_of_the_first_part():
    forms = [
        form("x/a_1.csv", {"loss": falling(range(10))}, "Keras CSVLogger", counted="epoch"),
        form("x/a_2.csv", {"loss": falling(range(10, 20))}, "Keras CSVLogger", counted="epoch"),
    ]
    (group,) = same_runs(forms)
    made = merged([forms[at] for at in group])
    assert made.curves.get("train_loss").step.tolist() == list(range(1, 21))
    assert made.run.steps_are_epochs
