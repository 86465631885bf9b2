"""Tables that were printed for people, notebooks, and packed and dated parts of a log."""

from __future__ import annotations

import gzip
import json

import pytest

from lib.data.formats.readers.text_logs import FORMAT
from lib.data.formats.shown.notebooks import outputs_of
from lib.data.formats.shown.printed import printed_tables
from tests.data.formats.reading import only_run, points, put

LOSSES = {100: (2.5, 2.75), 200: (2.25, 2.5), 300: (2.0, 2.625)}
TABLES = {
    "spaCy": (
        "E    #       LOSS NER  ENTS_F  SCORE \n---  ------  --------  ------  ------\n",
        "  0  {0:6d}  {1:8.3f}  {2:6.3f}    0.60\n",
        ("LOSS NER", "ENTS_F"),
    ),
    "fastai": (
        "step      train_loss  valid_loss  time    \n",
        "{0:<10}{1:<12}{2:<12}00:12     \n",
        ("train_loss", "valid_loss"),
    ),
    "fastai between its bars": (
        "\n█\nstep      train_loss  valid_loss  time    \n",
        "Epoch 1/2 : |----| 0.00% [0/14 00:00<?]\rEpoch 1/2 : |██-| 9.00% [9/14 00:00<00:00... 0.8]\rEpoch 1/2 :     \n"
        "{0:<10}{1:<12}{2:<12}00:12     \n█\n",
        ("train_loss", "valid_loss"),
    ),
    "NumPy": ("# step train_loss val_loss\n", "{0} {1} {2}\n", ("train_loss", "val_loss")),
    "Markdown": (
        "| Step | Training Loss | Validation Loss |\n|:----:|:---:|:---:|\n",
        "| {0} | {1} | {2} |\n",
        ("Training Loss", "Validation Loss"),
    ),
    "copied from a notebook": (
        "Step    Training Loss    Validation Loss\n",
        "{0}    {1}    {2}\n",
        ("Training Loss", "Validation Loss"),
    ),
}


@pytest.mark.parametrize(("header", "row", "names"), TABLES.values(), ids=TABLES)
def test_a_printed_table_is_read(tmp_path, header, row, names):
    rows = "".join(row.format(step, *losses) for step, losses in LOSSES.items())
    put(tmp_path, {"out.txt": f"Loading the model\n{header}{rows}Saved to output/\n"})
    found = points(only_run(FORMAT, tmp_path))
    for at, name in enumerate(names):
        assert found[name] == [(step, losses[at]) for step, losses in LOSSES.items()]


def notebook(*outputs) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "source": [], "outputs": list(outputs)}], "nbformat": 4})


def html(first: str = "2.5") -> dict:
    rows = [(step, first if step == 100 else trained, evaluated) for step, (trained, evaluated) in LOSSES.items()]
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    head = '<tr style="text-align: left;"><th>Step</th><th>Training Loss</th><th>Validation Loss</th></tr>'
    table = f'<table border="1"><thead>{head}</thead><tbody>{body}</tbody></table>'
    return {"output_type": "display_data", "data": {"text/html": ["<div>[300/300]</div>", table]}}


def test_the_table_that_a_notebook_shows_is_read(tmp_path):
    put(tmp_path, {"train.ipynb": notebook({"output_type": "stream", "text": ["loss 3\n"]}, html("No log"))})
    found = points(only_run(FORMAT, tmp_path))
    assert found["Training Loss"] == [(200, 2.25), (300, 2.0)], "no train loss was logged before"
    assert found["Validation Loss"] == [(step, each[1]) for step, each in LOSSES.items()]


def test_what_a_notebook_printed_is_read_where_it_shows_no_table(tmp_path):
    lines = [f"step {step}: loss {trained}\n" for step, (trained, _) in LOSSES.items()]
    put(tmp_path, {"train.ipynb": notebook({"output_type": "stream", "name": "stdout", "text": lines})})
    assert points(only_run(FORMAT, tmp_path)) == {"loss": [(step, each[0]) for step, each in LOSSES.items()]}


def test_two_trainings_in_a_notebook_are_two_runs(tmp_path):
    (tmp_path / "two.ipynb").write_text(notebook(html(), html("9.5")))
    reading = FORMAT.read(tmp_path, ("two.ipynb",), [("two.ipynb",)])
    assert [run.name for run in reading.runs] == ["two.ipynb, table 1", "two.ipynb, table 2"]
    assert [points(run)["Training Loss"][0] for run in reading.runs] == [(100, 2.5), (100, 9.5)]


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"cells": 3}', '{"cells": [3, {"outputs": [{"data": 1}]}]}'])
def test_a_file_that_is_no_notebook_is_no_run(tmp_path, content):
    (tmp_path / "x.ipynb").write_text(content)
    reading = FORMAT.read(tmp_path, ("x.ipynb",), [("x.ipynb",)])
    assert reading is None or not reading.runs


def test_other_text_in_columns_is_no_table():
    lines = ["Step  What is done", "1  load", "2  train", "epoch  3", "name  size", "a  3", "Epoch  loss", "1  0.5"]
    assert list(printed_tables(lines)) == []


def lines(first: int, end: int) -> bytes:
    return "".join(f"step {step} loss {step / 100}\n" for step in range(first, end)).encode()


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("train.log.2.gz", "train.log.1"),
        ("train.log.2026-01-09", "train.log.2026-01-10"),
        ("train.log-20260109.gz", "train.log-20260110"),
    ],
)
def test_parts_of_a_log_may_be_packed_and_dated(tmp_path, older, newer):
    oldest = gzip.compress(lines(1, 40)) if older.endswith(".gz") else lines(1, 40)
    for name, content in ((older, oldest), (newer, lines(40, 70)), ("train.log", lines(70, 100))):
        (tmp_path / name).write_bytes(content)
    paths = [(name,) for name in ("train.log", newer, older)]
    assert all(map(FORMAT.matches, paths))
    ((folder, files),) = FORMAT.units(paths).items()
    (run,) = FORMAT.read(tmp_path, folder, files).runs
    assert points(run) == {"loss": [(step, step / 100) for step in range(1, 100)]}


@pytest.mark.parametrize("damage", [lambda packed: packed[:60], lambda packed: b"no gzip"])
def test_a_packed_log_that_is_damaged_is_named(tmp_path, damage):
    (tmp_path / "train.log.gz").write_bytes(damage(gzip.compress(lines(1, 100))))
    reading = FORMAT.read(tmp_path, ("train.log",), [("train.log.gz",)])
    assert [told.why for told in reading.unreadable] == [
        "The file could not be unpacked: expected gzip; it may be damaged or cut off."
    ]


@pytest.mark.parametrize("tag", ["<tr ", "<tr><td ", "<tr><td></", "<", "<tr><td>" + "<" * 2**20])
def test_tags_that_never_end_take_no_longer_than_their_length(tag):
    # Where each is looked for to the end of the text, these are some hours.
    outputs_of(shown(tag * (2**22 // len(tag))))


def test_a_number_that_no_character_has_is_none():
    tables, _ = outputs_of(shown(f"<table><tr><td>Step&#{'9' * 10_000};</td><td>&#108;oss</td></tr></table>"))
    assert tables == "Step\ufffd\tloss\n"


def shown(html: str) -> bytes:
    return json.dumps({"cells": [{"outputs": [{"data": {"text/html": html}}]}]}).encode()
