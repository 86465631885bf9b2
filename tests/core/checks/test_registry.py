"""Every check, by the registry: what holds of all of them, whatever the run is like."""

from __future__ import annotations

import math
import pkgutil
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.health_runs import KINDS, NOW, clean_run, planted_run
from lib.core import checks
from lib.core.checks.check import Check, Group, Outcome, check, found
from lib.core.checks.registry import CHECKS, METRICS_READ, checks_of
from lib.core.checks.subject import LARGEST, POINTS_NEEDED, CannotTell, Subject
from lib.core.curves.evidence import RunEvidence, evidence_of
from lib.core.curves.metric_curves import MetricCurve, RunCurves, tidy_curve
from lib.core.curves.row_facts import UNKNOWN_US, row_facts
from lib.core.facts.findings import Severity
from lib.core.facts.limits import limits_of
from lib.core.facts.metrics import METRICS
from lib.core.facts.runs import RunStatus
from lib.core.verdict.limits import LIMITS
from tests.core.checked_runs import curves_of, result_of, run_of, thinned
from tests.curves import reduced

MODULES = [import_module(f"lib.core.checks.{each.name}") for each in pkgutil.iter_modules(checks.__path__)]
CODES = [each.code for each in CHECKS]
BY_CODE = {each.code: each for each in CHECKS}
MIDDLE, LARGE = 1, 2
SEEDS = 40


def test_every_check_that_a_module_makes_is_in_the_registry_once():
    made = [each for module in MODULES for each in vars(module).values() if isinstance(each, Check)]
    assert {each.code for each in made} == set(CODES)
    assert len(CODES) == len(set(CODES)) == len({each.title for each in CHECKS})
    assert len({(each.group, each.title) for each in CHECKS}) == len(CHECKS)


def test_every_limit_of_the_checks_is_printed():
    printed = {id(limit) for limits in LIMITS.values() for limit in limits}
    assert [limit.title for limit in limits_of(*MODULES) if id(limit) not in printed] == []
    assert [limit.title for each in CHECKS for limit in each.limits if id(limit) not in printed] == []


@pytest.mark.parametrize("each", CHECKS, ids=CODES)
def test_a_check_says_what_it_is(each):
    assert each.code.isidentifier()
    assert each.title[0].isupper()
    assert each.look.__doc__
    assert list(each.severities) == sorted(set(each.severities), key=list(Severity).index, reverse=True)
    assert set(each.metrics) <= set(METRICS)


def test_a_check_is_a_function_with_a_decorator():
    @check("Too short", Group.DATA, Severity.INFO, metrics=("train_loss",), touches=True)
    def too_short(subject):
        """A log that is too short."""
        steps = subject.curve("train_loss").step
        return found("It is short.", steps[-1], metric="train_loss") if len(steps) < 3 else CannotTell("it is long")

    def result(values):
        curves = curves_of(train_loss=values)
        return too_short.of(Subject(run_of(), curves, evidence_of(curves), None))

    short, long = result([2.0, 1.0]), result([2.0, 1.0, 0.5])
    (finding,) = short.findings
    assert (finding.code, finding.severity) == ("too_short", Severity.INFO)
    assert (finding.step, finding.extent, finding.touches_verdict) == (20, None, True)
    assert (long.outcome, long.sentence) == (Outcome.CANNOT_TELL, "Cannot tell, because it is long.")
    assert result([]).because == "the train loss was not logged."


def test_the_three_must_be_about_one_run():
    with pytest.raises(ValueError, match="of one run"):
        checks_of(run_of(), RunCurves("other"))
    with pytest.raises(ValueError, match="of one run"):
        checks_of(run_of(), RunCurves("run"), RunEvidence(run_id="other"))
    with pytest.raises(KeyError, match="No check is called 'flatness'"):
        checks_of(run_of(), RunCurves("run")).of("flatness")


# Whatever the run is like

