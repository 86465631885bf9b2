from __future__ import annotations

from lib.core.checks.results import SIGNS, counted
from lib.core.facts.findings import Finding, Severity
from tests.core.checked_runs import results_with


def finding(code: str, severity: Severity = Severity.WARNING, step: int | None = None) -> Finding:
    return Finding(code, severity, step, None, {}, f"{code} at {step}.")


def test_nothing_found_is_nothing_and_not_unknown():
    found = results_with(())
    assert (found.findings, found.unlisted, found.counts, found.serious, found.doubts) == ((), 0, {}, (), ())


def test_the_most_severe_comes_first_then_the_whole_run_then_the_steps():
    late, early, whole = finding("divergence", step=9), finding("loss_spike", step=3), finding("stored_best_step")
    worst, least = finding("nonfinite_value", Severity.CRITICAL, 50), finding("plateau", Severity.INFO, 1)
    found = results_with((least, late, early, worst, whole))
    assert found.findings == (worst, whole, early, late, least)
    assert found.counts == {Severity.CRITICAL: 1, Severity.WARNING: 3, Severity.INFO: 1}
    assert found.serious == (worst, whole, early, late)
    assert list(found.counts) == list(SIGNS)
    assert counted(found.counts) == "✖1 ⚠3 ●1"


def test_what_is_counted_and_not_listed_is_said():
    assert results_with([finding("loss_spike", step=1)], events={"loss_spike": 41}).unlisted == 40
