"""The marks of logs say the same of copies and beginnings as the logs themselves."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lib.core.facts.runs import RunSummary
from lib.data.folder.copies import same_trainings
from lib.data.folder.units import FoundForm
from lib.data.trainer.hf_log import logs_of
from lib.data.trainer.log_marks import mark_of
from lib.data.trainer.training_files import JsonFile
from lib.data.trainer.trainings import is_beginning


def made(values: list[float], every: int = 1):
    rows = [{"step": step, "loss": value} for step, value in enumerate(values, 1) if step % every == 0]
    return logs_of([JsonFile({"log_history": rows}, "d")])[0]


def form(name: str, log) -> FoundForm:
    run = RunSummary(run_id=name, name=name)
    return FoundForm((name,), "x", (), "", "", "", "", run, {}, "", run_id=name, mark=mark_of(log))


@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from([0, 1, 2, 5, 16, 17])), min_size=2, max_size=5),
    st.sampled_from([0.5, float("nan"), -0.0]),
)
def test_a_log_stands_for_its_beginnings_and_for_nothing_else(kinds, odd):
    """Each log is 0.5, 0.5 ... up to some length, with one other value somewhere, or not."""
    logs = {}
    for number, (length, place) in enumerate(kinds):
        values = [0.5 if at % 3 else odd for at in range(length)]
        if 0 < place < length:
            values[place] = 0.25
        logs[f"run{number}"] = made(values)
    names = {run_id: run_id for run_id in logs}
    found = same_trainings(
        {run_id: form(run_id, log) for run_id, log in logs.items()},
        names,
        lambda asked, count: logs[asked.run_id].points.openings([count])[0],
    )
    for run_id, log in logs.items():
        longer = [other for other in logs if other != run_id and is_beginning(log, logs[other])]
        assert (run_id in found) == any(len(logs[other].points) > len(log.points) or other < run_id for other in longer)
        if run_id in found:
            assert found[run_id] in longer
            assert found[run_id] not in found


def test_of_many_equal_logs_none_is_read_again():
    logs = {f"run{number}": made([0.5] * 100) for number in range(50)}
    asked: list[str] = []

    def beginning(of: FoundForm, count: int) -> str:
        asked.append(of.run_id)
        return ""

    forms = {run_id: form(run_id, log) for run_id, log in logs.items()}
    found = same_trainings(forms, {run_id: run_id for run_id in logs}, beginning)
    assert set(found.values()) == {"run0"}
    assert len(found) == 49
    assert asked == []


def test_zero_has_no_sign_and_nan_one_form():
    one = made([0.0, float("nan"), 1.0, 2.0])
    other = made([-0.0, float(np.float64("nan") * -1), 1.0, 2.0])
    assert mark_of(one) == mark_of(other)
