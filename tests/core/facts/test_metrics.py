"""The catalogue of metrics: every entry can be shown as it says."""

from __future__ import annotations

import re

import pytest

from lib.core.facts.metrics import FURTHER, LOGGED, LOSS_CHART, METRICS, Metric, metric_of

# The formats that d3 and Python share, as far as the catalogue may use them.
BOTH_UNDERSTAND = re.compile(r",?\.\d[efg]")


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.key)
def test_every_metric_formats_numbers_for_python_and_for_d3(metric) -> None:
    assert BOTH_UNDERSTAND.fullmatch(metric.spec)
    for value in (0.0, -1.5, 12345.678, 2e-5):
        assert float(format(value, metric.spec).replace(",", "")) == pytest.approx(value, rel=0.01, abs=0.5)


@pytest.mark.parametrize("key", METRICS)
def test_the_catalogue_is_keyed_by_the_metrics_own_keys(key) -> None:
    assert metric_of(key) is METRICS[key]
    assert metric_of(key).key == key


def test_titles_with_units_tell_all_metrics_apart() -> None:
    titles = [metric.axis_title for metric in METRICS.values()]
    assert len(set(titles)) == len(titles)
    assert all(metric.title[0].isupper() and metric.title == metric.title.strip() for metric in METRICS.values())


def test_a_title_carries_the_unit_only_where_there_is_one() -> None:
    assert Metric(key="k", title="Speed", unit="m/s").axis_title == "Speed (m/s)"
    assert Metric(key="k", title="Loss").axis_title == "Loss"


def test_a_title_says_that_a_metric_is_derived() -> None:
    assert Metric(key="k", title="Speed", unit="m/s", derived_from=("l",)).axis_title == "Speed (m/s, derived)"
    assert Metric(key="k", title="Speed", derived_from=("l",)).axis_title == "Speed (derived)"


def test_the_metrics_that_rows_carry_are_all_known() -> None:
    columns = (
        "train_loss eval_loss perplexity train_perplexity learning_rate grad_norm tokens_per_second"
        " samples_per_second gpu_memory_allocated_gb gpu_memory_reserved_gb gpu_utilization_percent"
    )
    assert set(columns.split()) <= set(LOGGED)


def test_what_is_derived_comes_of_metrics_that_are_there_and_is_asked_of_no_source() -> None:
    derived = {key: metric.derived_from for key, metric in METRICS.items() if metric.derived_from}
    assert derived.keys() == METRICS.keys() - set(LOGGED)
    for parts in derived.values():
        assert set(parts) <= METRICS.keys()


def test_a_name_in_a_log_means_one_metric() -> None:
    names = [name for metric in METRICS.values() for name in (metric.key, *metric.hf_keys)]
    assert len(set(names)) == len(names)


def test_what_shares_a_chart_has_units_that_tell_it_apart_and_is_logged() -> None:
    for chart in {metric.chart for metric in METRICS.values()} - {FURTHER, LOSS_CHART}:
        sharing = [metric for metric in METRICS.values() if metric.chart == chart]
        assert len({metric.unit for metric in sharing}) == len(sharing)


def test_what_evaluations_measure_is_marked_as_evaluated() -> None:
    marked = {key for key, metric in METRICS.items() if metric.evaluated}
    assert {"eval_loss", "perplexity"} <= marked
    assert marked.isdisjoint({"train_loss", "train_perplexity", "learning_rate", "grad_norm"})
    assert {key for key in METRICS if key.startswith("eval_")} <= marked


@pytest.mark.parametrize(("key", "evaluated"), [("eval_rouge1", True), ("rewards/chosen", False), ("evaluate", False)])
def test_a_metric_outside_the_catalogue_is_described_by_its_name(key, evaluated) -> None:
    metric = metric_of(key)
    assert (metric.key, metric.axis_title, metric.evaluated) == (key, key, evaluated)


@pytest.mark.parametrize(
    "name",
    ["val_accuracy", "val/f1", "validation acc", "valid_ppl", "dev/wer", "test_accuracy", "Accuracy/test", "acc_val",
     "valLoss", "val-iou", "metrics/mAP50(B)", "metrics/precision(B)", "bbox_mAP", "mAP50", "best_val_acc",
     "train/val_accuracy", "metrics/val_acc", "eval/runtime", "evaluation:f1", "epoch_val_accuracy"],
)  # fmt: skip
def test_a_name_says_that_evaluations_measure_it_whatever_program_gave_it(name) -> None:
    assert metric_of(name).evaluated


@pytest.mark.parametrize(
    "name",
    ["value_loss", "values/mean", "train_val_gap", "train_test", "std_dev", "reward_std_dev", "dev0/memory", "device",
     "valid_tokens", "valid_ratio", "tokens_valid", "evaluate", "latest", "contest/score", "metrics/loss", "metrics/lr",
     "mapping", "heatMAP", "retrieval", "interval", "medieval/x", "train/accuracy", "", "/", "(as logged)"],
)  # fmt: skip
def test_a_name_that_only_looks_so_does_not_say_it(name) -> None:
    assert not metric_of(name).evaluated


def test_the_catalogue_goes_before_the_words_of_a_name() -> None:
    assert metric_of("perplexity").evaluated
    assert not metric_of("train_perplexity").evaluated
