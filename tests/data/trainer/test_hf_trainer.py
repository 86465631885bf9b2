from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.core.config.effective import effective
from lib.core.facts.runs import RunStatus, RunSummary, eval_loss_of, train_loss_of
from lib.core.facts.sizes import MOST_METRICS
from lib.data.stated.name_hints import hyperparameters_in
from lib.data.trainer.hf_log import TrainerLog, read_trainer_log
from lib.data.trainer.hf_trainer import summarise_run
from lib.data.trainer.training_files import Unread, read_json, read_side_file
from tests.curves import checked


def log_of(path: Path, state: object) -> TrainerLog:
    file = path / "trainer_state.json"
    file.write_text(state if isinstance(state, str) else json.dumps(state), encoding="utf-8")
    log = read_trainer_log(file)
    assert isinstance(log, TrainerLog), log
    return log


def run_of(path: Path, rows: list, side=None, folder: str = "run", **state) -> tuple[RunSummary, dict]:
    log = log_of(path, {"log_history": rows, **state})
    run, merged = summarise_run("r", [log], side or {}, [folder], 0.0)
    curves = merged.curves("r")
    checked({"r": curves})
    return run, {
        name: dict(zip(*map(np.ndarray.tolist, (curve.step, curve.value)), strict=True))
        for name, curve in curves.curves.items()
    }


def test_best_and_last_values_come_from_the_curves(tmp_path):
    rows = [
        {"step": 1, "epoch": 0.5, "loss": 2.0, "learning_rate": 1e-4, "grad_norm": 3.0},
        {"step": 1, "epoch": 0.5, "eval_loss": 1.5},
        {"step": 2, "epoch": 1.0, "loss": 0.5, "learning_rate": 0.0, "grad_norm": 1.0},
        {"step": 2, "epoch": 1.0, "eval_loss": 0.75},
        {"step": 3, "epoch": 1.5, "eval_loss": 0.75},
        {"step": 4, "epoch": 2.0, "eval_loss": math.nan},
    ]
    run, curves = run_of(tmp_path, rows, global_step=4, max_steps=4)
    assert (run.best_eval_loss, run.best_step, run.best_epoch) == (0.75, 2, 1.0)
    assert math.isnan(run.eval_loss)
    assert (run.loss, run.learning_rate, run.max_learning_rate) == (0.5, 0.0, 1e-4)
    assert (eval_loss_of(run), train_loss_of(run)) == (0.75, 0.5)
    assert curves["train_loss"] == {1: 2.0, 2: 0.5}
    assert set(curves["eval_loss"]) == {1, 2, 3, 4}


def test_the_closing_summary_is_no_point_of_any_curve(tmp_path):
    rows = [
        {"step": 5, "loss": 1.0},
        {
            "step": 5,
            "train_runtime": 90.0,
            "train_loss": 7.0,
            "train_samples_per_second": 4.5,
            "total_flos": 1.0,
        },
    ]
    run, curves = run_of(tmp_path, rows, global_step=5, max_steps=5)
    assert curves == {"train_loss": {5: 1.0}}
    assert (run.loss, run.duration_s, run.samples_per_second) == (1.0, 90.0, 4.5)
    assert run.extra["mean_train_loss"] == 7.0


def test_throughput_and_time_of_each_logging_step_are_curves(tmp_path):
    rows = [
        {
            "step": step,
            "loss": 1.0,
            "train_runtime": 10.0 * step,
            "train_tokens_per_second": 99.0,
            "epoch": None,
        }
        for step in (1, 2, 3)
    ]
    log = log_of(tmp_path, {"log_history": rows})
    run, merged = summarise_run("r", [log], {}, ["run"], 0.0)
    curves = merged.curves("r")
    frame = checked({"r": curves})
    assert set(frame["metric"]) == {"train_loss", "tokens_per_second"}
    assert frame.query("metric == 'train_loss'")["elapsed_s"].tolist() == [0.0, 10.0, 20.0]
    assert frame["epoch"].isna().all()
    assert run.status is RunStatus.UNKNOWN


def test_timestamps_give_times_and_duration(tmp_path):
    rows = [
        {"step": 1, "loss": 1.0, "timestamp": "2026-01-01T00:00:00+00:00"},
        {"step": 2, "loss": 1.0, "timestamp": "2026-01-01T01:00:00+01:00"},
        {"step": 3, "loss": 1.0, "timestamp": "2026-01-01T00:00:30Z"},
    ]
    run, _ = run_of(tmp_path, rows, global_step=3, max_steps=3)
    assert run.duration_s == 30.0
    assert run.started_at.isoformat() == run.created_at.isoformat() == "2026-01-01T00:00:00+00:00"
    assert run.completed_at.isoformat() == "2026-01-01T00:00:30+00:00"


