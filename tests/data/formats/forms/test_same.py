from __future__ import annotations

import math

import pytest

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunSummary
from lib.data.formats.assembly import Form, Known, same_runs, why_unused
from lib.data.formats.forms.form import HF_TRAINER
from lib.data.formats.forms.merging import merged
from tests.data.formats.forms.logs import falling, form, series

DENSE, SPARSE = range(0, 1000, 10), range(100, 1001, 100)


def events(path, scale=2.0, **facts):
    return form(path, {"train_loss": falling(DENSE, scale), "val_loss": falling(SPARSE, scale + 0.5)}, **facts)


def text(path, scale=2.0, digits=4, steps=SPARSE, **facts):
    """A text log of every hundredth step, as it prints the losses."""
    logged = {"train_loss": falling(steps, scale, digits), "val_loss": falling(SPARSE, scale + 0.5, digits)}
    return form(path, logged, "text log", **facts)


def trainer(path, scale=2.0, **facts):
    made = events(path, scale, **facts)
    return Form(made.folder, HF_TRAINER, made.files, "", "", "", "", made.run, made.curves)


def settings(path, config=None, format="Weights & Biases", **facts):
    return form(path, {}, format, config={"config": config or {"lr": 1e-3}}, **facts)


class Names(dict):
    """Curves of which only the names may be looked at."""

    def __init__(self):
        super().__init__(train_loss=None)

    def __getitem__(self, key):
        raise AssertionError("read")

    def get(self, key, default=None):
        raise AssertionError("read")

    def values(self):
        raise AssertionError("read")

    items = values


def grouped(*forms):
    return [sorted(group) for group in same_runs(forms)]


# One run in several forms.


def evaluations(path, name, scale=1.0):
    return form(path, {name: falling(SPARSE, scale)}, "Table", files=((*path.split("/"), "dev_results.csv"),))


def test_one_metric_may_have_another_name_in_each_log_of_a_program():
    state = form("run", {"eval_dev_pearson_cosine": falling(SPARSE), "train_loss": falling(DENSE)}, HF_TRAINER)
    assert grouped(state, evaluations("run/eval", "cosine_pearson", 2.0)) == [[0, 1]]
    assert grouped(state, evaluations("run/eval", "cosine_pearson", 1.5)) == [[0], [1]]
    assert grouped(state, evaluations("run/eval", "cosine_accuracy", 2.0)) == [[0], [1]]
    assert grouped(state, evaluations("other/eval", "cosine_pearson", 2.0)) == [[0], [1]]


@pytest.mark.parametrize(
    "places",
    [
        ("RUN", "RUN/log.txt"),
        ("RUN/tensorboard_logs", "RUN/log.txt"),
        ("RUN/tb", "RUN/logs/train.log"),
        ("RUN/wandb/run-20250101_010203-abcd1234", "RUN/train.txt"),
        ("RUN/wandb/run-20250101_010203-abcd1234", "RUN/wandb/run-20250101_010203-abcd1234/files/output.log"),
        ("RUN/anything", "RUN/log.txt"),
        ("lightning_logs/version_3", "lightning_logs/version_3/log.txt"),
        ("", "log.txt"),
    ],
)
def test_what_says_the_same_in_a_folder_and_in_what_only_wraps_a_log_is_one_run(places):
    one, other = places
    assert grouped(events(one), text(other)) == [[0, 1]]
    assert grouped(events(one), text(other, scale=2.2)) == [[0], [1]], "it contradicts"


def test_values_agree_within_the_rounding_that_the_coarser_log_prints():
    for digits in (2, 3, 6):
        assert grouped(events("RUN"), text("RUN/log.txt", digits=digits)) == [[0, 1]]
    nearly = 2.0 + 4e-3
    assert grouped(events("RUN"), text("RUN/log.txt", scale=nearly, digits=4)) == [[0], [1]]
    # A hundredth of a unit of the last digit is not seen, so that only the place is left to tell.
    assert grouped(events("RUN"), text("RUN/log.txt", scale=2.0 + 1e-6, digits=4)) == [[0, 1]]