VALUES = st.one_of(
    st.integers(-3, 3).map(float),
    st.floats(allow_nan=False),
    st.sampled_from([0.0, math.nan, math.inf, -math.inf, LARGEST]),
)
NUMBERS = st.one_of(st.none(), st.integers(-2, 400).map(float), VALUES)
STEPS = st.one_of(st.none(), st.integers(-2, 500))
MOMENTS = st.one_of(st.none(), st.integers(-100_000, 100_000).map(lambda seconds: NOW + timedelta(seconds=seconds)))
RUNS = st.fixed_dictionaries(
    {
        "status": st.sampled_from(RunStatus),
        "config": st.sampled_from(
            [{}, {"max_grad_norm": 1.0, "eval_strategy": "steps", "eval_steps": 2, "batch_size": 4}]
        ),
    },
    optional={
        **dict.fromkeys(("started_at", "completed_at", "updated_at"), MOMENTS),
        **dict.fromkeys(("total_steps", "current_step", "best_step"), STEPS),
        **dict.fromkeys(("best_eval_loss", "learning_rate", "samples_per_second", "progress"), NUMBERS),
        "resumed_from_run_id": st.sampled_from([None, "other"]),
    },
)


@st.composite
def curves(draw) -> RunCurves:
    """Curves of few rows, or none, with nulls, NaN, infinities, repeated steps, odd clocks; some of them reduced."""
    count = draw(st.sampled_from([0, 1, 2, 3, 8, 30, 90]))
    made = {}
    steps = np.array(draw(st.lists(st.integers(0, 300), min_size=count, max_size=count)), dtype=np.int64)
    if draw(st.booleans()):
        steps = np.sort(steps)
    ticks = st.one_of(st.just(math.nan), st.integers(-5_000, 50_000).map(float))
    seconds = np.array(draw(st.lists(ticks, min_size=count, max_size=count)), dtype=float)
    for metric in draw(st.lists(st.sampled_from([*METRICS_READ, "eval_rouge"]), unique=True)):
        form = draw(st.sampled_from(["any", "null", "nan", "same"]))
        given_ = draw(st.lists(NUMBERS, min_size=count, max_size=count)) if form == "any" else [1.0] * count
        values = np.array([math.nan if value is None else value for value in given_], dtype=float)
        logged = np.array([form != "null" and value is not None for value in given_], dtype=bool)
        values = np.full(count, math.nan) if form == "nan" else values
        epoch = np.where(seconds > 0.0, seconds / 100.0, math.nan)
        curve = tidy_curve(steps[logged], values[logged], epoch[logged], seconds[logged])
        made[metric] = _reduced(curve, draw(st.sampled_from(["whole", "whole", "reduced", "thinned"])))
    rows = None
    if draw(st.booleans()):
        timed = np.isfinite(seconds)
        written = np.where(timed, NOW.timestamp() * 1e6 + np.where(timed, seconds, 0.0) * 1e6, 0).astype(np.int64)
        rows = row_facts(
            steps,
            np.where(timed, written, UNKNOWN_US),
            dict.fromkeys(made),
            as_written=draw(st.booleans()),
            expected=draw(st.one_of(st.none(), st.integers(0, 100))),
            left_out=draw(st.integers(0, 3)),
        )
    kept = {metric: curve for metric, curve in made.items() if len(curve)}
    unread = st.sets(st.sampled_from(METRICS_READ)).map(lambda metrics: metrics - set(kept))
    return RunCurves("run", MappingProxyType(kept), tuple(draw(unread)), rows)


def _reduced(curve: MetricCurve, form: str) -> MetricCurve:
    if form == "whole" or not np.isfinite(curve.value).any():
        return curve
    return reduced(curve, 2) if form == "reduced" else thinned(curve)


@given(facts=RUNS, curves=curves(), now=MOMENTS)
@settings(deadline=None, max_examples=300)
def test_whatever_the_run_is_like_every_check_comes_to_something_and_says_so(facts, curves, now):
    results = checks_of(run_of(**facts), curves, now=now)
    assert [result.check.code for result in results.results] == CODES
    for result in results.results:
        assert bool(result.findings) == (result.outcome is Outcome.FOUND)
        assert result.events >= len(result.findings)
        assert result.sentence.endswith(".")
        assert not result.sentence.endswith("..")
        if result.outcome is Outcome.CANNOT_TELL:
            assert result.sentence == f"Cannot tell, because {result.because}"
            assert len(result.because) > 10
        for finding in result.findings:
            assert finding.code == result.check.code
            assert finding.severity in result.check.severities
            assert result.check.touches_verdict or not finding.touches_verdict
            assert finding.extent is None or finding.step < finding.extent
            assert len(finding.sentence) < 400
            assert str(finding.evidence.get("metric", "train_loss")) in {*METRICS, "eval_rouge"}
    assert results.findings == tuple(sorted(results.findings, key=results.findings.index))
    assert {id(doubt) for doubt in results.doubts} <= {id(finding) for finding in results.findings}


