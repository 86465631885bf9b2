from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from lib.data.formats.readers.any_table import FORMAT
from lib.data.formats.tables import parquet as tables_parquet
from tests.data.formats.readers.units import KERAS, WANDB_CHART, read


def lines(rows) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def table(header: str, rows) -> str:
    return header + "\n" + "".join(",".join(str(cell) for cell in row) + "\n" for row in rows)


def in_parquet(columns) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


def curves(run) -> dict[str, list[tuple[int, float]]]:
    return {name: list(zip(each.step.tolist(), each.value.tolist(), strict=True)) for name, each in run.series.items()}


def runs_in(tmp_path, name: str, content):
    reading = read(FORMAT, tmp_path, {name: content})
    assert reading.unused == reading.unreadable == ()
    return reading.runs


# One run -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step", ["step", "Step", "global_step", "train/global_step", "iter", "Iteration", "trainer/global_step"]
)
def test_a_column_of_steps_goes_by_many_names(tmp_path, step) -> None:
    (run,) = runs_in(tmp_path, "log.csv", table(f"{step},loss,lr", [(0, 2.0, 0.1), (10, "nan", 0.1), (20, 1.0, 0.05)]))
    assert run.series.keys() == {"loss", "lr"}
    assert run.series["loss"].step.tolist() == [0, 10, 20]
    assert [str(value) for value in run.series["loss"].value] == ["2.0", "nan", "1.0"]
    assert (run.key, run.name, run.counted, run.notes) == ("", "", "step", ())


@pytest.mark.parametrize("name", ["log.jsonl", "log.csv"])
def test_steps_may_stand_there_with_their_total(tmp_path, name) -> None:
    rows = [(f"{step}/300", 3 - step / 100) for step in (100, 200, 300)]
    as_lines = lines([{"step": step, "loss": loss} for step, loss in rows])
    (run,) = runs_in(tmp_path, name, as_lines if name.endswith("jsonl") else table("step,loss", rows))
    assert curves(run) == {"loss": [(100, 2.0), (200, 1.0), (300, 0.0)]}


def test_lines_of_windows_may_be_utf_16(tmp_path) -> None:
    written = lines([{"step": step, "loss": 3 - step / 100} for step in (100, 200, 300)])
    (run,) = runs_in(tmp_path, "log.jsonl", b"\xff\xfe" + written.encode("utf-16-le"))
    assert curves(run) == {"loss": [(100, 2.0), (200, 1.0), (300, 0.0)]}


def test_epochs_and_clocks_stand_beside_steps(tmp_path) -> None:
    content = table("timestamp,epoch,step,loss", [(1729642919000, 0.5, 1, 2.0), (1729642920500, 1.0, 2, 1.0)])
    (run,) = runs_in(tmp_path, "log.csv", content)
    assert run.series.keys() == {"loss"}
    assert run.series["loss"].epoch.tolist() == [0.5, 1.0]
    assert run.series["loss"].at.tolist() == [1729642919.0, 1729642920.5]


def test_written_times_are_a_clock(tmp_path) -> None:
    (run,) = runs_in(
        tmp_path, "l.jsonl", lines({"time": f"2026-01-02T00:00:0{n}", "step": n, "loss": 1 / (n + 1)} for n in range(5))
    )
    assert (run.series["loss"].at - run.series["loss"].at[0]).tolist() == [0, 1, 2, 3, 4]


def test_a_time_that_is_that_of_a_step_is_a_metric(tmp_path) -> None:
    content = table("step,loss,time", [(n, 1 / (n + 1), 0.3 + 0.1 * (n * 7 % 5)) for n in range(50)])
    (run,) = runs_in(tmp_path, "log.csv", content)
    assert run.series.keys() == {"loss", "time"}
    assert run.series["loss"].at is None


def test_epochs_alone_are_counted(tmp_path) -> None:
    (run,) = runs_in(
        tmp_path, "summary.csv", table("epoch,train_loss,eval_loss", [(n, 2 - n, 3 - n) for n in range(3)])
    )
    assert run.counted == "epoch"
    assert curves(run)["eval_loss"] == [(0, 3.0), (1, 2.0), (2, 1.0)]


def test_fractions_of_epochs_are_entries_in_order(tmp_path) -> None:
    (run,) = runs_in(tmp_path, "l.jsonl", lines({"loss": 2 - n / 10, "epoch": n / 10} for n in range(1, 5)))
    assert (run.counted, run.series["loss"].step.tolist()) == ("step", [1, 2, 3, 4])
    assert run.series["loss"].epoch.tolist() == [0.1, 0.2, 0.3, 0.4]
    assert len(run.notes) == 1


