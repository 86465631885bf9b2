"""Logs that are cut off, flipped, full of holes or made to do harm: no fault, no hang, and what is whole stays."""

from __future__ import annotations

import json
import random
import resource
import shutil
import threading
from pathlib import Path

import pytest

from lib.core.facts.query import RunQuery
from lib.data.folder.source import FolderSource
from tests.data.folder.every_log import WRITERS, damaged, looked_through
from tests.data.formats.readers.test_text_logs import nanogpt

ROUNDS = 6
PATIENCE_S = 120.0
"""Nothing here takes a second; so long a silence on a busy machine is a hang."""


def within_patience(root: Path):
    """What ``looked_through`` gives, unless it hangs."""
    found: list = []

    def look() -> None:
        try:
            found.append(looked_through(root))
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    assert found, "It hangs."
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


@pytest.mark.parametrize("kind", WRITERS)
def test_whatever_happens_to_a_file(tmp_path, kind) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    WRITERS[kind](whole)
    assert within_patience(whole)[0]
    files = sorted(path for path in whole.rglob("*") if path.is_file())
    luck = random.Random(kind)
    rounds = tmp_path / "rounds"
    for number in range(ROUNDS):
        root = rounds / f"r{number}"
        shutil.copytree(whole, root)
        file = root / luck.choice(files).relative_to(whole)
        file.write_bytes(damaged(file.read_bytes(), luck))
    within_patience(rounds)


LINES = {
    "train.log": [f"step {step}/400 loss: {4 - step / 200:.4f} lr: 1e-4" for step in range(400)],
    "metrics.csv": ["step,loss", *(f"{step},{4 - step / 200:.4f}" for step in range(400))],
    "history.jsonl": [json.dumps({"step": step, "loss": 4 - step / 200}) for step in range(400)],
    "trainer_log.jsonl": [json.dumps({"current_steps": step, "total_steps": 400, "loss": 1.5}) for step in range(400)],
}