# Planted trouble, and none


@pytest.mark.parametrize("kind", KINDS)
def test_planted_trouble_is_found_where_it_begins(kind):
    seen = right = 0
    for seed in range(SEEDS):
        planted = planted_run(kind, MIDDLE, seed)
        findings = checks_of(planted.run, planted.curves, now=NOW).of(planted.code).findings
        seen += bool(findings)
        tolerance = planted.interval + KINDS[kind].tolerance * planted.length
        right += any(abs(finding.step - planted.step) <= tolerance for finding in findings)
    assert seen >= 0.9 * SEEDS
    assert right >= 0.9 * seen


@pytest.mark.parametrize("kind", KINDS)
def test_the_smallest_trouble_is_found_no_more_often_than_the_largest(kind):
    seen = [0, 0, 0]
    for size in (0, LARGE):
        for seed in range(10):
            planted = planted_run(kind, size, seed)
            seen[size] += bool(checks_of(planted.run, planted.curves, now=NOW).of(planted.code).findings)
    assert seen[0] <= seen[LARGE]


def test_at_most_one_clean_run_in_a_hundred_has_a_finding():
    alarms = [checks_of(*clean_run(seed), now=NOW).findings_in(Group.HEALTH) for seed in range(1000, 1100)]
    assert sum(map(bool, alarms)) <= 1


# What was not read, and what there is too little of


def test_a_run_without_curves_cannot_be_told():
    results = checks_of(run_of(), RunCurves("run"))
    untold = {result.check.code for result in results.having(Outcome.CANNOT_TELL, Group.HEALTH)}
    assert untold == {each.code for each in CHECKS if each.group is Group.HEALTH} - {"stalled"}
    assert results.of("divergence").sentence == "Cannot tell, because the train loss was not logged."
    assert results.findings_in(Group.HEALTH) == ()


def test_a_metric_that_was_not_asked_for_is_not_called_unlogged():
    results = checks_of(run_of(), RunCurves("run", unread=tuple(METRICS)))
    assert results.of("memory_creep").because == "the GPU memory was not read."
    assert results.of("eval_rebound").because == "the eval loss was not read."


@pytest.mark.parametrize(("points", "end"), [(5, 9.0), (8, 1.3), (20, 1.3), (POINTS_NEEDED - 1, 1.3)])
def test_few_points_do_not_tell_a_small_effect_and_fewer_tell_none(points, end):
    rising = {metric: np.linspace(1.0, end, points) for metric in METRICS_READ if metric != "eval_loss"}
    results = checks_of(run_of(), curves_of(**rising))
    for code in ("divergence", "loss_spike", "gradient_spike", "plateau", "throughput_decay", "memory_creep"):
        assert results.of(code).outcome is Outcome.CANNOT_TELL
        assert f"{points} finite points" in results.of(code).because


def test_a_reduced_curve_is_judged_only_for_what_stays_true():
    planted = planted_run("NaN or infinity", LARGE, 1)
    metrics = {
        metric: curve if METRICS[metric].evaluated else thinned(curve)
        for metric, curve in planted.curves.curves.items()
    }
    results = checks_of(planted.run, replace(planted.curves, curves=metrics), now=NOW)
    assert results.of("nonfinite_value").evidence["count"] == 50
    assert results.of("eval_rebound").outcome is Outcome.NOT_FOUND
    for code in ("divergence", "loss_spike", "gradient_spike", "plateau", "throughput_decay", "memory_creep"):
        assert "only the reduced curve" in results.of(code).because
    assert results.of("reporting_gap").outcome is Outcome.CANNOT_TELL


def test_values_too_large_to_compute_with_are_said_to_be():
    loss = np.ones(100)
    loss[50] = 2 * LARGEST
    assert "too large to compute with" in result_of("divergence", train_loss=loss).sentence
    assert "too large to compute with" in result_of("eval_rebound", eval_loss=loss).sentence