def test_missing_null_zero_and_text_stay_apart(tmp_path):
    rows = [
        {"step": 1, "loss": 0.0, "grad_norm": None, "a": "0.5", "b": "n/a", "c": True, "d": [1.0], "e": "1_0"},
        {"step": "2", "loss": "NaN", "grad_norm": "Infinity"},
        {"step": 3.0, "loss": "null", "grad_norm": math.inf},
    ]
    run, curves = run_of(tmp_path, rows)
    assert set(curves) == {"train_loss", "grad_norm", "a"}
    assert curves["a"] == {1: 0.5}
    assert curves["grad_norm"] == {2: math.inf, 3: math.inf}
    assert curves["train_loss"][1] == 0.0
    assert math.isnan(curves["train_loss"][2])
    assert set(curves["train_loss"]) == {1, 2}
    assert train_loss_of(run) is None  # The last logged loss is NaN; it is not replaced by an older one.


def test_nested_metrics_are_joined_with_a_slash(tmp_path):
    rows = [{"step": 1, "eval_f1": {"a": 0.5, "deep": {"b": "0.25", "": None}}, "rewards/margins": -1.0}]
    _, curves = run_of(tmp_path, rows)
    assert curves == {"eval_f1/a": {1: 0.5}, "eval_f1/deep/b": {1: 0.25}, "rewards/margins": {1: -1.0}}


def test_what_ppo_maximises_is_its_reward(tmp_path):
    rows = [{"step": step, "objective/kl": 3.0, "objective/rlhf_reward": step / 10} for step in (1, 2)]
    assert run_of(tmp_path, rows)[1] == {"objective/kl": {1: 3.0, 2: 3.0}, "reward": {1: 0.1, 2: 0.2}}


def test_rows_without_a_step_are_left_out_and_counted(tmp_path):
    rows = [
        {"loss": 1.0},
        {"step": -1, "loss": 1.0},
        {"step": 1.5, "loss": 1.0},
        {"step": 1, "loss": 2.0},
        7,
        None,
    ]
    run, curves = run_of(tmp_path, rows)
    assert curves == {"train_loss": {1: 2.0}}
    assert "Rows of the log that state no step were left out: 3." in run.notes
    assert "Entries of the log that are no rows of values were left out: 2." in run.notes


def test_a_step_written_twice_holds_what_was_written_last(tmp_path):
    rows = [{"step": 2, "loss": 1.0}, {"step": 3, "loss": 0.9}, {"step": 2, "loss": 0.8}]
    _, curves = run_of(tmp_path, rows)
    assert curves == {"train_loss": {2: 0.8, 3: 0.9}}


@pytest.mark.parametrize("history", [[], None, "text", {"step": 1}, 5])
def test_a_history_without_rows_gives_a_run_without_metrics(tmp_path, history):
    run, curves = run_of(tmp_path, history, global_step=3, max_steps=10)
    assert curves == {}
    assert (run.loss, run.eval_loss, run.best_eval_loss, run.max_learning_rate) == (None,) * 4
    assert run.current_step == 3


@pytest.mark.parametrize(
    ("state", "status", "shown"),
    [
        ({"global_step": 10, "max_steps": 10}, RunStatus.COMPLETED, "completed"),
        ({"global_step": 12, "max_steps": 10}, RunStatus.COMPLETED, "completed"),
        (
            {"global_step": 9, "max_steps": 10, "epoch": 3.0, "num_train_epochs": 3},
            RunStatus.COMPLETED,
            "completed",
        ),
        ({"global_step": 7000, "max_steps": 9411}, RunStatus.UNKNOWN, "log ends at step 7,000 of 9,411"),
        ({"global_step": 7, "max_steps": 0}, RunStatus.UNKNOWN, "log ends at step 7"),
        ({"global_step": 0, "max_steps": -1, "epoch": 0, "num_train_epochs": 0}, RunStatus.UNKNOWN, "unknown"),
        ({"global_step": "10", "max_steps": "10"}, RunStatus.COMPLETED, "completed"),
    ],
)
def test_status_follows_steps_and_epochs(tmp_path, state, status, shown):
    run, _ = run_of(tmp_path, [], **state)
    assert (run.status, run.status_text) == (status, shown)