def test_steps_that_one_log_counts_from_0_and_the_other_from_1_are_the_same():
    shifted = form("RUN/log.txt", {"train_loss": series([s + 1 for s in DENSE], falling(DENSE).value)}, "text log")
    assert grouped(events("RUN"), shifted) == [[0, 1]]


def test_where_nothing_is_shared_the_place_decides_if_only_one_run_can_be_meant():
    only_val = form("RUN/log.txt", {"val_acc": falling(SPARSE)}, "text log")
    only_train = form("RUN/tb", {"train_loss": falling(DENSE)})
    assert grouped(only_train, only_val) == [[0, 1]]
    second = form("RUN/tb/b", {"train_loss": falling(DENSE, 3.0)})
    also = form("RUN", {"train_loss": falling(DENSE, 4.0)})
    assert grouped(only_train, also, only_val, second) == [[0], [1], [2], [3]], "which of them cannot be told"
    named = form("RUN/seed_7.txt", {"val_acc": falling(SPARSE)}, "text log")
    assert grouped(only_train, named) == [[0], [1]], "its own name says that it is one of several"


def test_settings_beside_a_log_are_of_it():
    folder = "wandb/run-20250101_010203-abcd1234"
    assert grouped(settings(folder), text(f"{folder}/files/output.log")) == [[0, 1]]
    two = [settings(f"{folder}{end}") for end in "xy"]
    logs = [text(f"{folder}{end}/files/output.log", scale) for end, scale in (("x", 2.0), ("y", 3.0))]
    assert grouped(*two, *logs) == [[0, 2], [1, 3]]


def test_a_trainers_state_its_events_and_a_second_log_are_one_run_and_the_state_leads():
    logs = [
        form("OUT/trainer_log.jsonl", {"loss": falling(DENSE, digits=4)}, "LLaMA-Factory"),
        form("OUT/runs/Jan01_10-00-00_host", {"train/loss": falling(DENSE), "eval/loss": falling(SPARSE, 2.5)}),
        trainer("OUT"),
    ]
    (group,) = same_runs(logs)
    assert group[0] == 2
    assert sorted(group) == [0, 1, 2]
    # The events of another start into the same folder are of another run.
    other = form("OUT/runs/Jan02_10-00-00_host", {"train/loss": falling(DENSE, 3.0)})
    assert grouped(*logs, other) == [[0, 1, 2], [3]]


def test_logs_of_one_identity_are_one_run_wherever_they_lie():
    first = events("a/wandb/run-20250101_010203-abcd1234", format="Weights & Biases", identity="abcd1234")
    resumed = form("a/wandb/run-20250102_010203-abcd1234", {"train_loss": falling(range(900, 1200, 10), 9.0)},
                   "Weights & Biases", identity="abcd1234")  # fmt: skip
    assert grouped(first, resumed) == [[0, 1]]
    others = [
        events(f"{project}/RUN-1", scale, format="Neptune", identity="RUN-1")
        for project, scale in (("p", 2.0), ("q", 3.0))
    ]
    assert grouped(*others) == [[0], [1]], "two projects number their runs alike"


# What is not one run.


def test_a_sweep_with_a_shared_log_stays_as_many_runs():
    runs = [events(f"sweep/run{number}", scale) for number, scale in enumerate((2.0, 2.5, 3.0))]
    # The launcher's log has the lines of all, the later ones over the earlier.
    shared = text("sweep/launcher.log", scale=3.0, steps=range(100, 1001, 50))
    found = grouped(*runs, shared)
    assert [group for group in found if 3 not in group] == [[0], [1]]
    mixed = form("sweep/launcher.log", {"train_loss": series(SPARSE, [2.0, 5.0] * 5)}, "text log")
    assert grouped(*runs, mixed) == [[0], [1], [2], [3]]


def test_a_table_with_the_curves_of_all_runs_is_a_form_of_each_however_many_there_are():
    for count in (3, 30):
        scales = [2.0 + number / 10 for number in range(count)]
        runs = [events(f"sweep/run{number}", scale) for number, scale in enumerate(scales)]
        rows = [
            form("sweep/all.csv", {"train_loss": falling(DENSE, scale, 5)}, "table", key=f"run{number}")
            for number, scale in enumerate(scales)
        ]
        assert grouped(*runs, *rows) == [[number, count + number] for number in range(count)]