def test_steps_that_start_again_in_each_epoch_are_counted_on(tmp_path) -> None:
    rows = [(epoch, step, epoch + step / 100) for epoch in (1, 2, 3) for step in range(0, 100, 10)]
    (run,) = runs_in(tmp_path, "log.csv", table("epoch,batch,loss", rows))
    assert run.series["loss"].step.tolist() == list(range(0, 300, 10))
    assert len(run.notes) == 1


def test_tokens_stand_for_steps_where_there_are_none(tmp_path) -> None:
    (run,) = runs_in(tmp_path, "log.csv", table("tokens_seen,loss", [(n * 4096, 2 - n / 9) for n in range(9)]))
    assert run.series["loss"].step.tolist() == [n * 4096 for n in range(9)]
    assert len(run.notes) == 1


def test_a_log_that_was_resumed_is_one_run(tmp_path) -> None:
    steps = [*range(0, 100), *range(60, 150)]
    (run,) = runs_in(tmp_path, "log.csv", table("step,loss", [(step, step / 7) for step in steps]))
    assert run.series["loss"].step.tolist() == steps


def test_a_log_that_begins_late_is_a_run(tmp_path) -> None:
    (run,) = runs_in(tmp_path, "log.csv", table("global_step,loss", [(50_000 + n, 1.0) for n in range(30)]))
    assert run.series["loss"].step[0] == 50_000


def test_nested_objects_text_numbers_and_torn_lines(tmp_path) -> None:
    content = (
        '{"config": {"lr": 0.001, "model": "tiny"}}\n'
        '{"step": 1, "train": {"loss": "2.0"}}\n'
        "some text of the launcher\n"
        '{"step": 2, "train": {"loss": NaN}, "eval": {"loss": 1e999}}\n'
        '{"final_f1": 0.5}\n'
        '{"step": 3, "tra'
    )
    (run,) = runs_in(tmp_path, "metrics.jsonl", content)
    assert run.series["train/loss"].step.tolist() == [1, 2]
    assert [str(value) for value in run.series["train/loss"].value] == ["2.0", "nan"]
    assert run.series["eval/loss"].value.tolist() == [np.inf]
    assert run.config["table"] == {"config/lr": 0.001, "config/model": "tiny"}
    assert run.last == {"final_f1": 0.5}
    assert len(run.notes) == 1


def test_what_stays_the_same_is_a_setting(tmp_path) -> None:
    rows = [(n, 1.0, 32, "bert", 500, 0.1) for n in range(9)]
    (run,) = runs_in(tmp_path, "log.csv", table("step,loss,batch_size,model,max_steps,lr", rows))
    assert run.series.keys() == {"loss", "lr"}
    assert run.config == {"table": {"batch_size": 32, "model": "bert", "max_steps": 500}}
    assert run.total_steps == 500


def test_an_index_that_pandas_wrote_is_no_metric(tmp_path) -> None:
    (run,) = runs_in(tmp_path, "log.csv", table(",step,loss", [(n, n * 10, 1.0) for n in range(5)]))
    assert run.series.keys() == {"loss"}


def test_tensorboards_download_is_named_by_its_file(tmp_path) -> None:
    content = table("Wall time,Step,Value", [(1729642919.5, 0, 2.0), (1729642920.5, 10, 1.0)])
    (run,) = runs_in(tmp_path, "run-exp1-tag-train_loss.csv", content)
    assert curves(run) == {"train_loss": [(0, 2.0), (10, 1.0)]}
    assert run.series["train_loss"].at.tolist() == [1729642919.5, 1729642920.5]


def test_files_of_one_curve_each_are_one_run(tmp_path) -> None:
    content = {name: table("Wall time,Step,Value", [(1.5, 0, 2.0), (2.5, 10, 1.0)]) for name in "ab"}
    files = {f"run-exp1-tag-{name}.csv": each for name, each in content.items()}
    (run,) = read(FORMAT, tmp_path, files).runs
    assert (run.series.keys(), len(run.files), run.key) == ({"a", "b"}, 2, "")
    files = {
        "job/Train_Samples_lr.csv": "step,Train/Samples/lr\n1,0.1\n2,0.1\n",
        "job/Train_Samples_train_loss.csv": "step,Train/Samples/train_loss\n1,2.0\n2,1.0\n",
    }
    (run,) = read(FORMAT, tmp_path, files).runs
    assert run.series.keys() == {"Train/Samples/lr", "Train/Samples/train_loss"}


