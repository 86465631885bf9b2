from __future__ import annotations

import pytest

from lib.core.checks import health_checks, passport_check
from lib.core.checks.health import Health, health_of
from lib.core.checks.noticed import PASSPORT_TITLES, SAME, SIGNS, counted, noticed
from lib.core.checks.passport import Passport, passport_of
from lib.core.checks.stability import Level, Stability
from lib.core.curves.evidence import evidence_of
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.findings import Finding, Severity
from lib.core.facts.runs import RunSummary

RUN = RunSummary(run_id="1", name="a")


def finding(code: str, severity: Severity = Severity.WARNING, step: int | None = None) -> Finding:
    return Finding(code, severity, "1", step, None, {}, f"{code} at {step}.")


def health(*findings: Finding, events: int = 0) -> Health:
    checks = [
        health_checks.Check(each.code, each.code, health_checks.Outcome.FOUND, each.sentence, (each,), max(events, 1))
        for each in findings
    ]
    return Health("1", tuple(checks))


def passport(*findings: Finding) -> Passport:
    checks = [passport_check.Check(each.code, passport_check.Outcome.FOUND, each.sentence, each) for each in findings]
    return Passport("1", tuple(checks))


def stability(*findings: Finding) -> Stability:
    return Stability("1", Level.STEADY, "", findings)


def test_nothing_noticed_is_nothing_and_not_unknown():
    found = noticed(health(), stability(), passport())
    assert (found.findings, found.unlisted, found.counts, found.serious) == ((), 0, {}, ())


def test_the_most_severe_comes_first_then_the_whole_run_then_the_steps():
    late, early, whole = finding("divergence", step=9), finding("loss_spike", step=3), finding("stored_best_step")
    worst, least = finding("nonfinite_value", Severity.CRITICAL, 50), finding("plateau", Severity.INFO, 1)
    found = noticed(health(least, late, early, worst), stability(), passport(whole))
    assert found.findings == (worst, whole, early, late, least)
    assert found.counts == {Severity.CRITICAL: 1, Severity.WARNING: 3, Severity.INFO: 1}
    assert found.serious == (worst, whole, early, late)
    assert list(found.counts) == list(SIGNS)
    assert counted(found.counts) == "✖1 ⚠3 ●1"


def test_what_stability_rests_on_is_told_once():
    spike, loud = finding("gradient_spike", step=4), finding("loss_variation", step=90)
    found = noticed(health(spike), stability(spike, loud), passport())
    assert found.findings == (spike, loud)


@pytest.mark.parametrize(("of_data", "of_health"), SAME.items())
def test_what_both_noticed_is_told_once_and_what_one_did_is_told(of_data, of_health):
    assert noticed(health(finding(of_health)), stability(), passport(finding(of_data))).findings == (
        finding(of_health),
    )
    assert noticed(health(), stability(), passport(finding(of_data))).findings == (finding(of_data),)


def test_what_is_counted_and_not_listed_is_said():
    assert noticed(health(finding("loss_spike", step=1), events=41), stability(), passport()).unlisted == 40


def test_every_check_has_a_title_and_every_code_in_use_exists():
    curves = RunCurves("1")
    of_data = passport_of(RUN, curves, evidence_of(curves), None)
    of_health = health_of(RUN, curves)
    assert {check.code for check in of_data.checks} == set(PASSPORT_TITLES)
    assert len(set(PASSPORT_TITLES.values())) == len(PASSPORT_TITLES)
    assert set(SAME) <= set(PASSPORT_TITLES)
    assert set(SAME.values()) <= {check.code for check in of_health.checks}
    found = noticed(of_health, stability(), of_data)
    assert found.titles["loss_variation"]
    assert found.titles["divergence"] == "Divergence"


def test_judgements_of_different_runs_are_not_put_together():
    with pytest.raises(ValueError, match="Expected judgements of one run"):
        noticed(Health("2", ()), stability(), passport())
