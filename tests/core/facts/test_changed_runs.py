"""A run with some facts changed is what it would be if it were made of them anew."""

from dataclasses import fields, replace

import pytest

from lib.core.facts.changed_runs import changed, made_again
from lib.core.facts.runs import Checkpoint, ReadAs, RunSummary

RUN = RunSummary(
    run_id="a",
    name="first",
    raw_status="stopped",
    loss=float("inf"),
    checkpoints=(Checkpoint("checkpoint-1", 1),),
    config={"args": {"lr": 1.0, "deep": {"x": ["y" * 30_000]}}},
    extra={"note": "z" * 30_000, "count": 3},
    notes=("one",),
    read_as=(ReadAs("ce", "eval_loss"),),
    files=("a/b.json",),
)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": "n" * 3_000},
        {"name": "https://me:secret@host/x", "notes": ("api_key=abcdef", *RUN.notes)},
        {"run_id": "b", "version": "2", "same_training_as": "a"},
        {"extra": {**RUN.extra, "where": "q" * 30_000}, "files": ("token=abc",), "checkpoints": None},
        {"config": {"other": 1}, "notes": ()},
    ],
)
def test_it_is_as_if_it_were_made_anew(changes):
    made, anew = changed(RUN, **changes), replace(RUN, **changes)
    assert [(each.name, getattr(made, each.name)) for each in fields(made)] == [
        (each.name, getattr(anew, each.name)) for each in fields(anew)
    ]
    assert repr(made) == repr(anew)


def test_it_is_made_again_of_what_it_was():
    again = made_again({each.name: getattr(RUN, each.name) for each in fields(RUN)} | {"config": dict(RUN.config)})
    assert again == RUN
    assert repr(again) == repr(RUN)
    few = made_again({"run_id": "a", "name": "b"})
    assert repr(few) == repr(RunSummary(run_id="a", name="b"))


@pytest.mark.parametrize("said", [{"name": "b"}, {"run_id": "", "name": "b"}, {"run_id": "a"}, {"run_id": 1}])
def test_what_is_no_run_is_not_made_again(said):
    with pytest.raises(ValueError, match="run_id"):
        made_again(said)
    with pytest.raises(TypeError):
        made_again({"run_id": "a", "name": "b", "colour": "red"})


def test_it_says_what_no_run_has():
    with pytest.raises(TypeError):
        changed(RUN, colour="red")
    with pytest.raises(ValueError, match="run_id"):
        changed(RUN, run_id="")