def test_an_early_stop_is_completed_and_said(tmp_path):
    rows = [{"step": 5, "loss": 1.0}, {"step": 5, "train_runtime": 9.0, "train_loss": 1.0}]
    run, _ = run_of(tmp_path, rows, global_step=5, max_steps=10)
    assert run.status is RunStatus.COMPLETED
    assert run.progress == 0.5
    assert "Training was ended early, at step 5 of 10." in run.notes
    assert run.duration_s == 9.0
    untimed, _ = run_of(tmp_path, [{"step": 5, "train_runtime": None}], global_step=5, max_steps=10)
    assert untimed.duration_s is None
    resumed, _ = run_of(tmp_path, [*rows, {"step": 8, "loss": 1.0}], global_step=8, max_steps=10)
    assert resumed.status is RunStatus.UNKNOWN


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ({"train_loss": 1.0, "epoch": 2.0}, RunStatus.COMPLETED),
        ({"train_loss": 1.0, "epoch": 0.5}, RunStatus.UNKNOWN),  # Of an earlier, shorter training.
        ({"eval_loss": 0.5, "epoch": 2.0}, RunStatus.UNKNOWN),  # Only an evaluation.
    ],
)
def test_a_result_file_tells_that_training_returned(tmp_path, results, status):
    run, _ = run_of(
        tmp_path, [], {"all_results.json": results}, global_step=5, max_steps=10, epoch=1.0, num_train_epochs=2
    )
    assert run.status is status
    assert run.final_eval_loss == results.get("eval_loss")


def test_a_manifest_tells_the_status_of_a_log_that_ends_early(tmp_path):
    manifest = {"status": "Failed", "error": "CUDA out of memory", "started_at": "2026-01-02T03:04:05Z"}
    run, _ = run_of(tmp_path, [], {"run_manifest_v2.json": manifest}, global_step=5, max_steps=10)
    assert (run.status, run.raw_status) == (RunStatus.FAILED, "Failed")
    assert run.error_message == "CUDA out of memory"
    assert run.started_at == run.created_at
    assert run.started_at.isoformat() == "2026-01-02T03:04:05+00:00"


def test_arguments_of_ms_swift_are_read(tmp_path):
    run, _ = run_of(tmp_path, [{"step": 1, "loss": 1.0}], {"args.json": {"rlhf_type": "kto"}})
    assert run.config["args"] == {"rlhf_type": "kto"}


def test_hyperparameters_keep_the_section_in_which_they_were_found(tmp_path):
    side = {
        "training_args.json": {"learning_rate": "2e-4", "per_device_train_batch_size": 4, "warmup_steps": 0},
        "adapter_config.json": {"r": 16, "base_model_name_or_path": "org/base"},
        "config.json": {"model_type": "llama", "learning_rate": 9.0, "id2label": {"0": "a"}},
    }
    rows = [{"step": 1, "learning_rate": 1e-5}]
    run, _ = run_of(tmp_path, rows, side, folder="8 3e-5", num_train_epochs=3, train_batch_size=8, save_steps=10)
    assert run.config == {
        "training_args": side["training_args.json"],
        "adapter_config": side["adapter_config.json"],
        "model_config": {"model_type": "llama", "learning_rate": 9.0, "num_labels": 1},
        "trainer_state": {"num_train_epochs": 3, "save_steps": 10},
    }
    assert (run.max_learning_rate, run.batch_size, run.warmup_steps) == (2e-4, 4, 0)
    assert run.base_model == "org/base"
    # 8 is twice the batch size of one device: the effective one may be meant.
    assert run.notes == (
        'The folder name "8 3e-5" says learning rate 3e-5; the configuration says 2e-4, which counts.',
    )


def test_the_folder_name_states_what_nothing_else_does(tmp_path):
    run, _ = run_of(tmp_path, [{"step": 1, "learning_rate": 1e-5}], folder="8 3e-5")
    assert run.config == {}
    assert run.named == {"batch_size": 8, "learning_rate": 3e-5}
    assert (run.batch_size, run.max_learning_rate, run.learning_rate) == (8, 3e-5, 1e-5)
    assert run.notes == ('Batch size and learning rate were read from the folder name "8 3e-5".',)
    rate = effective(run)["learning_rate"]
    assert (rate.value, rate.source, rate.remarks) == (3e-5, "folder name", ())
    partly, _ = run_of(tmp_path, [], folder="8 3e-5", train_batch_size=16)
    assert (partly.batch_size, partly.max_learning_rate) == (16, 3e-5)
    assert partly.notes == (
        'The folder name "8 3e-5" says batch size 8; the configuration says 16, which counts.',
        'Learning rate was read from the folder name "8 3e-5".',
    )
    assert effective(partly)["batch_size"].contradicted


