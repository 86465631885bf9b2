"""The run list's filter, search, sort and page, as laws over any runs."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.facts.query import PAGE_SIZE, RunIndex, RunQuery, RunSort, Unreadable, answer
from lib.core.facts.runs import RunStatus, RunSummary, eval_loss_of, train_loss_of
from lib.core.facts.values import finite
from tests.matching import matches

DAY = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ["llama", "Qwen", "ALPACA", "8b", "straße"]


@st.composite
def some_runs(draw):
    """Runs with distinct ids, in any order, with every fact that the list sorts by present or missing."""
    ids = draw(st.lists(st.integers(0, 99), unique=True, max_size=8))
    return [
        RunSummary(
            run_id=f"{number:02}",
            name=draw(st.sampled_from(["", *WORDS, "llama 8b"])),
            dataset=draw(st.sampled_from([None, *WORDS])),
            base_model=draw(st.sampled_from([None, *WORDS])),
            status=draw(st.sampled_from(RunStatus)),
            created_at=draw(st.sampled_from([None, DAY, DAY + timedelta(days=1), DAY.replace(year=1960)])),
            started_at=draw(st.sampled_from([None, DAY + timedelta(hours=1)])),
            duration_s=draw(st.sampled_from([None, 0.0, 5.0, 60.0])),
            best_eval_loss=draw(st.sampled_from([None, math.nan, -0.5, 0.0, 0.5])),
            eval_loss=draw(st.sampled_from([None, math.inf, 0.25])),
            loss=draw(st.sampled_from([None, math.nan, 0.0, 0.25])),
            final_loss=draw(st.sampled_from([None, 0.5])),
            perplexity=draw(st.sampled_from([None, 1.5, 4.0])),
            samples_per_second=draw(st.sampled_from([None, 0.0, 8.0])),
        )
        for number in ids
    ]


QUERIES = st.builds(
    RunQuery,
    search=st.sampled_from(["", " ", "llama", "8B llama", "alpaca qwen", "zzz"]),
    status=st.sampled_from([None, *RunStatus]),
    sort=st.sampled_from(RunSort),
    limit=st.integers(0, 9),
)

# What each order compares; None is missing.
FACTS = {
    RunSort.NEWEST: lambda run: (when := run.created_at or run.started_at) and -when.timestamp(),
    RunSort.OLDEST: lambda run: (when := run.created_at or run.started_at) and when.timestamp(),
    RunSort.BEST_LOSS: eval_loss_of,
    RunSort.LAST_LOSS: lambda run: finite(run.eval_loss),
    RunSort.TRAIN_LOSS: train_loss_of,
    RunSort.PERPLEXITY: lambda run: run.perplexity,
    RunSort.SPEED: lambda run: None if run.samples_per_second is None else -run.samples_per_second,
    RunSort.STATUS: lambda run: list(RunStatus).index(run.status),
    RunSort.DURATION: lambda run: run.duration_s,
    RunSort.MODEL: lambda run: run.name.casefold() or None,
}


# --- search ------------------------------------------------------------------------------------------


def finds(run, search) -> bool:
    return bool(answer([run], RunQuery(search=search)).runs)


LLAMA = RunSummary(run_id="run-7", name="Llama 3.1 8B", dataset="s3/bucket/Alpaca.jsonl", base_model="meta/base")


@pytest.mark.parametrize(
    "search", ["", "  ", "llama", "LLAMA", " 8b ", "alpaca", "bucket", "RUN-7", "meta", "8b llama", "base alpaca run-"]
)
def test_words_are_found_in_any_case_order_and_field(search) -> None:
    assert finds(LLAMA, search)


@pytest.mark.parametrize("search", ["qwen", "llama qwen", "llama3.1", "8bs3", "jsonlrun", "*"])
def test_every_word_must_occur_within_one_field(search) -> None:
    assert not finds(LLAMA, search)


def test_case_is_folded_beyond_ascii() -> None:
    assert finds(RunSummary(run_id="a", name="Straße"), "STRASSE")


def test_what_is_not_recorded_is_not_found_as_text() -> None:
    assert not finds(RunSummary(run_id="a", name="b"), "none")


# --- filter, counts and page -------------------------------------------------------------------------


@given(some_runs(), QUERIES)
@settings(deadline=None)
def test_every_run_listed_matches_and_no_matching_run_is_lost(runs, query) -> None:
    page = answer(runs, query)
    expected = {run.run_id for run in runs if matches(run, query.search) and query.status in (None, run.status)}
    assert page.total == len(expected)
    assert {run.run_id for run in page.runs} <= expected
    assert len(page.runs) == min(query.limit, page.total)


@given(some_runs(), QUERIES)
@settings(deadline=None)
def test_the_counts_of_statuses_ignore_the_status_filter_and_sum_to_the_matches(runs, query) -> None:
    page = answer(runs, query)
    assert sum(page.statuses.values()) == sum(matches(run, query.search) for run in runs)
    assert page.total == (sum(page.statuses.values()) if query.status is None else page.statuses.get(query.status, 0))
    assert page.source_total == len(runs)


@given(some_runs(), QUERIES)
@settings(deadline=None)
def test_a_page_is_the_beginning_of_the_whole_list(runs, query) -> None:
    page = answer(runs, query)
    everything = answer(runs, RunQuery(query.search, query.status, query.sort, limit=len(runs)))
    assert page.runs == everything.runs[: query.limit]
    assert (page.total, page.statuses, page.source_total) == (
        everything.total,
        everything.statuses,
        everything.source_total,
    )


@given(some_runs(), st.lists(QUERIES, min_size=1, max_size=5))
@settings(deadline=None)
def test_an_index_answers_each_question_as_the_runs_do_whatever_was_asked_before(runs, queries) -> None:
    index = RunIndex(iter(runs))
    for query in queries:
        assert index.page(query, lambda places: [runs[place] for place in places]) == answer(runs, query)


@pytest.mark.parametrize("limit", [-2, -1, 0, 1, 3, 4])
def test_a_limit_cuts_the_list_as_a_slice_does(limit) -> None:
    runs = [RunSummary(run_id=str(number), name="a") for number in range(3)]
    page = answer(runs, RunQuery(limit=limit))
    assert [run.run_id for run in page.runs] == ["0", "1", "2"][:limit]
    assert page.total == 3


def test_what_could_not_be_read_is_passed_on_whatever_is_asked() -> None:
    broken = Unreadable("logs/a.json", "It is not JSON.")
    page = answer([], RunQuery(search="zzz", status=RunStatus.FAILED), [broken])
    assert (page.runs, page.total, page.source_total, page.unreadable) == ((), 0, 0, (broken,))


def test_a_page_has_its_size_unless_said_otherwise() -> None:
    runs = [RunSummary(run_id=str(number), name="a") for number in range(PAGE_SIZE + 1)]
    page = answer(iter(runs), RunQuery())
    assert (len(page.runs), page.total) == (PAGE_SIZE, PAGE_SIZE + 1)


# --- sort --------------------------------------------------------------------------------------------


@given(some_runs(), st.sampled_from(RunSort))
@settings(deadline=None)
def test_every_order_goes_up_by_its_fact_with_missing_last(runs, sort) -> None:
    facts = [FACTS[sort](run) for run in answer(runs, RunQuery(sort=sort)).runs]
    recorded = [fact for fact in facts if fact is not None]
    assert recorded == sorted(recorded)
    assert facts[: len(recorded)] == recorded


@given(some_runs(), st.sampled_from(RunSort), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_every_order_is_total_whatever_the_order_of_input(runs, sort, random) -> None:
    shuffled = random.sample(runs, len(runs))
    assert answer(shuffled, RunQuery(sort=sort)).runs == answer(runs, RunQuery(sort=sort)).runs


@given(some_runs(), st.sampled_from([RunSort.BEST_LOSS, RunSort.STATUS, RunSort.DURATION, RunSort.MODEL]))
@settings(deadline=None)
def test_among_equals_the_newest_comes_first(runs, sort) -> None:
    listed = answer(runs, RunQuery(sort=sort)).runs
    for one, other in itertools.pairwise(listed):
        whens = [run.created_at or run.started_at for run in (one, other)]
        if FACTS[sort](one) == FACTS[sort](other) and None not in whens:
            assert whens[0] >= whens[1]


def test_the_newest_run_is_first_and_the_oldest_order_is_its_reverse_but_for_missing() -> None:
    old, new = (RunSummary(run_id=str(year), name="a", created_at=DAY.replace(year=year)) for year in (2024, 2026))
    undated = RunSummary(run_id="0", name="a")
    assert answer([undated, old, new], RunQuery()).runs == (new, old, undated)
    assert answer([undated, new, old], RunQuery(sort=RunSort.OLDEST)).runs == (old, new, undated)


def test_the_given_runs_are_left_as_they_are() -> None:
    runs = [RunSummary(run_id=name, name=name) for name in "ba"]
    answer(runs, RunQuery(sort=RunSort.MODEL))
    assert [run.run_id for run in runs] == ["b", "a"]
