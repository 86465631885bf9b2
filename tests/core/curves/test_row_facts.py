from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.curves.row_facts import CLOCK_SLACK_US, UNKNOWN_US, RowFacts, row_facts

SECOND = 1_000_000
NAN = np.nan


def facts_of(steps, seconds=None, *, logged=None, **options):
    step = np.array(steps, dtype=np.float64)
    written = None if seconds is None else (np.array(seconds, dtype=np.float64) * SECOND).astype(np.int64)
    masks = {"train_loss": None} if logged is None else {k: np.array(v, dtype=bool) for k, v in logged.items()}
    return row_facts(step, written, masks, **options)


def test_rows_in_order_have_nothing_to_notice():
    assert facts_of([1, 2, 3], [10, 20, 30], expected=3) == RowFacts(
        received=3, expected=3, timed=3, first_written_us=10 * SECOND, last_written_us=30 * SECOND
    )


def test_no_rows_at_all():
    assert facts_of([], []) == RowFacts(received=0)


def test_train_and_eval_values_of_one_step_in_two_rows_are_normal():
    facts = facts_of([10, 20, 20, 30], logged={"train_loss": [1, 1, 0, 1], "eval_loss": [0, 0, 1, 0]})
    assert facts == RowFacts(received=4)


def test_a_value_that_comes_twice_for_a_step_is_rewritten():
    facts = facts_of([10, 20, 20, 20, 30], logged={"train_loss": [1, 1, 1, 1, 1], "eval_loss": [0, 1, 0, 1, 0]})
    assert (facts.rewritten, facts.rewritten_step, facts.rewritten_metrics) == (3, 20, ("eval_loss", "train_loss"))
    assert facts.backwards == 0


def test_a_resumed_run_goes_back_and_rewrites():
    facts = facts_of([10, 20, 30, 40, 20, 30, 40, 50])
    assert (facts.backwards, facts.backwards_step) == (1, 20)
    assert (facts.rewritten, facts.rewritten_step) == (3, 20)


def test_an_evaluation_whose_row_comes_late_does_not_go_back():
    facts = facts_of([10, 20, 10, 30, 20], logged={"train_loss": [1, 1, 0, 1, 0], "eval_loss": [0, 0, 1, 0, 1]})
    assert facts == RowFacts(received=5)


@pytest.mark.parametrize("odd", [NAN, -1.0, 0.5, np.inf, 1e300])
def test_rows_without_a_whole_step_have_no_place(odd):
    facts = facts_of([1, odd, 2], [1, 2, 3])
    assert (facts.received, facts.unplaced, facts.timed) == (3, 1, 2)


def test_rows_that_were_left_out_before_are_counted():
    facts = facts_of([1, NAN], left_out=3)
    assert (facts.received, facts.unplaced) == (5, 4)


def test_step_zero_has_a_place():
    assert facts_of([0, 1]).unplaced == 0


def test_a_clock_that_is_set_back_is_noticed_where_it_happens():
    facts = facts_of([1, 2, 3, 4], [100, 200, 150, 260])
    assert (facts.clock_backwards, facts.clock_step, facts.clock_back_s) == (1, 3, 50.0)


@pytest.mark.parametrize(("back_us", "found"), [(CLOCK_SLACK_US, 0), (CLOCK_SLACK_US + 1, 1)])
def test_rows_stamped_side_by_side_may_be_out_of_order(back_us, found):
    written = np.array([10 * SECOND, 10 * SECOND - back_us])
    assert row_facts(np.array([1.0, 2.0]), written, {}).clock_backwards == found


def test_unknown_timestamps_are_no_clock():
    facts = row_facts(np.array([1.0, 2.0, 3.0]), np.array([5 * SECOND, UNKNOWN_US, 6 * SECOND]), {})
    assert (facts.clock_backwards, facts.timed, facts.first_written_us) == (0, 2, 5 * SECOND)
    assert facts_of([1, 2]).timed == 0


def test_ids_tell_the_order_of_writing_whatever_the_rows_came_in():
    ids = np.array([1, 2, 5, 3, 6, 4, 7])
    facts = facts_of([10, 20, 20, 30, 30, 40, 40], [1, 2, 5, 3, 6, 4, 7], ids=ids)
    assert (facts.backwards, facts.backwards_step, facts.rewritten, facts.clock_backwards) == (1, 20, 3, 0)


def test_where_only_the_clock_tells_the_order_a_resumed_run_is_no_clock_set_back():
    facts = facts_of([10, 20, 20, 30, 30, 40], [1, 2, 5, 3, 6, 7], as_written=False)
    assert (facts.backwards, facts.clock_backwards, facts.order_known) == (1, 0, False)


def test_where_only_the_clock_tells_the_order_a_clock_set_back_is_seen_from_step_to_step():
    facts = facts_of([10, 20, 30, 40], [100, 200, 50, 60], as_written=False)
    assert (facts.clock_backwards, facts.clock_step) == (1, 30)


def test_positions_and_masks_say_the_same():
    step = np.array([1.0, 2.0, 2.0, NAN, 3.0, 3.0])
    mask = np.array([True, True, True, True, False, True])
    assert row_facts(step, None, {"a": mask}) == row_facts(step, None, {"a": np.flatnonzero(mask)})
    assert row_facts(step, None, {"a": np.ones(6, dtype=bool)}) == row_facts(step, None, {"a": None})


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.booleans()), max_size=25), st.randoms())
def test_ids_undo_any_shuffling_of_the_rows(rows, random):
    step = np.array([row[0] for row in rows], dtype=np.float64)
    written = np.arange(len(rows)) * SECOND
    masks = {"a": np.array([row[1] for row in rows], bool), "b": np.array([row[2] for row in rows], bool)}
    shuffled = list(range(len(rows)))
    random.shuffle(shuffled)
    at = np.array(shuffled, dtype=int)
    mixed = row_facts(step[at], written[at], {k: v[at] for k, v in masks.items()}, ids=at)
    assert mixed == row_facts(step, written, masks)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=25))
def test_rewritten_is_what_the_curve_loses(rows):
    step = np.array([row[0] for row in rows], dtype=np.float64)
    mask = np.array([row[1] for row in rows], dtype=bool)
    facts = row_facts(step, None, {"a": mask})
    assert facts.rewritten == mask.sum() - len(set(step[mask].tolist()))
    # A run that never goes back has written its repeated values one after the other.
    assert (facts.backwards == 0) == bool((np.diff(step[mask]) >= 0).all())
