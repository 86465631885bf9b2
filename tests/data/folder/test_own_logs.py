"""A folder as people have it: seeds, Hydra's settings, and files that are named with what can be done about them."""

from __future__ import annotations

import pytest

from lib.core.facts.query import RunQuery
from lib.core.ranking.repeats import repeat_groups, seed_of
from lib.data.folder.source import FolderSource
from tests.data.formats.reading import put


def log(scale, steps=range(0, 300, 10)):
    return "step,loss,val_loss\n" + "".join(f"{step},{scale / (step + 9)},{scale / (step + 8)}\n" for step in steps)


def listed(root):
    source = FolderSource(root)
    source.settle()
    return source.list_runs(RunQuery())


@pytest.mark.parametrize(
    "names",
    [
        ["run_seed1.csv", "run_seed2.csv", "run_seed3.csv"],
        ["seed_42/metrics.csv", "seed_7/metrics.csv"],
        ["a/lr3e-4-seed=5.csv", "a/lr3e-4-seed=6.csv"],
    ],
)
def test_names_that_differ_in_the_seed_alone_are_of_repeats(tmp_path, names):
    put(tmp_path, {name: log(100 + at) for at, name in enumerate(names)})
    runs = listed(tmp_path).runs
    assert len({seed_of(run) for run in runs}) == len(names)
    assert len(set(repeat_groups(runs).values())) == 1
    assert len(repeat_groups(runs)) == len(names)


@pytest.mark.parametrize(
    "names",
    [
        ["lr1e-4_seed1.csv", "lr3e-4_seed2.csv"],
        ["small_seed1.csv", "large_seed2.csv"],
        ["run_1.csv", "run_2.csv"],
        ["seed_1/a.csv", "seed_2/b.csv"],
        ["fold1.csv", "fold2.csv"],
        # Stages, a model called s1, a bucket: a lone letter says nothing.
        ["sft_s1.csv", "sft_s2.csv"],
    ],
)
def test_names_that_differ_in_more_or_name_no_seed_are_not(tmp_path, names):
    put(tmp_path, {name: log(100 + at) for at, name in enumerate(names)})
    assert repeat_groups(listed(tmp_path).runs) == {}


def test_settings_of_a_job_of_hydra_are_those_of_the_logs_in_its_folder(tmp_path):
    put(
        tmp_path,
        {
            "2026-01-02/0/.hydra/config.yaml": "lr: 0.0003\nmodel:\n  name: tiny\nseed: 4\n",
            "2026-01-02/0/.hydra/overrides.yaml": "- lr=0.0003\n",
            "2026-01-02/0/csv/metrics.csv": log(100),
            "2026-01-02/1/metrics.csv": log(120),
        },
    )
    with_hydra, without = sorted(listed(tmp_path).runs, key=lambda run: not run.config)
    assert with_hydra.config["config"]["lr"] == 0.0003
    assert seed_of(with_hydra) == 4
    assert without.config == {}


def test_files_that_are_not_read_say_what_can_be_done(tmp_path):
    files = {"a.pkl": "x", "b/model.pt": "x", "swanlog/run-1/backup.swanlab": "x", ".aim/meta/chunk": "x", "c.csv": ""}
    put(tmp_path, files)
    said = " ".join(each.why for each in listed(tmp_path).unused)
    for words in ("never opened", "swanlab sync", "aim.Repo", "The file is empty"):
        assert words in said


def test_a_part_that_may_be_of_another_run_is_noted(tmp_path):
    put(tmp_path, {"log_1.csv": log(100), "log_2.csv": log(80, range(600, 900, 10))})
    runs = {run.name: run for run in listed(tmp_path).runs}
    assert any('"log_1", resumed' in note for note in runs["log_2"].notes)


def test_a_log_among_others_says_that_its_settings_are_from_the_name_of_a_file(tmp_path):
    put(tmp_path, {"run_seed1.csv": log(1.0), "run_seed2.csv": log(2.0), "lr2e-4/log.csv": log(3.0)})
    notes = {note for run in listed(tmp_path).runs for note in run.notes}
    assert 'Seed was read from the file name "run_seed1.csv".' in notes
    assert 'Learning rate was read from the folder name "lr2e-4".' in notes


@pytest.mark.parametrize("written", ["{}k", "{}K", "{}.0k", "0.00{}M", "{} k"])
def test_steps_that_are_written_in_thousands_count(tmp_path, written):
    rows = "".join(f"{written.format(at)},{2 / at},{2.5 / at}\n" for at in range(1, 10))
    put(tmp_path, {"log.csv": "step,train_loss,val_loss\n" + rows})
    (run,) = listed(tmp_path).runs
    assert (run.current_step, run.best_step) == (9000, 9000)
