from __future__ import annotations

import numpy as np
import pytest

from lib.core.answers.health import health_answer
from lib.core.curves.evidence import evidence_of, with_evidence
from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.facts.findings import Severity
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.verdict.assessment import Assessment, assess

NAMES = {"a": "A", "b": "B", "c": "C", "d": "D"}


def assessed(
    run_id: str, *, rises: bool = False, spikes: tuple[int, ...] = (), norms: bool = True, repeated: bool = False
) -> Assessment:
    """A run of 300 steps; ``rises`` makes it overfit, ``spikes`` are steps at which its gradient norm spikes.

    With ``repeated`` its writer put the last eval loss on every step.
    """
    random = np.random.default_rng(len(run_id))
    steps = np.arange(1, 301)
    nothing = np.full(300, np.nan)
    loss = 1.0 + np.exp(-steps / 60) + random.normal(0.0, 0.01, 300)
    curves = {"train_loss": complete_curve(steps, loss, nothing, nothing)}
    if norms:
        norm = np.exp(random.normal(0.0, 0.1, 300)) / 2
        norm[[step - 1 for step in spikes]] = 20.0
        curves["grad_norm"] = complete_curve(steps, norm, nothing, nothing)
    at = np.arange(20, 301, 20)
    evals = 1.05 + np.exp(-at / 60) + (np.maximum(at - 150, 0) / 200 if rises else 0.0)
    if repeated:
        at, evals = np.arange(20, 301), np.repeat(evals, 20)[: 300 - 19]
    curves["eval_loss"] = complete_curve(at, evals, nothing[: len(at)], nothing[: len(at)])
    run = RunSummary(run_id=run_id, name=run_id, status=RunStatus.COMPLETED, current_step=300, total_steps=300)
    held = RunCurves(run_id, curves)
    evidence = evidence_of(held)
    return assess(run, with_evidence(run, evidence), held, evidence, None)


@pytest.mark.parametrize(
    ("bad", "recommended", "headline"),
    [
        ("", "a", "Nothing was found in any of the four runs"),
        ("bcd", "a", "The recommended run is clean; the three others have findings"),
        ("b", "a", "The recommended run is clean; one other has findings"),
        ("bc", "a", "The recommended run is clean; two others have findings"),
        ("abc", "a", "Eval rebound in three runs, the recommended one among them"),
        ("a", "a", "The recommended run has findings: eval rebound"),
        ("ab", None, "Two of 4 runs have findings"),
    ],
)
def test_the_headline_says_what_was_found_the_recommended_run_first(bad, recommended, headline):
    runs = {run_id: assessed(run_id, rises=run_id in bad) for run_id in NAMES}
    assert health_answer(runs, NAMES, recommended).headline == headline


def test_one_run_is_not_called_the_recommended_one():
    assert health_answer({"a": assessed("a")}, NAMES, "a").headline == "Nothing was found"
    assert health_answer({"a": assessed("a", rises=True)}, NAMES, "a").headline == "Eval rebound"


def test_several_findings_of_a_kind_are_one_line_with_their_steps():
    answer = health_answer({"a": assessed("a", spikes=(50, 120, 200))}, NAMES, "a")
    (line,) = [line for line in answer.lines["a"] if line.code == "gradient_spike"]
    assert line.text == "Gradient-norm spikes: 3 times, at steps 50, 120 and 200."
    assert len(line.each) == line.events == 3
    many = health_answer({"a": assessed("a", spikes=tuple(range(40, 281, 30)))}, NAMES, "a")
    (line,) = [line for line in many.lines["a"] if line.code == "gradient_spike"]
    assert line.text == "Gradient-norm spikes: 9 times, at steps 40, 70, 100, 130, 160 and 4 more."


def test_a_reason_is_told_once_with_all_its_checks_and_the_runs_where_not_all_have_it():
    everywhere = health_answer({run_id: assessed(run_id, norms=False) for run_id in "ab"}, NAMES, "a")
    reasons = dict(everywhere.untold)
    checks = "gradient-norm spikes, clipping saturation, gradient norm grows"
    assert reasons["The gradient norm was not logged"] == checks
    assert len(reasons) == len(everywhere.untold)
    one = health_answer({"a": assessed("a"), "b": assessed("b", norms=False)}, NAMES, "a")
    assert dict(one.untold)["The gradient norm was not logged"] == f"{checks} (B)"


def test_a_check_is_fine_where_it_found_nothing_in_any_run():
    both = health_answer({"a": assessed("a"), "b": assessed("b", rises=True)}, NAMES, "a")
    assert "Eval rebound" not in both.fine
    assert "Gradient-norm spikes" in both.fine
    assert "Gradient-norm spikes" not in health_answer({"a": assessed("a", norms=False)}, NAMES, "a").fine


def test_a_run_that_could_not_be_read_or_logged_nothing_asks_no_questions():
    unread = health_answer({"a": None}, NAMES, None)
    assert unread.headline == "None of the runs could be read, so nothing could be checked"
    assert unread.untold == ()
    silent = health_answer({"a": assessed("a"), "b": assessed("b", norms=False)}, NAMES, "a", silent=["b"])
    assert "The gradient norm was not logged" not in dict(silent.untold)


def test_what_is_harmless_about_the_data_stands_with_the_run_and_is_explained_once():
    """As many findings are listed as the summary table counts."""
    held = {run_id: assessed(run_id, repeated=True) for run_id in "ab"}
    answer = health_answer(held, NAMES, "a")
    for run_id, each in held.items():
        assert [line.severity for line in answer.lines[run_id]] == [Severity.INFO]
        assert sum(line.events for line in answer.lines[run_id]) == sum(each.checks.counts.values()) == 1
        assert answer.lines[run_id][0].text.endswith("harmless, see the data checks.")
    assert answer.headline == "Nothing serious was found in any of the two runs"
    assert answer.events == 0, "what is harmless is no finding to count"
    (note,) = answer.notes
    assert note.endswith("(A, alike in one more)")