def test_runs_of_one_name_in_different_folders_are_two_even_where_they_are_copies():
    assert grouped(events("a/run1"), events("b/run1")) == [[0], [1]]
    assert grouped(events("a/run1"), text("b/run1/log.txt")) == [[0], [1]]
    assert grouped(events("run1"), events("run1/backup")) == [[0], [1]], "of one format: a copy of the folder"


def test_two_text_logs_in_a_folder_are_two_runs_if_they_differ_and_one_if_they_do_not():
    assert grouped(text("logs/a.txt"), text("logs/b.txt", scale=3.0)) == [[0], [1]]
    assert grouped(text("logs/a_main.txt"), text("logs/a_stdout.txt", digits=2)) == [[0, 1]]
    assert grouped(text("logs/a.txt"), text("logs/nohup.out", digits=2)) == [[0, 1]]
    assert grouped(text("logs/a.txt"), text("logs/slurm-17.out", digits=2)) == [[0, 1]]
    assert grouped(text("logs/a.txt"), text("logs/b.txt", scale=3.0), events("logs", 3.0)) == [[0], [1, 2]]


@pytest.mark.parametrize("other", ["mistral.txt", "mistral-stdout.log", "v2_mistral.out"])
def test_text_logs_that_are_called_after_two_runs_are_two_though_their_values_are_equal(other):
    assert grouped(text("logs/llama.log"), text(f"logs/{other}", digits=2)) == [[0], [1]]
    assert grouped(text("logs/llama.log"), text(f"logs/{other}"), events("logs/llama")) == [[0, 2], [1]]


@pytest.mark.parametrize(
    ("scale", "lag", "apart"),
    [(1.0, 0, False), (100.0, 0, False), (1.0, 100, False), (1.04, 0, True), (104.0, 0, True)],
    ids=["equal", "in per cent", "counted from another step", "another", "another, in per cent"],
)
def test_logs_of_one_program_with_other_evaluations_are_two_runs_though_they_trained_alike(scale, lag, apart):
    def log(path, scale, lag, format):
        accuracies = series([step + lag for step in SPARSE], [scale * (0.5 + step / 2500) for step in SPARSE])
        return form(path, {"train_loss": falling(DENSE, 2.0, 4), "val_accuracy": accuracies}, format)

    logs = [log("runs/a.csv", 1.0, 0, "Table"), log("runs/b.csv", scale, lag, "Table")]
    assert grouped(*logs) == ([[0], [1]] if apart else [[0, 1]])
    whole = [
        form(
            f"runs/{name}.csv",
            {"train_loss": falling(DENSE, 2.0, 4), "val_accuracy": series(SPARSE, range(first, first + 10))},
            "Table",
        )
        for name, first in (("a", 50), ("b", 70))
    ]
    assert grouped(*whole) == [[0], [1]]
    # Another program may well measure something else under the same name.
    assert grouped(log("run/a.csv", 1.0, 0, "Table"), log("run/a.log", scale, lag, "text log")) == [[0, 1]]


def test_train_and_validation_of_different_trainings_stay_apart():
    train = form("X/train/log.txt", {"loss": falling(DENSE)}, "text log")
    validation = form("X/validation/log.txt", {"loss": falling(SPARSE, 3.0)}, "text log")
    assert "eval_loss" in validation.curves.curves
    assert grouped(train, validation) == [[0], [1]]


def test_a_log_by_epochs_and_one_by_steps_are_one_run_only_if_they_agree():
    table = form("X/metrics.csv", {"val_acc": falling(range(1, 11))}, "table", counted="epoch")
    steps = form("X/train.log", {"loss": falling(DENSE)}, "text log")
    assert grouped(table, steps) == [[0], [1]]
    page = form("X/tb", {"val_acc": falling(range(10 + 1))})
    assert grouped(table, page) == [[0, 1]]


