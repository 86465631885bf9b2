"""What the list of runs shows: no page is needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lib.core.facts.query import RunPage, RunQuery, RunSort, Unreadable, Unused, answer
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.facts.sizes import LONGEST_LIST
from lib.core.ranking.policy import ScoringPolicy
from lib.ui.frame.run_list import RunList, run_list, unusual
from lib.ui.session.comparison import ComparedRun, Comparison

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def run(name: str, loss: float | None = None, **facts) -> RunSummary:
    return RunSummary(run_id=name, name=name, **{"status": RunStatus.COMPLETED, "best_eval_loss": loss} | facts)


def listing(
    runs: list[RunSummary], selected: tuple[str, ...] = (), query: RunQuery | None = None, page: RunPage | None = None
) -> RunList:
    query = query or RunQuery()
    by_id = {each.run_id: each for each in runs}
    compared = tuple(
        ComparedRun(by_id[name], by_id[name], name, "", slot, None, name) for slot, name in enumerate(selected)
    )
    comparison = Comparison(compared, ScoringPolicy(), (), "these")
    labels = {each.run_id: each.name for each in runs}
    return run_list(page or answer(runs, query), query, comparison, labels, NOW, "Nothing is here.")


def names(lines) -> list[str]:
    return [line.name for line in lines]


FOUR = [run("a", 0.5), run("b", 0.4), run("c", 0.6), run("d")]


def test_the_selected_runs_are_ranked_and_the_others_are_as_asked_for():
    found = listing(FOUR, ("a", "d", "b"), RunQuery(sort=RunSort.MODEL))
    assert names(found.selected) == ["b", "a", "d"]
    assert [line.slot for line in found.selected] == [2, 0, 1]
    assert [line.is_recommended for line in found.selected] == [True, False, False]
    assert [line.value for line in found.selected] == ["0.4", "0.5", "–"]
    assert names(found.others) == ["c"]
    assert found.others[0].slot is None
    assert (found.selected_value, found.other_value) == ("Eval loss", "Eval loss")


@pytest.mark.parametrize(
    ("selected", "query", "said"),
    [
        ((), RunQuery(), "4 runs, newest first"),
        (("a",), RunQuery(), "3 more, newest first"),
        (("a", "b", "c"), RunQuery(), "1 more"),
        (("a", "b", "c", "d"), RunQuery(), ""),
        ((), RunQuery(search="b"), "1 of 4 runs"),
        (("b",), RunQuery(search="b"), ""),
        ((), RunQuery(limit=2, sort=RunSort.MODEL), "First 2 of 4 runs, by name"),
        (("a",), RunQuery(limit=2, sort=RunSort.MODEL), "First 1 of 3 more, by name"),
        # The selected run is beyond the page, and no longer one of those that are left.
        (("d",), RunQuery(limit=2, sort=RunSort.MODEL), "First 2 of 3 more, by name"),
        ((), RunQuery(status=RunStatus.COMPLETED, limit=1), "First 1 of 4 found, newest first"),
    ],
)
def test_the_count_is_of_the_runs_that_are_not_selected(selected, query, said):
    assert listing(FOUR, selected, query).count == said


def test_there_is_a_reason_where_nothing_is_left():
    assert listing([]).nothing == "Nothing is here."
    assert listing(FOUR, query=RunQuery(search="zz")).nothing == "No run matches the search and the filter."
    searched = listing(FOUR, ("b",), RunQuery(search="b"))
    assert searched.nothing == "No other run matches the search and the filter."
    assert listing(FOUR, ("a", "b", "c", "d")).nothing == "All runs are selected."
    assert listing(FOUR).nothing == ""


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, ""),
        ({"status": RunStatus.RUNNING, "progress": 0.61}, "running · 61%"),
        ({"status": RunStatus.RUNNING, "progress": 0.61, "duration_s": 7200.0}, "running for 2 h · 61%"),
        ({"status": RunStatus.RUNNING}, "running"),
        ({"status": RunStatus.RUNNING, "updated_at": NOW - timedelta(minutes=9)}, "running"),
        ({"status": RunStatus.RUNNING, "updated_at": NOW - timedelta(minutes=11)}, "stalled · silent for 11 min"),
        ({"status": RunStatus.QUEUED, "progress": 0.0}, "queued"),
        ({"status": RunStatus.FAILED, "progress": 0.46}, "failed at 46%"),
        ({"status": RunStatus.CANCELLED, "progress": 0.36}, "cancelled at 36%"),
        ({"status": RunStatus.PAUSED}, "paused"),
        ({"status": RunStatus.UNKNOWN, "raw_status": "log ends at step 7"}, "log ends at step 7"),
        ({"same_training_as": "b"}, "same training as second"),
        ({"same_training_as": "a"}, ""),
        ({"same_training_as": "elsewhere"}, "same training as another run"),
        ({"status": RunStatus.FAILED, "same_training_as": "b"}, "failed · same training as second"),
    ],
)
def test_only_what_is_unusual_gets_a_second_line(facts, said):
    assert unusual(run("a", 0.5, **facts), {"a": "first", "b": "second"}, NOW) == said


def test_what_the_line_has_no_room_for_is_in_its_details():
    created = NOW - timedelta(days=2)
    each = run("a", 0.5, created_at=created, dataset="x/y.jsonl", error_message="out of memory", notes=("Read so.",))
    (line,) = listing([each]).others
    assert dict(line.details[:-1]) == {
        "Name": "a",
        "Status": "completed",
        "Created": "2026-05-30 12:00 UTC, 2 days ago",
        "Dataset": "x/y.jsonl",
        "Error": "out of memory",
        "Run id": "a",
    }
    assert line.details[-1] == ("", "Read so.")
    first = listing(FOUR, ("a", "b")).selected[0]
    assert first.details[0][0] == "Recommended"


def test_the_usual_statuses_the_others_that_occur_and_the_chosen_one_are_offered():
    runs = [run("a"), run("b", status=RunStatus.QUEUED)]
    usual = [("", "all (2)"), ("completed", "completed (1)"), ("running", "running (0)"), ("failed", "failed (0)")]
    assert list(listing(runs).statuses) == [*usual, ("queued", "queued (1)")]
    asked = listing(runs, query=RunQuery(status=RunStatus.PAUSED))
    assert ("paused", "paused (0)") in asked.statuses
    uncounted = replace(answer(runs, RunQuery()), statuses={})
    assert dict(listing(runs, page=uncounted).statuses) == {"": "all"} | {each.value: each.value for each in RunStatus}


def test_every_order_can_be_asked_for_in_words():
    offered = dict(listing(FOUR).orders)
    assert list(offered) == list(RunSort)
    assert len(set(offered.values())) == len(offered)


def test_the_next_page_what_was_not_read_and_the_verdict():
    found = listing(FOUR, query=RunQuery(limit=1))
    assert found.more == 3
    assert found.verdict == ""
    page = answer(FOUR, RunQuery(), [Unreadable("x/log.json", "It is empty.")])
    assert listing(FOUR, page=page).unreadable == (("x/log.json", "It is empty."),)


def test_what_is_no_run_and_how_far_the_source_is_are_said():
    found = listing(FOUR)
    assert (found.unused, found.looking) == ((), "")
    page = replace(answer(FOUR, RunQuery()), unused=(Unused("x", "A checkpoint."),), looked_at=(3200, 10_000))
    found = listing(FOUR, page=page)
    assert found.unused == (("x", "A checkpoint."),)
    assert found.looking == "Looked at 3,200 of 10,000 folders…"
    assert listing(FOUR, page=replace(page, looked_at=(0, 0))).looking == "Looking through the folder…"
    assert listing([], page=replace(answer([], RunQuery()), looked_at=(0, 0))).nothing == ""
    assert "b" in listing(FOUR, ("a", "b")).verdict


def test_what_all_names_begin_with_is_told_apart():
    runs = [run("m · lr 1"), run("m · lr 2"), run("n")]
    assert listing(runs, ("m · lr 1", "m · lr 2")).shared == "m · "
    assert listing(runs, ("m · lr 1", "n")).shared == ""
    assert listing(runs, ("m · lr 1",)).shared == ""


def test_a_list_that_is_full_says_how_to_see_the_rest():
    runs = [run(f"r{number:04}", 0.5) for number in range(LONGEST_LIST + 30)]
    found = listing(runs, query=RunQuery(limit=LONGEST_LIST - 5))
    assert (found.more, found.beyond) == (5, "")
    full = listing(runs, query=RunQuery(limit=LONGEST_LIST))
    assert (full.more, full.beyond) == (0, "The list shows 1,000 runs at most: search for the others, or filter.")
    assert listing(runs[:LONGEST_LIST], query=RunQuery(limit=LONGEST_LIST)).beyond == ""
