"""A few sessions of ``bench.strain``, whose own take minutes; and what it would see."""

from __future__ import annotations

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from bench.crowd import AFTER, BEFORE, DOWN, Crowd, Guest, Outcome
from bench.strain import strained, tracebacks_in
from bench.strain_project import Person
from bench.tab import Tab
from tests.own_loop import finished
from tests.supabase.accounts import User
from tests.supabase.binaries import Missing


def guest(outcome: Outcome, number: int = 0) -> Guest:
    people = [Person(User(mark, f"{mark}@example.com", mark), mark, ()) for mark in ("zqmaaaaaa", "zqmbbbbbb")]
    return Guest(Crowd(None, people, outcome, 1.0), number, None)


def test_a_foreign_row_is_seen_in_whatever_comes():
    outcome = Outcome(1, 2, 0)
    ann = guest(outcome)
    ann.heard(b"\x00nobody is signed in\xff")
    assert outcome.foreign == []
    ann.heard(b"\x00zqmaaaaaa-run-1\xff")
    assert len(outcome.foreign) == 1, "nobody is signed in yet"
    ann.who = ann.person
    ann.heard(b"\x00zqmaaaaaa-run-1\xff")
    assert (len(outcome.foreign), outcome.own) == (1, 1)
    ann.heard(b"\x00zqmaaaaaa-run-1\x00zqmbbbbbb/base")
    assert (len(outcome.foreign), outcome.own) == (2, 2)


def test_what_went_wrong_is_said():
    outcome = Outcome(2, 2, 0, own=2, recovered_s=[1.0], memory_mb=[100.0, 300.0, 201.0])
    assert [said.split()[0] for said in outcome.faults()] == ["only", "memory"]
    outcome.broken.append("KeyError")
    assert len(outcome.faults()) == 3


def test_a_warning_with_its_place_is_no_traceback_of_ours():
    warning = "2026-01-01 WARNING runoff: none came.\n    Traceback (most recent call last):\n      File x\n"
    error = "2026-01-01 ERROR   runoff: failed.\n    Traceback (most recent call last):\n      File y\n"
    bare = "Traceback (most recent call last):\n  File z\nKeyError\n"
    assert tracebacks_in(warning) == []
    assert ["File y" in found for found in tracebacks_in(warning + error + warning)] == [True]
    assert len(tracebacks_in(bare)) == 1


def test_several_people_act_while_their_database_goes_away_and_comes_back():
    try:
        outcome = strained(6, 3, 6.0, processes=0, every_s=1.0, down_s=5.0, seed=1)
    except Missing as missing:
        pytest.skip(str(missing))
    assert outcome.faults() == []
    assert len(outcome.recovered_s) == 6
    assert {BEFORE, DOWN, AFTER} <= outcome.rerun_s.keys()


def begun(run: str, *fragments: str) -> ForwardMsg:
    message = ForwardMsg()
    message.new_session.initialize.session_id = "session"
    message.metadata.run.script_run_id = run
    message.metadata.run.fragment_ids.extend(fragments)
    return message


def drawn(run: str, at: int, fragment: str = "") -> ForwardMsg:
    message = ForwardMsg()
    message.metadata.delta_path.extend([0, at])
    message.delta.fragment_id = fragment
    message.delta.new_element.markdown.body = run
    return message


def ended(how: int) -> ForwardMsg:
    return ForwardMsg(script_finished=how)


async def taken(*messages: ForwardMsg) -> Tab:
    tab = Tab("http://127.0.0.1:1")
    for message in messages:
        await tab._take(message)
    return tab


def test_a_pages_run_is_over_when_a_fragment_runs_though_its_end_was_never_told():
    # A fragment asked for in the moment in which the page's run ends: the server drops what that had to say.
    tab = finished(
        taken(
            *(begun("one"), drawn("one", 0), drawn("one", 1, "timer"), ended(ForwardMsg.FINISHED_SUCCESSFULLY)),
            *(begun("two"), drawn("two", 1, "timer"), begun("three", "timer"), drawn("three", 1, "timer")),
            ended(ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY),
        )
    )
    assert tab.runs == 2
    assert [each.markdown.body for each in tab.shown] == ["three"], "what the second run did not draw is gone"


def test_fragments_end_no_run_of_the_page():
    fragment = begun("two", "timer"), drawn("two", 1, "timer"), ended(ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
    page = begun("one"), drawn("one", 0), drawn("one", 1, "timer"), ended(ForwardMsg.FINISHED_SUCCESSFULLY)
    tab = finished(taken(*page, *fragment, *fragment))
    assert tab.runs == 1
    assert [each.markdown.body for each in tab.shown] == ["one", "two"]
    early = finished(taken(*page[:3], ended(ForwardMsg.FINISHED_EARLY_FOR_RERUN), *fragment))
    assert early.runs == 0