def test_a_log_or_text_with_a_header_is_a_table_and_others_are_passed_on(tmp_path) -> None:
    (run,) = runs_in(tmp_path, "train.log", "Epoch\tTrain Loss\tValid Acc.\n1\t2.0\t0.5\n2\t1.0\t0.6\n")
    assert curves(run) == {"Train Loss": [(1, 2.0), (2, 1.0)], "Valid Acc.": [(1, 0.5), (2, 0.6)]}
    for number, text in enumerate(["step 1: loss 2, lr 3\n", "a, b\n1, 2\n", "", "epoch,\nx\n"]):
        assert read(FORMAT, tmp_path / str(number), {"x.txt": text}) is None


def test_json_lines_in_a_file_called_json(tmp_path) -> None:
    rows = [{"iteration": 19 + 20 * n, "total_loss": 2 - n / 9, "lr": 0.1} for n in range(9)]
    (run,) = runs_in(tmp_path, "metrics.json", lines(rows))
    assert run.series["total_loss"].step.tolist() == [19 + 20 * n for n in range(9)]
    assert read(FORMAT, tmp_path / "b", {"metrics.json": json.dumps({"loss": 1, "step": 2}, indent=1)}) is None
    assert read(FORMAT, tmp_path / "c", {"metrics.json": json.dumps({"loss": 1, "step": 2})}) is None


def test_several_runs_whose_epochs_end_at_the_same_steps_stay_several(tmp_path) -> None:
    rows = [(run, epoch, epoch * 100, 1 / epoch) for run in ("a", "b") for epoch in range(1, 5)]
    first, second = runs_in(tmp_path, "log.csv", table("run,epoch,step,loss", rows))
    assert first.series["loss"].step.tolist() == second.series["loss"].step.tolist() == [100, 200, 300, 400]


# Several runs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["run", "run_name", "experiment", "seed", "method", "flavour"])
@pytest.mark.parametrize("interleaved", [False, True])
def test_a_column_that_parts_rows_into_sequences_names_runs(tmp_path, name, interleaved) -> None:
    names = [1, 2, 3] if name == "seed" else ["a", "b", "c"]
    rows = [(each, step, step + place / 10) for place, each in enumerate(names) for step in range(20)]
    if interleaved:
        rows.sort(key=lambda row: row[1])
    runs = runs_in(tmp_path, "all.csv", table(f"{name},step,loss", rows))
    assert [run.name for run in runs] == [str(each) for each in names]
    assert len({run.key for run in runs}) == 3
    assert curves(runs[2])["loss"] == [(step, step + 0.2) for step in range(20)]


def test_two_columns_may_name_runs_together(tmp_path) -> None:
    rows = [(lr, seed, step, lr + seed + step) for lr in (0.1, 0.2) for seed in (1, 2) for step in range(20)]
    runs = runs_in(tmp_path, "all.csv", table("learning_rate,seed,step,loss", rows))
    assert len(runs) == 4
    assert {len(run.series["loss"].step) for run in runs} == {20}
    assert sorted(run.config["table"]["seed"] for run in runs) == [1, 1, 2, 2]


def test_train_and_validation_rows_are_metrics_of_one_run(tmp_path) -> None:
    rows = [(step, split, step + place) for step in range(5) for place, split in enumerate(["train", "val"])]
    (run,) = runs_in(tmp_path, "log.csv", table("step,split,loss", rows))
    assert curves(run) == {
        "train/loss": [(step, float(step)) for step in range(5)],
        "val/loss": [(step, step + 1.0) for step in range(5)],
    }


def test_a_long_table_has_a_row_for_each_value(tmp_path) -> None:
    rows = [
        (run, tag, step, step + place)
        for place, run in enumerate(["a", "b"])
        for tag in ("train/loss", "eval/loss")
        for step in range(4)
    ]
    first, second = runs_in(tmp_path, "long.csv", table("run,metric,step,value", rows))
    assert (first.name, second.name) == ("a", "b")
    assert first.series.keys() == second.series.keys() == {"train/loss", "eval/loss"}
    assert curves(second)["eval/loss"] == [(0, 1.0), (1, 2.0), (2, 3.0), (3, 4.0)]