def test_a_name_that_the_configuration_contradicts_is_a_remark(tmp_path):
    run, _ = run_of(tmp_path, [], {"training_args.json": {"learning_rate": 1e-4}}, folder="lr2e-4_seed3")
    rate = effective(run)["learning_rate"]
    assert (rate.value, rate.source, rate.contradicted) == (1e-4, "config.training_args.learning_rate", True)
    assert "a folder's name is only a hint" in rate.remarks[0].sentence
    assert effective(run)["seed"].source == "folder name"


def schedule(peak, *, warm_up=0, total=300, every=10, first=10, last=300, shape="linear"):
    steps = range(first, last + 1, every)

    def rate(step):
        if step < warm_up:
            return peak * step / warm_up
        share = (step - warm_up) / (total - warm_up)
        return {"linear": 1 - share, "cosine": (1 + math.cos(math.pi * share)) / 2, "constant": 1.0}[shape] * peak

    return [{"step": step, "loss": 1.0, "learning_rate": rate(step)} for step in steps]


@pytest.mark.parametrize(
    ("named", "rows", "counts"),
    [
        (2e-4, schedule(4.8e-5), "log"),
        (1e-5, schedule(4.8e-5), "log"),
        (1e-4, schedule(4.8e-5), "log"),
        (5e-5, schedule(4.8e-5), "name"),  # a peak between two logged points explains it
        (2e-4, schedule(2e-4), "name"),
        (2e-4, schedule(2e-4, every=100, first=100), "name"),
        (2e-4, schedule(2e-4, shape="cosine", every=75, first=75), "name"),
        (2e-4, schedule(2e-4, warm_up=200, last=100), "name"),  # the warm-up is not over
        (2e-4, schedule(2e-4, warm_up=15), "name"),
        (2e-4, schedule(2e-4, warm_up=25, every=50, first=50), "name"),
        (2e-4, schedule(2e-4, shape="cosine", first=200), "name"),  # the log begins late
        (2e-4, schedule(1e-4, shape="constant"), "log"),
        (2e-4, schedule(1e-4, warm_up=30, shape="constant"), "log"),
        (2e-4, schedule(1e-4, warm_up=30, shape="cosine"), "log"),
        (2e-4, [], "name"),
        (2e-4, [{"step": 10, "loss": 1.0}], "name"),
    ],
)
def test_a_learning_rate_in_the_name_counts_unless_the_log_contradicts_it(tmp_path, named, rows, counts):
    run, _ = run_of(tmp_path, rows, folder=f"lr_{named:g}", max_steps=300, global_step=300)
    peak = max((row.get("learning_rate", 0.0) for row in rows), default=0.0)
    setting = effective(run)["learning_rate"]
    assert run.max_learning_rate == setting.value == (named if counts == "name" else peak)
    assert (setting.source == "folder name") is (counts == "name")
    assert ("which counts" in " ".join(run.notes)) is setting.contradicted is (counts == "log")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("8 3e-5", {"batch_size": 8, "learning_rate": 3e-5}),
        ("lr3e-5_bs8", {"learning_rate": 3e-5, "batch_size": 8}),
        ("lr=2e-4,r=16", {"learning_rate": 2e-4, "r": 16}),
        ("lora_r16_lr2e-4", {"r": 16, "learning_rate": 2e-4}),
        ("lora-rank-8-alpha-32", {"r": 8, "lora_alpha": 32}),
        ("llama-lr-0.001-epochs-3-seed-0", {"learning_rate": 0.001, "num_train_epochs": 3, "seed": 0}),
        ("LR_5E-06_batch_size_4", {"learning_rate": 5e-6, "batch_size": 4}),
    ],
)
def test_clear_folder_names_state_hyperparameters(name, expected):
    assert hyperparameters_in(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "",
        "final_model",
        "8",
        "8 3",
        "0 3e-5",
        "3e-5",
        "llama-3-8b",
        "run_r16",
        "lr1",
        "lr5e5",
        "lr3e-5x",
        "checkpoint-500",
        "v1.2 2024-10-12",
        "epoch3",
        "color16",
        "bs",
        "bs8.5",
        "alpha32",
        "lr=1e999",
        "2 10-12",
        "12.12_78893_hyp_0.7",
    ],
)
def test_other_folder_names_state_nothing(name):
    assert hyperparameters_in(name) == {}


