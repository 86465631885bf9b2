from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.facts.runs import RunStatus
from lib.data.formats.readers.mlflow_files import FORMAT

RUN = "0123456789abcdef0123456789abcdef"
META = f"""artifact_uri: file:///x
end_time: 1760000300000
experiment_id: '7'
lifecycle_stage: active
run_id: {RUN}
run_name: first
source_type: 4
start_time: 1760000000000
status: 3
tags: []
user_id: u
"""
T0 = 1_760_000_000_000


def line(step, value, after=None) -> str:
    return f"{T0 + 1000 * (step if after is None else after)} {value} {step}\n"


def write(root: Path, run: str = RUN, meta: str | None = META, **facts: str) -> None:
    """A run's folder; facts by "kind__key"."""
    folder = root / "mlruns" / "7" / run
    if meta is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "meta.yaml").write_text(meta)
        (folder.parent / "meta.yaml").write_text("experiment_id: '7'\nlifecycle_stage: active\nname: exp\n")
    for name, content in facts.items():
        path = folder.joinpath(*name.split("__"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def readings(root: Path):
    files = sorted(path.relative_to(root).parts for path in root.rglob("*") if path.is_file())
    units = FORMAT.units([path for path in files if FORMAT.matches(path)])
    return [FORMAT.read(root, folder, paths) for folder, paths in units.items()]


def only(root: Path):
    (reading,) = readings(root)
    (run,) = reading.runs
    return run


def test_a_run_is_read_with_all_that_is_known_of_it(tmp_path) -> None:
    loss = "".join(line(step, 2 / step) for step in range(1, 101))
    write(
        tmp_path,
        metrics__train__loss=loss,
        metrics__test_acc=line(0, 0.91, after=104),
        params__lr="0.001",
        params__optim__betas="[0.9, 0.95]\n",
        **{"tags__mlflow.runName": "better name", "tags__team": "a"},
    )
    run = only(tmp_path)
    assert run.series["train/loss"].step.tolist() == list(range(1, 101))
    assert run.series["train/loss"].value == pytest.approx(2 / np.arange(1, 101))
    assert run.series["train/loss"].at[:2].tolist() == [T0 / 1000 + 1, T0 / 1000 + 2]
    assert (run.name, run.identity, run.status, run.said) == ("better name", RUN, RunStatus.COMPLETED, "FINISHED")
    assert run.config == {"params": {"lr": 0.001, "optim/betas": [0.9, 0.95]}}
    assert run.tags == {"team": "a", "experiment": "exp"}
    assert run.last == {"test_acc": 0.91}
    assert (run.started, run.ended) == (1_760_000_000, 1_760_000_300)
    assert run.files[0][-2:] == ("train", "loss")


def test_what_is_not_finite_repeated_or_late_is_kept(tmp_path) -> None:
    text = line(1, 0.5) + line(2, "nan") + line(3, "inf") + line(4, "-inf") + line(2, 9.0, after=50)
    write(tmp_path, metrics__loss=text)
    series = only(tmp_path).series["loss"]
    assert series.step.tolist() == [1, 2, 2, 3, 4]
    assert str(series.value.tolist()) == "[0.5, nan, 9.0, inf, -inf]"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_old_files_have_no_steps(tmp_path, end) -> None:
    write(tmp_path, metrics__loss=f"1760000000000 0.5{end}1760000001000 0.25{end}")
    run = only(tmp_path)
    assert (run.series["loss"].step.tolist(), run.series["loss"].value.tolist()) == ([0, 1], [0.5, 0.25])
    assert run.notes


@pytest.mark.parametrize(
    ("text", "steps", "notes"),
    [
        (line(1, 0.5) + line(2, 0.25) + "1760000003000 0.1", [1, 2], 1),  # else 0.1 at step 0
        (line(1, 0.5) + line(20, 0.25) + "1760000003000 0.125 2", [1, 20], 1),  # 2 of 21
        (line(1, 0.5).rstrip("\n"), [1], 0),  # an editor took the end of the line
        (line(1, 0.5) + "1760000002000 0.25\n" + line(3, 1), [0, 1, 3], 0),
        (line(1, 0.5) + "nonsense\n\n1760000002000 x 2\n" + line(3, 1), [1, 3], 1),
        (line(1, 0.5) + "1760000002000 0.25 -7\n" + line(3, 1), [1, 3], 1),
        (line(1, 0.5) + "1760000002000 0.25 2 dataset 0a1b\n", [1, 2], 0),
        (line(1, 0.5) + "1760000002000  0.25   2\n", [1, 2], 0),
    ],
)
def test_lines_that_are_torn_odd_or_old(tmp_path, text, steps, notes) -> None:
    write(tmp_path, metrics__loss=text)
    run = only(tmp_path)
    assert run.series["loss"].step.tolist() == steps
    assert len(run.notes) == notes


def test_deleted_runs_are_left_out_and_said(tmp_path) -> None:
    write(tmp_path, meta=META.replace("active", "deleted"), metrics__loss=line(1, 0.5))
    (reading,) = readings(tmp_path)
    assert reading.runs == ()
    assert "deleted" in reading.unused[0].why


def test_a_deleted_experiment_takes_its_runs_along(tmp_path) -> None:
    write(tmp_path, metrics__loss=line(1, 0.5))
    (tmp_path / "mlruns/7/meta.yaml").write_text("lifecycle_stage: deleted\nname: exp\n")
    (reading,) = readings(tmp_path)
    assert reading.runs == ()


@pytest.mark.parametrize("meta", [None, "", "status: [", "- a\n", "\x00\x01"])
def test_without_a_readable_description_the_curves_are_read(tmp_path, meta) -> None:
    write(tmp_path, meta=meta, metrics__loss=line(1, 0.5) + line(2, 0.25))
    run = only(tmp_path)
    assert run.series["loss"].step.tolist() == [1, 2]
    assert (run.identity, run.status) == (RUN, RunStatus.UNKNOWN)


def test_what_is_no_metric_is_named(tmp_path) -> None:
    write(tmp_path, metrics__loss=line(1, 0.5), metrics__bad="no numbers here\n", metrics__empty="")
    (reading,) = readings(tmp_path)
    assert set(reading.runs[0].series) == {"loss"}
    assert [told.path[-1] for told in reading.unreadable] == ["bad"]


def test_a_folder_that_only_looks_so_is_not_mlflows(tmp_path) -> None:
    write(tmp_path, meta=None, metrics__table="a,b\n1,2\n")
    assert readings(tmp_path) == [None]


def test_runs_of_one_experiment_are_units_of_their_own(tmp_path) -> None:
    for number in range(3):
        run = f"{number:032x}"
        write(tmp_path, run=run, metrics__loss=line(1, number))
    write(tmp_path, run=f"{1:032x}", artifacts__model__meta="", **{"artifacts__meta.yaml": "name: model\n"})
    assert [reading.runs[0].identity for reading in readings(tmp_path)] == [f"{number:032x}" for number in range(3)]


def test_paths_that_are_no_runs() -> None:
    no = [
        (".trash", "7", RUN, "meta.yaml"),
        ("7", RUN, "artifacts", "x"),
        ("7", RUN, "metrics"),
        ("7", "x", "metrics", "a"),
    ]
    assert [path for path in no if FORMAT.matches(path)] == []
    assert FORMAT.matches((RUN, "metrics", "loss"))
    assert FORMAT.matches(("7", RUN, "metrics", RUN))


def test_a_file_cut_anywhere_loses_nothing_that_was_whole(tmp_path) -> None:
    text = "".join(line(step, round(1 / step, 6)) for step in range(1, 30))
    for cut in range(1, len(text) + 1):
        write(tmp_path, metrics__loss=text[:cut])
        (reading,) = readings(tmp_path)
        whole = text[:cut].count("\n")
        found = reading.runs[0].series.get("loss")
        steps = [] if found is None else found.step.tolist()
        # A single line without its end may be whole.
        assert steps == list(range(1, whole + 1)) or (whole == 0 and len(steps) == 1)


def test_damaged_files_raise_nothing(tmp_path) -> None:
    chance = random.Random(7)
    text = "".join(line(step, 1 / step) for step in range(1, 30)).encode()
    for _ in range(150):
        content, meta = bytearray(text), bytearray(META.encode())
        for each in (content, meta):
            for _ in range(chance.randrange(1, 8)):
                each[chance.randrange(len(each))] = chance.randrange(256)
        write(tmp_path, metrics__loss=bytes(content), params__lr=chance.randbytes(20))
        (tmp_path / "mlruns/7" / RUN / "meta.yaml").write_bytes(meta)
        readings(tmp_path)


@given(
    st.lists(
        st.tuples(st.integers(1, 2**53), st.integers(0, 10**13), st.floats(allow_nan=False)), min_size=1, max_size=20
    )
)
def test_every_line_that_mlflow_writes_is_a_point(rows) -> None:
    with TemporaryDirectory() as name:
        text = "".join(f"{at} {value} {step}\n" for step, at, value in rows)
        write(Path(name), metrics__loss=text)
        series = only(Path(name)).series["loss"]
    found = zip(series.step.tolist(), series.at.tolist(), series.value.tolist(), strict=True)
    # Stable: what is equal stays as it was written.
    wanted = sorted(((step, at / 1000, value) for step, at, value in rows), key=lambda row: row[:2])
    assert list(found) == wanted


@given(st.binary(max_size=200))
def test_a_file_of_anything_is_read_or_named(content) -> None:
    with TemporaryDirectory() as name:
        write(Path(name), metrics__loss=content, params__lr=content, tags__x=content)
        (reading,) = readings(Path(name))
    assert len(reading.runs) == 1
