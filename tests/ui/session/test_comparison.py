"""What a comparison remembers of its runs."""

from __future__ import annotations

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunSummary
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.ui.session.comparison import ComparedRun, Comparison
from lib.ui.session.run_data import RunData, data_of


def compared(run_id: str, data: RunData) -> ComparedRun:
    return ComparedRun(data.shown, data.run, run_id, "#000000", 0, data, f"{run_id} {data.number}")


def read(run_id: str) -> RunData:
    return data_of(RunCurves(run_id), RunSummary(run_id=run_id, name=run_id))


def test_what_follows_from_two_runs_is_made_again_when_one_of_them_was_read_again():
    a, b, c, newer = read("a"), read("b"), read("c"), read("b")
    made = []

    def asked(*data: RunData) -> str:
        runs = tuple(compared(each.run.run_id, each) for each in data)
        comparison = Comparison(runs, DEFAULT_POLICY, (), "key")
        return comparison.remember(("a", "b"), "pair", (), lambda: made.append(data) or f"made {len(made)}")

    assert asked(a, b) == asked(b, a, c) == "made 1"
    assert asked(a, newer) == "made 2"
    assert asked(a, b) == "made 1"
    assert asked(read("a"), b) == "made 3"
