"""Runs as a server answers them: those inside others have their parameters."""

from __future__ import annotations

from typing import Any

from lib.data.mlflow_server.listing import outer_runs
from lib.data.mlflow_server.runs import Found, found_run, summary_of


def answered(run_id: str, parent: str = "", **params: str) -> Found:
    listed: dict[str, list[Any]] = {
        "metrics": [{"key": "loss", "value": 1.0, "timestamp": 1_700_000_000_000, "step": 1}],
        "params": [{"key": key, "value": value} for key, value in params.items()],
        "tags": [{"key": "mlflow.parentRunId", "value": parent}] if parent else [],
    }
    info = {"run_id": run_id, "experiment_id": "0", "run_name": run_id, "status": "FINISHED"}
    found = found_run({"info": info, "data": listed}, {"0": "one"})
    assert found is not None
    return found


def test_a_run_has_the_parameters_of_those_that_it_is_inside_of() -> None:
    outer, middle = answered("a", batch_size="8", lr="1.0"), answered("b", "a", lr="0.5")
    inner = answered("c", "b", lr="0.1")
    runs = {each.run_id: each for each in (inner, outer, middle)}
    found = outer_runs(runs)
    assert {run_id: [each.run_id for each in others] for run_id, others in found.items()} == {
        "b": ["a"],
        "c": ["b", "a"],
    }
    whole = inner.inside(found["c"])
    assert summary_of(whole).config == {"params": {"lr": 0.1, "batch_size": 8}}
    assert summary_of(whole).batch_size == 8
    assert whole.version == inner.inside([middle, outer]).version != inner.version
    # A parameter more of an outer run is another version of the inner one; what it has itself is none.
    assert inner.inside([middle, answered("a", batch_size="8", seed="7")]).version != whole.version
    assert inner.inside([middle]) is inner


def test_runs_that_name_each_other_end_somewhere() -> None:
    runs = {
        each.run_id: each for each in (answered("a", "b"), answered("b", "a"), answered("c", "c"), answered("d", "x"))
    }
    assert {run_id: [each.run_id for each in others] for run_id, others in outer_runs(runs).items()} == {
        "a": ["b"],
        "b": ["a"],
    }
