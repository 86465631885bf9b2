from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.facts.selection import (
    LIMIT_REACHED,
    MAX_SELECTED,
    UPLOADED,
    assign_slots,
    reconcile,
    toggle,
)

IDS = st.sampled_from("abcdefgh")
SELECTIONS = st.lists(IDS, max_size=MAX_SELECTED, unique=True)


@given(st.lists(IDS | st.text(max_size=2)), st.sets(IDS))
@settings(deadline=None)
def test_every_wanted_id_is_selected_gone_or_over_the_limit(wanted, available):
    found = reconcile(wanted, available)
    assert sorted(found.ids + found.gone + found.over) == sorted(set(wanted))
    assert len(found.ids) <= MAX_SELECTED
    assert set(found.ids + found.over) <= available
    assert not set(found.gone) & available
    assert not found.over or len(found.ids) == MAX_SELECTED
    order = list(dict.fromkeys(wanted))
    for part in (found.ids, found.gone, found.over):
        assert list(part) == sorted(part, key=order.index)


@given(st.lists(IDS), st.sets(IDS))
@settings(deadline=None)
def test_reconciling_twice_changes_nothing(wanted, available):
    once = reconcile(wanted, available)
    twice = reconcile(once.ids, available)
    assert (twice.ids, twice.gone, twice.over) == (once.ids, (), ())


def test_what_was_left_out_is_named():
    found = reconcile(["x", *"abcdef"], "abcdef")
    assert found.ids == tuple("abcde")
    assert found.sentences == (
        "1 run was left out: deleted, or not visible to this reader (x).",
        "1 run was left out: at most 5 can be compared (f).",
    )
    many = reconcile([f"gone {number}" for number in range(500)], "abcdef")
    assert many.sentences == (
        "500 runs were left out: deleted, or not visible to this reader (gone 0, gone 1, gone 2 and 497 more).",
    )
    elsewhere = "not in this link: uploads stay in the browser session that made them."
    assert reconcile([f"{UPLOADED}1", "a"], "a").sentences == (f"1 uploaded run is {elsewhere}",)
    assert reconcile([f"{UPLOADED}1", "x", f"{UPLOADED}2"], "a").sentences == (
        f"2 uploaded runs are {elsewhere}",
        "1 run was left out: deleted, or not visible to this reader (x).",
    )
    assert reconcile([], "ab").sentences == reconcile("a", "ab").sentences == ()


@given(SELECTIONS, IDS)
@settings(deadline=None)
def test_toggling_on_and_off_gives_the_others_in_their_order(selected, run_id):
    others = tuple(other for other in selected if other != run_id)
    assert toggle(toggle(selected, run_id, True), run_id, False) == others
    assert toggle(selected, run_id, False) == others


@given(SELECTIONS, IDS)
@settings(deadline=None)
def test_a_selected_run_comes_last_and_never_over_the_limit(selected, run_id):
    on = toggle(selected, run_id, True)
    if run_id in selected or len(selected) == MAX_SELECTED:
        assert on == tuple(selected)
    else:
        assert on == (*selected, run_id)


@given(st.lists(SELECTIONS, max_size=12))
@settings(deadline=None)
def test_slots_are_kept_unique_and_lowest_free_through_any_sequence(selections):
    slots: dict[str, int] = {}
    for selected in selections:
        before, slots = slots, assign_slots(slots, selected)
        assert list(slots) == selected
        assert len(set(slots.values())) == len(selected)
        assert set(slots.values()) <= set(range(MAX_SELECTED))
        stayed = {run_id: slot for run_id, slot in before.items() if run_id in selected}
        assert stayed.items() <= slots.items()
        new = [slots[run_id] for run_id in selected if run_id not in before]
        free = [slot for slot in range(MAX_SELECTED) if slot not in stayed.values()]
        assert new == free[: len(new)]


@given(SELECTIONS.filter(bool), st.data())
@settings(deadline=None)
def test_deselecting_a_run_changes_no_other_slot(selected, data):
    slots = assign_slots({}, selected)
    gone = data.draw(st.sampled_from(selected))
    left = assign_slots(slots, toggle(selected, gone, False))
    assert left == {run_id: slot for run_id, slot in slots.items() if run_id != gone}


def test_slots_that_are_not_ours_are_given_anew():
    assert assign_slots({"a": 7, "b": 0, "c": 0, "d": -1}, list("abcd")) == {"a": 1, "b": 0, "c": 2, "d": 3}


def test_more_runs_than_colours_are_refused():
    with pytest.raises(ValueError, match="At most 5"):
        assign_slots({}, list("abcdef"))


def test_the_words_name_the_limit():
    assert str(MAX_SELECTED) in LIMIT_REACHED