@given(st.text(max_size=60))
@settings(deadline=None)
def test_any_folder_name_can_be_asked(name):
    for value in hyperparameters_in(name).values():
        assert math.isfinite(value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b'{"log_history": [', "not valid JSON"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "Git LFS pointer"),
        (b"[1]", "found a list"),
        (b"null", "found null"),
        (b"3", "found a number"),
        (b'"x"', "found a text"),
        (b"{}", "not the state of a Trainer"),
        (b'{"log_history": ' + b"[" * 100_000, "nested too deeply"),
        (b"\x80\x04\x95pickle", "not valid JSON"),
        (b'{"global_step": ' + b"9" * 5000 + b"}", "not valid JSON"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path, content, reason):
    file = tmp_path / "trainer_state.json"
    file.write_bytes(content)
    read = read_trainer_log(file)
    assert isinstance(read, Unread)
    assert reason in read.reason
    assert read.reason.endswith((".", ")."))
    assert not read.transient


def test_a_missing_file_and_a_folder_are_said(tmp_path):
    assert read_json(tmp_path / "nothing.json").transient
    assert "found a folder" in read_json(tmp_path).reason


def test_stray_bytes_and_half_characters_do_not_take_the_numbers_down(tmp_path):
    file = tmp_path / "trainer_state.json"
    file.write_bytes(b'\xef\xbb\xbf{"log_history": [{"step": 1, "f1 \xff": 0.5, "\\ud83d": 0.25, "loss": NaN}]}')
    log = read_trainer_log(file)
    assert list(log.points.names) == ["f1 \ufffd", "?", "train_loss"]
    assert math.isnan(log.points.value[2])


def test_side_files_nested_too_deeply_are_left_alone(tmp_path):
    file = tmp_path / "config.json"
    file.write_text('{"a":' * 39 + "1" + "}" * 39)
    assert not isinstance(read_side_file(file), Unread)
    file.write_text('{"a":' * 200 + "1" + "}" * 200)
    assert "levels deep" in read_side_file(file).reason


leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["NaN", "3"])
KEYS = ["step", "epoch", "loss", "eval_loss", "learning_rate", "train_runtime", "timestamp", "train_loss", "x"]
STATE_KEYS = [
    "global_step",
    "max_steps",
    "epoch",
    "num_train_epochs",
    "best_model_checkpoint",
    "train_batch_size",
]
nested = st.recursive(
    leaf, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
)
log_rows = st.lists(st.dictionaries(st.sampled_from(KEYS), nested) | leaf, max_size=6)
states = st.dictionaries(st.sampled_from(STATE_KEYS), nested)
side_objects = st.dictionaries(st.sampled_from(["status", "learning_rate", "batch_size", "dataset", "r"]), nested)


@given(history=log_rows | nested, state=states, side=side_objects)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_the_files_say_reading_them_gives_a_run(tmp_path_factory, history, state, side):
    path = tmp_path_factory.getbasetemp() / "trainer_state.json"
    path.write_text(json.dumps({"global_step": None, "log_history": history, **state}), encoding="utf-8")
    log = read_trainer_log(path)
    assert isinstance(log, TrainerLog)
    names = ("training_args.json", "run_manifest.json", "all_results.json", "config.json")
    run, curves = summarise_run("r", [log], dict.fromkeys(names, side), ["8 3e-5"], 0.0)
    checked({"r": curves.curves("r")})
    assert run.best_eval_loss is None or math.isfinite(run.best_eval_loss)
    assert run.progress is None or 0 <= run.progress <= 1


def test_of_thousands_of_metrics_those_that_tell_most_are_read_and_the_rest_is_named(tmp_path):
    layers = [{"step": step, "loss": 1 / step, **{f"layer{number}/norm": 1.0 for number in range(20_000)}}
              for step in (1, 2)]  # fmt: skip
    # A name that becomes another one that is there must not cost a search for each of all.
    evaluated = {"step": 2, "eval_loss": 0.5, "eval_f1": 0.7, "train_loss": 0.4}
    run, curves = run_of(tmp_path, [*layers, evaluated])
    # Two of these names are one metric.
    assert len(curves) == MOST_METRICS - 1
    assert {"train_loss", "eval_loss", "eval_f1"} <= set(curves)
    (note,) = [note for note in run.notes if "metrics" in note]
    assert note.startswith("Of 20,004 metrics 400 are read; left out are layer")
    few, curves = run_of(tmp_path, [{"step": 1, "loss": 1.0}, {"step": 2, "loss": 0.9}])
    assert not [note for note in few.notes if "metrics" in note]