def test_trainings_that_a_reader_parted_stay_apart():
    assert grouped(trainer("X"), trainer("X")) == [[0], [1]]
    log = text("X/log.txt")
    assert sorted(map(len, grouped(trainer("X"), trainer("X"), log))) == [1, 2]


def test_versions_of_lightning_are_runs_of_their_own():
    versions = [events(f"lightning_logs/version_{number}", 2.0 + number / 10) for number in range(3)]
    tables = [text(f"lightning_logs/version_{number}/metrics.csv", 2.0 + number / 10) for number in range(3)]
    assert grouped(*versions, *tables) == [[0, 3], [1, 4], [2, 5]]


def test_what_a_program_tells_apart_is_not_joined_by_equal_values_not_even_over_a_third():
    runs = [
        events(f"wandb/run-2025010{day}_010203-abcd123{day}", format="Weights & Biases", identity=f"abcd123{day}")
        for day in (1, 2)
    ]
    assert grouped(*runs) == [[0], [1]]
    assert sorted(map(len, grouped(*runs, text("log.txt")))) == [1, 2]
    rows = [form("all.csv", {"loss": falling(DENSE)}, "table", key=key) for key in "ab"]
    assert grouped(*rows) == [[0], [1]]


def test_equal_schedules_and_equal_starts_tell_nothing():
    rate = series(DENSE, [1e-4 * (1 - step / 1000) for step in DENSE])
    tokens = series(DENSE, [4096.0 * step for step in DENSE])
    one = form("RUN", {"lr": rate, "num_tokens": tokens, "loss": falling(DENSE)})
    other = form("RUN/log.txt", {"lr": rate, "num_tokens": tokens, "loss": falling(DENSE, 3.0)}, "text log")
    assert grouped(one, other) == [[0], [1]]
    places = ("RUN", "TensorBoard", (2.0, 1.5)), ("RUN/log.txt", "text log", (2.4, 1.9))
    base = [form(path, {"val_loss": series([0, 100, 200], [3.1234, *values])}, name) for path, name, values in places]
    assert grouped(*base) == [[0], [1]], "both evaluated the same base model"


def test_values_that_are_lost_tell_nothing():
    lost = [math.nan] * 100
    one, other = (form(f"logs/{name}.txt", {"loss": series(DENSE, lost)}, "text log") for name in "ab")
    assert grouped(one, other) == [[0], [1]]


# Tables of sweeps.


def row(name, format="W&B CSV", **facts):
    config = facts.pop("config", {"lr": 0.1})
    return form("export.csv", {}, format, key=name, name=name, config={"config": config}, **facts)


def test_rows_of_a_table_are_of_the_runs_that_they_name():
    runs = [events("a", identity="id-a"), events("b", 3.0, name="named b"), events("deep/c/tb", 4.0)]
    rows = [row("x", identity="id-a"), row("named b"), row("c")]
    assert grouped(*runs, *rows) == [[0, 3], [1, 4], [2, 5]]


def test_a_row_that_two_runs_may_be_is_of_none_and_shows_only_with_a_result():
    runs = [events("p/run1"), events("q/run1", 3.0)]
    assert grouped(*runs, row("run1")) == [[0], [1]]
    with_result = row("run1", last={"val_loss": 0.5})
    assert grouped(*runs, with_result) == [[0], [1], [2]]
    assert grouped(row("gone", last={"val/f1": 0.5}), row("lost", last={"train_loss": 0.5})) == [[0]]
    assert 'of a run "gone"' in why_unused(row("gone"))


def test_a_table_speaks_only_of_what_lies_beside_it():
    elsewhere = form("other/export.csv", {}, "W&B CSV", key="a", name="a", last={"val_loss": 0.5})
    assert grouped(events("a"), elsewhere) == [[0], [1]]


def test_every_form_is_in_one_run_and_the_order_does_not_matter():
    forms = [
        events("a"),
        text("a/log.txt"),
        events("b", 3.0),
        text("b/logs/out.txt", 3.0),
        text("c.txt", 4.0),
        trainer("d", 5.0),
    ]
    wanted = [[0, 1], [2, 3], [4], [5]]
    assert grouped(*forms) == wanted
    back = same_runs(forms[::-1])
    assert sorted(sorted(5 - at for at in group) for group in back) == wanted


