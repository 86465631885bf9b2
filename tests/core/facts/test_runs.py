"""The vocabulary of runs: statuses, identity, and what is shown for either."""

from __future__ import annotations

import dataclasses
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.facts.runs import STATUS_SYNONYMS, RunStatus, RunSummary, count_epochs, normalise_status
from lib.core.facts.sizes import MOST_ITEMS

DOCUMENTED = {
    "completed": "completed succeeded success finished done",
    "running": "running starting in_progress training resuming",
    "queued": "queued pending created scheduled",
    "failed": "failed error crashed",
    "cancelled": "cancelled canceled stopped killed aborted",
    "paused": "paused",
}


@pytest.mark.parametrize(
    ("status", "raw"), [(status, raw) for status in DOCUMENTED for raw in DOCUMENTED[status].split()]
)
@pytest.mark.parametrize("change", [str, str.upper, str.capitalize, str.swapcase, lambda raw: f"\t{raw} "])
def test_every_documented_synonym_is_folded_in_any_case(status, raw, change) -> None:
    assert normalise_status(change(raw)) == status


def test_no_synonym_beyond_the_documented_ones() -> None:
    assert {status.value: set(raws) for status, raws in STATUS_SYNONYMS.items()} == {
        status: set(raws.split()) for status, raws in DOCUMENTED.items()
    }


@pytest.mark.parametrize("raw", [None, "", "  ", "complete", "in progress", "running!", "null", "unknown"])
def test_anything_else_is_unknown(raw) -> None:
    assert normalise_status(raw) is RunStatus.UNKNOWN


@given(st.text())
@settings(deadline=None)
def test_no_text_breaks_the_folding(raw) -> None:
    known = {synonym for synonyms in STATUS_SYNONYMS.values() for synonym in synonyms}
    assert (normalise_status(raw) is RunStatus.UNKNOWN) == (raw.strip().lower() not in known)


def test_an_unknown_status_is_shown_as_the_source_wrote_it() -> None:
    def shown(status: RunStatus, raw: str | None) -> str:
        return RunSummary(run_id="a", name="a", status=status, raw_status=raw).status_text

    assert shown(RunStatus.UNKNOWN, "Zombie") == "Zombie"
    assert shown(RunStatus.UNKNOWN, None) == "unknown"
    assert shown(RunStatus.COMPLETED, "succeeded") == "completed"


def test_a_run_without_an_id_is_refused() -> None:
    with pytest.raises(ValueError, match="run_id"):
        RunSummary(run_id="", name="a")


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        (None, None),
        ("", None),
        ("alpaca", "alpaca"),
        ("s3://bucket/0b3c/alpaca.jsonl", "alpaca.jsonl"),
        ("data/alpaca/", "alpaca"),
        (r"C:\data\alpaca.json", "alpaca.json"),
        ("/", "/"),
    ],
)
def test_a_dataset_is_named_by_its_last_part(dataset, name) -> None:
    assert RunSummary(run_id="a", name="a", dataset=dataset).dataset_name == name


def test_nothing_is_recorded_unless_it_is_said() -> None:
    run = RunSummary(run_id="a", name="a")
    empty = {"config", "extra", "notes", "read_as", "formats", "files"}
    given_or_empty = {"run_id", "name", "version", "status", *empty}
    assert all(getattr(run, fact.name) is None for fact in dataclasses.fields(run) if fact.name not in given_or_empty)
    assert (run.status, run.config, run.extra, run.notes) == (RunStatus.UNKNOWN, {}, {}, ())


def test_a_run_is_a_fact_that_cannot_be_changed_and_can_be_copied() -> None:
    run = RunSummary(run_id="a", name="a", config={"training": {"lr": 0.0}}, best_eval_loss=0.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        run.name = "b"
    assert pickle.loads(pickle.dumps(run)) == run


def test_a_step_is_an_epoch_where_the_log_counts_nothing_else():
    def run(step, epoch, total=None, epochs=None):
        return RunSummary(
            run_id="a", name="a", current_step=step, current_epoch=epoch, total_steps=total, total_epochs=epochs
        )

    assert run(9, 9.0).steps_are_epochs
    assert run(9, 9.0, 10, 10.0).steps_are_epochs
    assert not run(9, 9.0, 900, 10.0).steps_are_epochs
    assert not run(900, 9.0).steps_are_epochs
    assert not run(9, None).steps_are_epochs
    assert not run(0, 0.0).steps_are_epochs, "what has not begun says nothing of it"
    assert count_epochs([run(9, 9.0), run(None, None)])
    assert not count_epochs([run(9, 9.0), run(9, 2.5)])
    assert not count_epochs([run(None, None)])


def test_of_many_further_values_the_first_are_kept_and_it_is_said_how_many_there_were():
    run = RunSummary(run_id="a", name="a", extra={f"result.{number}": number for number in range(200_000)})
    assert len(run.extra) == MOST_ITEMS
    assert run.notes == ("Of 200,000 further values the first 1,000 are kept.",)