def test_a_long_table_of_one_run(tmp_path) -> None:
    content = in_parquet({"tag": ["loss", "acc"] * 10, "step": [n // 2 for n in range(20)], "value": [0.5] * 20})
    (run,) = runs_in(tmp_path, "scalars.parquet", content)
    assert {name: len(each.step) for name, each in run.series.items()} == {"loss": 10, "acc": 10}


def test_parquet_gives_what_stood_in_it(tmp_path) -> None:
    content = in_parquet(
        {
            "run": pa.array(["a"] * 3 + ["b"] * 3).dictionary_encode(),
            "step": pa.array([0, 1, 2] * 2, pa.int32()),
            "loss": pa.array([2.0, float("nan"), None, 1.0, 0.5, 0.25], pa.float32()),
            "tokens": [[1, 2]] * 6,
        }
    )
    first, second = runs_in(tmp_path, "log.parquet", content)
    assert [str(value) for value in first.series["loss"].value] == ["2.0", "nan"]
    assert curves(second)["loss"] == [(0, 1.0), (1, 0.5), (2, 0.25)]


@pytest.mark.parametrize("at_once", [1, 50, 10**6])
def test_parquet_that_is_read_some_columns_at_a_time_is_the_same(tmp_path, monkeypatch, at_once) -> None:
    gaps = [None if n % 3 else n / 7 for n in range(100)]
    steps = pa.array(range(100), pa.int32())
    words = ["a" if n < 50 else None for n in range(100)]
    content = in_parquet({"step": steps, "loss": gaps, "why": words, "acc": [n / 9 for n in range(100)]})
    (tmp_path / "log.parquet").write_bytes(content)
    monkeypatch.setattr(tables_parquet, "_CELLS_AT_ONCE", at_once)
    table = tables_parquet.read_parquet(tmp_path / "log.parquet", lambda names: True)
    assert table.names == ("step", "loss", "why", "acc")
    assert table.numbers["step"].values.tolist() == list(range(100))
    assert table.numbers["loss"].given.tolist() == [each is not None for each in gaps]
    assert table.numbers["loss"].values[table.numbers["loss"].given].tolist() == [n / 7 for n in range(0, 100, 3)]
    assert [table.words["why"].at(row) for row in (0, 49, 50)] == ["a", "a", ""]
    assert table.numbers["acc"].given.all()


# A row for each run --------------------------------------------------------------------------------------------------


def test_a_sweep_has_a_row_for_each_run(tmp_path) -> None:
    rows = [(f"run{n}", f"id{n}", 10.0**-n, 8, "adamw", "finished", n / 10) for n in range(3, 6)]
    runs = runs_in(tmp_path, "sweep.csv", table("name,run_id,lr,batch_size,optimizer,state,eval_loss", rows))
    assert [(run.name, run.identity, run.key) for run in runs] == [(f"run{n}", f"id{n}", f"id{n}") for n in range(3, 6)]
    assert runs[0].config == {"table": {"lr": 0.001, "batch_size": 8, "optimizer": "adamw"}}
    assert runs[0].last == {"eval_loss": 0.3}
    assert (runs[0].status, runs[0].series) == ("completed", {})


def test_a_log_whose_rows_have_identities_is_no_sweep(tmp_path) -> None:
    rows = [(f"{run}{step}", run, step, 0.1, 1 / (step + 1)) for run in ("a", "b") for step in range(5)]
    runs = runs_in(tmp_path, "log.csv", table("id,run_name,step,lr,loss", rows))
    assert [(run.name, len(run.series["loss"].step)) for run in runs] == [("a", 5), ("b", 5)]
    (run,) = runs_in(tmp_path, "one.csv", table("id,step,lr,loss", [(f"x{n}", n, 0.1, 1.0) for n in range(5)]))
    assert len(run.series["loss"].step) == 5


def test_a_sweep_may_state_the_step_of_each_result(tmp_path) -> None:
    rows = [(f"run{n}", seed, 1000, 0.1, n / 9) for n, seed in enumerate([1, 2, 1, 2])]
    runs = runs_in(tmp_path, "sweep.csv", table("name,seed,step,lr,eval_loss", rows))
    assert [run.last["eval_loss"] for run in runs] == [n / 9 for n in range(4)]


def test_trials_of_a_search_are_runs(tmp_path) -> None:
    rows = [(n, n / 10, 10.0**-n, n + 2, "COMPLETE") for n in range(4)]
    runs = runs_in(tmp_path, "trials.csv", table("number,value,params_lr,params_depth,state", rows))
    assert [run.name for run in runs] == ["0", "1", "2", "3"]
    assert (runs[1].last, runs[1].config) == ({"value": 0.1}, {"table": {"params_lr": 0.1, "params_depth": 3}})


# Data ----------------------------------------------------------------------------------------------------------------

MADE = np.random.default_rng(0)
SENTENCE = "Explain in a few words why the sky is blue, number"
DATA = {
    "iris.csv": table(
        "Id,SepalLengthCm,SepalWidthCm,PetalLengthCm,Species",
        [(n + 1, 5 + n % 7 / 10, 3.1, 1.4, ["setosa", "virginica"][n // 75]) for n in range(150)],
    ),
    "instructions.jsonl": lines({"instruction": f"{SENTENCE} {n}", "input": "", "output": f"{n}"} for n in range(300)),
    "prices.csv": table(
        "Date,Open,Close,Volume", [(f"2025-01-{n % 28 + 1:02}", n, n + 0.5, n * 1000) for n in range(200)]
    ),
    "results.csv": table("model,mmlu,hellaswag,arc", [(f"m{n}", 0.6 + n / 100, 0.7, 0.5) for n in range(12)]),
    "packages.jsonl": lines({"name": f"p{n}", "version": f"1.{n}.0", "dependencies": {"a": "^1.0"}} for n in range(50)),
    "predictions.csv": table(
        "id,label,prediction,probability", [(n, n % 2, n % 3 % 2, n % 100 / 100) for n in range(500)]
    ),
    "payments.csv": table(
        "step,type,amount,oldbalance,isFraud",
        [(n // 300 + 1, "CASH_OUT", n * 1.5, n, n % 97 == 0) for n in range(6000)],
    ),
    "completions.jsonl": lines(
        {"step": n // 8, "prompt": f"{SENTENCE} {n}", "completion": f"{SENTENCE} again {n}", "reward": n % 5 / 5}
        for n in range(400)
    ),
    "features.csv": table(",".join(f"f{n}" for n in range(20)), MADE.normal(size=(2000, 20)).round(3).tolist()),
    "eeg.csv": table("epoch,channel,value", [(n // 64, f"E{n % 64}", n * 7 % 31) for n in range(3200)]),
    "process_reward.jsonl": lines(
        {"problem": f"{SENTENCE} {n}", "step": f"First, {n}.", "label": 1} for n in range(50)
    ),
    "ids.csv": table("step,loss", [(int(value), 0.5) for value in MADE.integers(0, 10**9, 300)]),
    "wafers.csv": table("batch,temperature,pressure", [(n, 300 + n % 9, 2.5) for n in range(200)]),
    "passengers.csv": table("name,age,seed,survived", [(f"P{n}", n % 80, n % 5, n % 2) for n in range(100)]),
    "tokens.parquet": in_parquet({"input_ids": [[1, 2, 3]] * 50, "labels": [[1, 2, 3]] * 50, "length": [3] * 50}),
    "texts.parquet": in_parquet({"text": [f"{SENTENCE} {n}" for n in range(99)], "id": list(range(99))}),
}


@pytest.mark.parametrize("name", DATA)
def test_data_are_no_runs(tmp_path, name) -> None:
    reading = read(FORMAT, tmp_path, {name: DATA[name]})
    assert [(run.name, list(run.series)) for run in reading.runs] == []
    assert [told.path for told in reading.unused] == [(name,)]
    assert reading.unused[0].why.endswith(".")


def test_a_large_data_set_is_judged_by_its_first_rows(tmp_path, monkeypatch) -> None:
    from lib.data.formats.readers import any_table

    def unasked(path):
        raise AssertionError("It was read whole.")

    monkeypatch.setattr(any_table, "read_csv", unasked)
    rows = MADE.normal(size=(20_000, 6)).round(6).tolist()
    reading = read(FORMAT, tmp_path, {"big.csv": table("a,b,c,d,e,label", rows)})
    assert "step" in reading.unused[0].why


def test_what_other_readers_know_is_left_to_them(tmp_path) -> None:
    assert read(FORMAT, tmp_path, WANDB_CHART) is None
    assert read(FORMAT, tmp_path, {"k.csv": KERAS["training.log"]}) is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b""),
        ("a.csv", b"step,loss\n"),
        ("a.jsonl", b"no JSON\n"),
        ("a.jsonl", b""),
        ("a.jsonl", b"[1, 2]\n" * 9),
        ("a.jsonl", b"[" * 100_000 + b"\n"),
        ("a.jsonl", b'{"step": ' + b"9" * 5000 + b"}\n"),
        ("a.parquet", b"PAR1"),
        ("a.tsv", b"\x89PNG\r\n\x1a\n\0\0\0"),
    ],
)
def test_empty_and_foreign_content_is_said(tmp_path, name, content) -> None:
    reading = read(FORMAT, tmp_path, {name: content})
    assert reading.runs == ()
    assert [told.path for told in (*reading.unused, *reading.unreadable)] == [(name,)]