def test_what_was_compared_before_is_not_compared_again_until_a_form_changes():
    forms, known = [events("RUN"), text("RUN/log.txt")], Known()
    assert same_runs(forms, ["a", "b"], known) == [[0, 1]]
    assert list(known.verdicts) == [("a", "b")]
    contradicting = [events("RUN"), text("RUN/log.txt", scale=3.0)]
    unread = [
        Form(each.folder, each.format, each.files, "", "", "", "", each.run, RunCurves("x", Names())) for each in forms
    ]
    assert same_runs(unread, ["a", "b"], known) == [[0, 1]], "no curve is read"
    assert same_runs(contradicting, ["a", "c"], known) == [[0], [1]]
    assert list(known.verdicts) == [("a", "c")]


def test_many_runs_are_parted_without_reading_the_curves_of_those_that_lie_alone():
    forms = [
        Form(("runs", f"r{number}"), "TensorBoard", (("runs", f"r{number}", "events"),), "", "", "", "",
             RunSummary(run_id="x", name="x"), RunCurves("x", Names()))
        for number in range(3000)
    ]  # fmt: skip
    assert same_runs(forms) == [[at] for at in range(3000)]


def half(path, names, scale=2.0):
    return form(path, {name: falling(SPARSE, scale, 4) for name in names}, "Table")


@pytest.mark.parametrize(
    ("train", "evaluation"),
    [("train.csv", "val.csv"), ("train_metrics.csv", "eval_metrics.csv"), ("base-train.csv", "base-valid.csv")],
)
def test_a_file_of_training_and_one_of_evaluations_are_one_run(train, evaluation):
    pair = half(f"a/{train}", ["loss", "accuracy"]), half(f"a/{evaluation}", ["loss", "accuracy"], 3.0)
    assert grouped(*pair) == [[0, 1]]
    assert set(merged(pair).curves.curves) == {"train_loss", "eval_loss", "accuracy", "eval_accuracy"}


def test_a_file_that_is_called_after_evaluations_is_of_them_unless_its_names_say_otherwise():
    assert set(half("a/bert-valid.csv", ["loss"]).curves.curves) == {"eval_loss"}
    both = {"loss": falling(SPARSE, 2.0, 4), "val_loss": falling(SPARSE, 3.0, 4)}
    assert set(form("a/bert-valid.csv", both, "Table").curves.curves) == {"train_loss", "eval_loss"}
    assert set(half("a/dev-run.csv", ["loss"]).curves.curves) == {"train_loss"}


def test_files_whose_names_pair_with_several_or_with_none_are_runs_of_their_own():
    assert grouped(half("train.csv", ["loss"]), half("val.csv", ["loss"], 3), half("valid.csv", ["loss"], 4)) == [
        [0], [1], [2]
    ]  # fmt: skip
    assert grouped(half("a-train.csv", ["loss"]), half("b-val.csv", ["loss"], 3.0)) == [[0], [1]]
    assert grouped(half("a/train.csv", ["loss"]), half("b/val.csv", ["loss"], 3.0)) == [[0], [1]]


def charted(path, name, metric, scale=2.0):
    return form(path, {metric: falling(SPARSE, scale, 4)}, "W&B CSV", name=name, key=name)


def test_charts_of_other_metrics_beside_each_other_show_the_same_runs():
    of_loss = charted("x/train.csv", "a", "train/loss"), charted("x/train.csv", "b", "train/loss", 3.0)
    of_eval = charted("x/w.csv", "a", "eval/loss"), charted("x/w.csv", "b", "eval/loss", 3.0)
    assert grouped(*of_loss, *of_eval) == [[0, 2], [1, 3]]
    assert grouped(*of_loss, charted("y/w.csv", "a", "eval/loss")) == [[0], [1], [2]], "another folder"
    again = charted("x/w.csv", "a", "train/loss", 4.0)
    assert grouped(*of_loss, again) == [[0], [1], [2]], "another run of that name"
