"""What CatBoost leaves in its folder, and lines of LightGBM: programs that boost trees, and count them."""

from __future__ import annotations

import numpy as np
import pytest

from lib.data.formats.metric_names import read_names
from lib.data.formats.readers.any_table import FORMAT
from lib.data.formats.readers.text_logs import FORMAT as TEXT
from tests.data.formats.reading import only_run, points, put, readings

LEARN = "iter\tLogloss\n0\t0.68\n1\t0.58\n2\t0.52\n"
TEST = "iter\tAUC\tLogloss\n0\t0.76\t0.69\n1\t0.88\t0.6\n2\t0.89\t0.55\n"
TIME = "iter\tPassed\tRemaining\n0\t50\t100\n1\t70\t70\n2\t90\t0\n"


def files(learn: str = LEARN, test: str = TEST, time: str = TIME) -> dict[str, bytes | str]:
    return {f"a/{name}": text for name, text in zip(("learn_error.tsv", "test_error.tsv", "time_left.tsv"),
                                                    (learn, test, time), strict=True)}  # fmt: skip


def test_the_tables_of_a_folder_are_one_run_and_its_first_step_is_one_tree(tmp_path):
    put(tmp_path, files())
    run = only_run(FORMAT, tmp_path)
    assert points(run) == {
        "train/Logloss": [(1, 0.68), (2, 0.58), (3, 0.52)],
        "eval/AUC": [(1, 0.76), (2, 0.88), (3, 0.89)],
        "eval/Logloss": [(1, 0.69), (2, 0.6), (3, 0.55)],
    }
    at = run.series["train/Logloss"].at
    assert at is not None
    assert at.tolist() == [0.05, 0.07, 0.09]


def test_of_several_evaluation_sets_the_last_is_the_one_that_it_chooses_by(tmp_path):
    put(tmp_path, files(test="iter\tRMSE:0\tRMSE\n0\t1.9\t1.95\n1\t1.8\t1.86\n"))
    found = points(only_run(FORMAT, tmp_path))
    assert found["eval_0/RMSE"] == [(1, 1.9), (2, 1.8)]
    assert found["eval/RMSE"] == [(1, 1.95), (2, 1.86)]


def test_a_table_that_grows_is_read_to_its_last_whole_row(tmp_path):
    put(tmp_path, files(test=TEST + "3\t0.9"))
    assert points(only_run(FORMAT, tmp_path))["eval/AUC"][-1] == (3, 0.89)


def test_what_is_not_finite_stays_and_what_is_blank_has_no_point(tmp_path):
    put(tmp_path, files(learn="iter\tLogloss\n0\tnan\n1\t\n2\t0.5\n"))
    found = points(only_run(FORMAT, tmp_path))["train/Logloss"]
    assert [step for step, _ in found] == [1, 3]
    assert np.isnan(found[0][1])


def test_without_evaluations_it_is_a_run_of_its_train_loss(tmp_path):
    put(tmp_path, {"a/learn_error.tsv": LEARN})
    assert list(points(only_run(FORMAT, tmp_path))) == ["train/Logloss"]


def test_tables_of_that_name_in_which_other_things_stand_are_read_as_any_table(tmp_path):
    put(tmp_path, {"a/test_error.tsv": "step\teval_loss\n1\t2\n2\t1.5\n"})
    assert points(only_run(FORMAT, tmp_path)) == {"eval_loss": [(1, 2.0), (2, 1.5)]}


def test_a_folder_with_the_time_alone_has_no_run(tmp_path):
    put(tmp_path, {"a/time_left.tsv": TIME})
    assert not [run for reading in readings(FORMAT, tmp_path).values() for run in reading.runs]


@pytest.mark.parametrize(("first", "second"), [("training", "valid_1"), ("valid_0", "holdout")])
def test_each_value_of_lightgbm_is_of_the_data_before_its_apostrophe(tmp_path, first, second):
    lines = [
        f"[{step}]\t{first}'s auc: 0.9{step}\t{first}'s binary_logloss: 0.{step}\t{second}'s auc: 0.8{step}\n"
        for step in range(1, 9)
    ]
    put(tmp_path, {"train.log": "".join(lines)})
    found = points(only_run(TEXT, tmp_path))
    assert found[f"{first} auc"] == [(step, float(f"0.9{step}")) for step in range(1, 9)]
    assert found[f"{second} auc"] == [(step, float(f"0.8{step}")) for step in range(1, 9)]
    assert found[f"{first} binary_logloss"][0] == (1, 0.1)


@pytest.mark.parametrize(
    ("names", "train", "evaluated"),
    [
        (["training binary_logloss", "valid_0 binary_logloss"], "training binary_logloss", "valid_0 binary_logloss"),
        (["train-mlogloss", "eval-mlogloss", "eval-auc"], "train-mlogloss", "eval-mlogloss"),
        (["training/multi_logloss", "valid_1/multi_logloss"], "training/multi_logloss", "valid_1/multi_logloss"),
        (["train/Logloss", "eval/Logloss", "eval/AUC"], "train/Logloss", "eval/Logloss"),
    ],
)
def test_a_log_loss_is_the_loss_by_a_guess(names, train, evaluated):
    found = read_names({name: np.arange(9) for name in names})
    assert (found[train].metric, found[train].guessed) == ("train_loss", True)
    assert (found[evaluated].metric, found[evaluated].guessed) == ("eval_loss", True)


def test_a_numbered_loss_of_other_programs_is_none():
    assert read_names({"val_1_loss": np.arange(9)})["val_1_loss"].metric == "val_1_loss"