@pytest.mark.parametrize("name", LINES)
def test_a_log_that_is_cut_off_has_what_was_whole(tmp_path, name) -> None:
    content = "\n".join(LINES[name]).encode()
    luck = random.Random(name)
    ends = [luck.randrange(len(content) // 4, len(content)) for _ in range(5)]
    for number, end in enumerate(ends):
        folder = tmp_path / f"r{number}"
        folder.mkdir()
        (folder / name).write_bytes(content[:end])
    runs, points = within_patience(tmp_path)
    assert len(runs) == len(ends)
    for number, end in enumerate(ends):
        (run_id,) = (run_id for run_id in runs if run_id.startswith(f"r{number}"))
        header = name.endswith("csv")
        whole = content[:end].count(b"\n") - header
        assert whole <= points[run_id]["train_loss"] <= whole + 1


@pytest.mark.parametrize(
    "harm", [b"\0" * 3000, b"\xff\xfe\xfa" * 100, b"[" * 5000, b"step 1 loss: " + b"9" * 9000, b"\x1b["]
)
def test_a_place_that_is_broken_costs_no_other(tmp_path, harm) -> None:
    text = nanogpt(0, 400).encode()
    (tmp_path / "train.log").write_bytes(text + b"\n" + harm + b"\n" + nanogpt(400, 800).encode())
    runs, points = within_patience(tmp_path)
    assert [count["loss"] if "loss" in count else count["train_loss"] for count in points.values()] in ([80], [81])
    assert len(runs) == 1


LEVELS = 2_000
DEEP = b'{"a":' * LEVELS + b"1" + b"}" * LEVELS
BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n".encode() for n in range(12)
)
LONG = b"9" * 9_000
SURROGATE = b'"\\ud800"'
ROWS = b'{"step": 1, "loss": 2.0}\n{"step": 2, "loss": 1.5}\n'
HARM = {
    "trainer_state.json": [
        b'{"log_history": [{"step": 1, "loss": 1.0, "x": %s}], "global_step": 1}' % each
        for each in (DEEP, LONG, b"1e400", SURROGATE, b"-1e400")
    ]
    + [b'{"global_step": %s, "max_steps": %s, "log_history": [{"step": 1, "loss": 2}]}' % (LONG, LONG)],
    "history.json": [
        b'[{"step": 1, "loss": 1.0}, {"step": %s, "loss": %s}]' % (each, each)
        for each in (DEEP, LONG, b"1e400", SURROGATE)
    ],
    "rows.jsonl": [ROWS + b'{"step": 3, "loss": %s}\n' % each for each in (DEEP, LONG, b"1e400", SURROGATE)],
    "trainer_log.jsonl": [
        b'{"current_steps": 1, "total_steps": %s, "loss": 1.5}\n{"current_steps": %s, "loss": %s}\n'
        % (each, each, each)
        for each in (DEEP, LONG, b"1e400", SURROGATE)
    ],
    "logging.jsonl": [
        b'{"global_step/max_steps": "1/%s", "loss": 1.5}\n{"loss": %s}\n' % (LONG, each)
        for each in (DEEP, LONG, b"1e400")
    ],
    "metrics.csv": [b"step,loss\n1,2\n%s,%s\n3,1e400\n" % (LONG, LONG), b'step,"\xed\xa0\x80"\n1,2\n2,1\n'],
    "train.log": [
        b"step 1 loss: 2\nstep 2 loss: 1\nstep %s loss: %s\n" % (each, each)
        for each in (LONG, b"1e400", b"-1e400", b"\xed\xa0\x80")
    ]
    + [b"epoch %s/%s loss: 1\nepoch 2/3 loss: 1e400\n%s/%s [00:%s<0:00]\n" % ((LONG,) * 5)],
}
BESIDE = {
    "hparams.yaml": [BOMB, b"lr: " + LONG, b"lr: 1e400\n? [a, b]\n: 1", b"[" * LEVELS, b'x: "\\ud800"\n', b"&a [*a]"],
    "args.json": [DEEP, b'{"lr": %s}' % LONG, b'{"lr": 1e400}', b'{"lr": %s, "\\udfff": 1}' % SURROGATE],
    "config.json": [DEEP, b'{"learning_rate": %s}' % LONG, b'{"max_steps": 1e400}'],
}


@pytest.mark.parametrize("name", HARM)
def test_what_is_made_to_do_harm_is_no_fault(tmp_path, name) -> None:
    for number, content in enumerate(HARM[name]):
        folder = tmp_path / f"r{number}"
        folder.mkdir()
        (folder / name).write_bytes(content)
    within_patience(tmp_path)


@pytest.mark.parametrize("name", BESIDE)
def test_what_lies_beside_a_log_takes_nothing_from_it(tmp_path, name) -> None:
    for number, content in enumerate(BESIDE[name]):
        folder = tmp_path / f"r{number}"
        folder.mkdir()
        (folder / "metrics.csv").write_text("epoch,step,train_loss\n0,1,2.0\n0,2,1.5\n")
        (folder / name).write_bytes(content)
    runs, _ = within_patience(tmp_path)
    assert len(runs) == len(BESIDE[name])


def test_all_of_it_takes_no_more_memory_than_a_log_may(tmp_path) -> None:
    (tmp_path / "hparams.yaml").write_bytes(BOMB)
    (tmp_path / "metrics.csv").write_text("epoch,step,train_loss\n0,1,2.0\n0,2,1.5\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    within_patience(tmp_path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024


@pytest.mark.parametrize(
    "name", ["a\0b", "\ud800", "m" * 400, "key=hf_" + "x7Kq" * 9], ids=["zero", "half", "long", "credential"]
)
def test_a_metric_is_called_the_same_in_every_log_of_a_run(tmp_path, name) -> None:
    rows = [{"step": step, "loss": 2 / step, name: step / 7} for step in range(1, 9)]
    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": rows, "global_step": 8}))
    lines = [json.dumps({"current_steps": row["step"], "total_steps": 8, "loss": row["loss"]}) for row in rows]
    (tmp_path / "trainer_log.jsonl").write_text("\n".join(lines))
    runs, points = within_patience(tmp_path)
    assert len(runs) == 1
    (counts,) = points.values()
    assert [*counts.values()] == [8, 8]


def test_a_metric_that_a_log_has_lost_since_it_was_listed_is_no_curve(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("lib.data.folder.look.KEPT_POINTS", 0)
    losses = [round(2 / step, 4) for step in range(1, 9)]
    lines = [json.dumps({"current_steps": at, "total_steps": 8, "loss": loss}) for at, loss in enumerate(losses, 1)]
    (tmp_path / "trainer_log.jsonl").write_text("\n".join(lines))
    rows = [f"{at},{loss},{at / 7:.3f}" for at, loss in enumerate(losses, 1)]
    (tmp_path / "metrics.csv").write_text("\n".join(("step,loss,grad_norm", *rows)))
    source = FolderSource(tmp_path)
    source.settle()
    (run,) = source.list_runs(RunQuery()).runs
    assert source.points(run.run_id) == {"train_loss": 8, "grad_norm": 8}
    (tmp_path / "metrics.csv").write_text("\n".join(("step,loss", *(row.rpartition(",")[0] for row in rows))))
    curves = source.load_curves([run.run_id])[run.run_id].curves
    assert {name: len(curve) for name, curve in curves.items()} == {"train_loss": 8}
