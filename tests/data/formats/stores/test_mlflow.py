from __future__ import annotations

import numpy as np
import pytest

from lib.core.facts.runs import RunStatus
from lib.data.formats.stores.mlflow import Stated, logged_run, status_of, with_infinities
from lib.data.formats.stores.points import Points

T0 = 1_760_000_000.0


def points(*rows) -> Points:
    """Points of (step, seconds after the start, value)."""
    step, at, value = zip(*rows, strict=True)
    return Points(np.array(step, np.int64), T0 + np.array(at, float), np.array(value, float))


def run_of(**metrics):
    return logged_run(Stated(run_id="r"), {key.replace("__", "/"): each for key, each in metrics.items()}, [("f",)])


def shown(run, key):
    return list(zip(run.series[key].step.tolist(), run.series[key].value.tolist(), strict=True))


LOSS = points(*((step, step, 1 / step) for step in range(1, 11)))


def test_a_result_without_a_step_is_of_the_end() -> None:
    run = run_of(loss=LOSS, test_acc=points((0, 11, 0.9)))
    assert run.last == {"test_acc": 0.9}
    assert set(run.series) == {"loss"}
    assert any("test_acc" in note for note in run.notes)


def test_an_evaluation_before_training_is_of_the_start() -> None:
    run = run_of(loss=LOSS, eval_loss=points((0, 0, 9.0)))
    assert shown(run, "eval_loss") == [(0, 9.0)]
    assert run.last == {}


def test_a_value_at_a_step_of_its_own_stays_there() -> None:
    run = run_of(loss=LOSS, eval_loss=points((10, 12, 0.5)))
    assert shown(run, "eval_loss") == [(10, 0.5)]
    assert (run.last, run.notes) == ({}, ())


def test_metrics_that_were_all_logged_once_are_results_and_can_be_compared() -> None:
    run = run_of(val_loss=points((0, 5, 0.4)), val_acc=points((0, 5, 0.8)))
    assert run.last == {"val_loss": 0.4, "val_acc": 0.8}
    assert shown(run, "val_loss") == [(0, 0.4)]
    assert len(run.notes) == 1


def test_a_loop_without_steps_is_counted_and_what_goes_with_it_placed_by_time() -> None:
    loss = points(*((0, second, 10 - second) for second in range(8)))
    run = run_of(
        loss=loss, val=points((0, 3.5, 1.0), (0, 7.5, 2.0)), first=points((0, -1, 5.0)), end=points((0, 9, 3.0))
    )
    assert [step for step, _ in shown(run, "loss")] == list(range(8))
    assert shown(run, "val") == [(3, 1.0), (7, 2.0)]
    assert shown(run, "first") == [(0, 5.0)]
    assert run.last == {"end": 3.0}


def test_values_without_steps_beside_others_with_steps_are_placed_by_time() -> None:
    run = run_of(loss=LOSS, best=points((0, 2.5, 0.1), (0, 8.5, 0.2)))
    assert shown(run, "best") == [(2, 0.1), (8, 0.2)]


def test_system_metrics_count_samples_and_are_placed_by_time() -> None:
    run = run_of(loss=LOSS, system__gpu=points((0, 1.5, 70), (1, 6.5, 80), (2, 20, 90)))
    assert shown(run, "system/gpu") == [(1, 70), (6, 80), (10, 90)]


def test_system_metrics_alone_keep_their_count() -> None:
    assert shown(run_of(system__gpu=points((0, 1, 70), (1, 6, 80))), "system/gpu") == [(0, 70), (1, 80)]


def test_order_is_by_step_then_time_then_as_written() -> None:
    run = run_of(loss=points((2, 5, 1.0), (1, 9, 2.0), (1, 3, 3.0), (2, 5, 4.0)))
    assert shown(run, "loss") == [(1, 3.0), (1, 2.0), (2, 1.0), (2, 4.0)]
    assert (run.series["loss"].at - T0).tolist() == [3, 9, 5, 5]


@pytest.mark.parametrize(
    ("said", "status", "word"),
    [
        (1, RunStatus.RUNNING, "RUNNING"),
        ("2", RunStatus.QUEUED, "SCHEDULED"),
        ("FINISHED", RunStatus.COMPLETED, "FINISHED"),
        (4, RunStatus.FAILED, "FAILED"),
        ("KILLED", RunStatus.CANCELLED, "KILLED"),
        (77, RunStatus.UNKNOWN, None),
        ("SOMETHING", RunStatus.UNKNOWN, "SOMETHING"),
        (None, RunStatus.UNKNOWN, None),
    ],
)
def test_statuses(said, status, word) -> None:
    assert status_of(said) == (status, word)


def test_the_largest_double_stands_for_infinity() -> None:
    largest = 1.7976931348623157e308
    assert with_infinities(np.array([largest, -largest, 1e300, -1.0])).tolist() == [np.inf, -np.inf, 1e300, -1.0]
    assert np.isnan(with_infinities(np.array([np.nan]))).all()


def test_facts_of_a_run() -> None:
    run = logged_run(
        Stated(
            run_id="abc",
            name="old",
            experiment="exp",
            status=1,
            start_time=1_760_000_000_000,
            end_time=0,
            params={"lr": "0.001", "torch_version": "2.10"},
            tags={
                "mlflow.runName": "new",
                "mlflow.parentRunId": "top",
                "mlflow.user": "somebody",
                "mlflow.note.content": "a note",
                "team": "a",
            },
        ),
        {},
        [("f",)],
    )
    assert (run.key, run.name, run.identity, run.parent) == ("abc", "new", "abc", "top")
    assert run.config == {"params": {"lr": 0.001, "torch_version": "2.10"}}
    assert run.tags == {"team": "a", "experiment": "exp", "note": "a note"}
    assert (run.started, run.ended) == (1_760_000_000.0, None)
