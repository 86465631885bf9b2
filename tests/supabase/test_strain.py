"""What ``bench.strain`` would see: its sessions are many, and take minutes."""

from __future__ import annotations

from bench.crowd import Crowd, Guest, Outcome
from bench.strain import tracebacks_in
from bench.strain_project import Person
from tests.supabase.accounts import User


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
