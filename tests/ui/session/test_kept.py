"""What was read well stays where reading it again fails; it is tried again by itself, and each reader has their own."""

from __future__ import annotations

import threading
import time

import pytest

from lib.core.facts.errors import AccessDenied, AppError, SignInExpired, SourceUnavailable
from lib.core.facts.query import RunQuery, answer
from lib.core.facts.runs import RunStatus
from lib.data.source import wall_clock
from lib.ui.session import failures, reads
from lib.ui.session import kept as kept_module
from lib.ui.session.failures import (
    LONG_S,
    LONGEST_RETRY_S,
    LONGEST_TOGETHER_S,
    MOST,
    RETRY_S,
    TOGETHER_S,
    Failures,
)
from lib.ui.session.kept import KnownRuns, LastGood
from tests.app.growing import GrowingSource

DOWN = SourceUnavailable("No answer.", hint="Wait.")


class Answers:
    """Gives 1, 2, 3 ... unless it is told to fail."""

    def __init__(self) -> None:
        self.error: AppError | None = None
        self.asked = 0

    def __call__(self) -> int:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.asked


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def known(now) -> Failures:
    return Failures(lambda: now[0])


@pytest.fixture
def kept(known) -> LastGood[str, int]:
    """Every answer is due at once."""
    made: LastGood[str, int] = LastGood(
        "thing", 3, 0.0, known, lambda reader: made.forget(lambda own, _: own == reader)
    )
    return made


def eventually(is_so) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_last_good_answer_stays_with_its_age_and_the_reason(kept):
    read = Answers()
    assert kept.get("ann", "q", read) == 1
    assert kept.outdated("ann", "q") is None
    read.error = DOWN
    assert kept.get("ann", "q", read) == 1
    outdated = kept.outdated("ann", "q")
    assert outdated.error is DOWN
    assert outdated.as_of is not None
    with pytest.raises(SourceUnavailable):
        kept.get("bob", "q", read)
    assert kept.outdated("bob", "q").as_of is None


def test_a_read_that_failed_is_made_again_when_it_is_due_and_in_another_thread(kept, known, now):
    read = Answers()
    kept.get("ann", "q", read)
    read.error = DOWN
    kept.get("ann", "q", read)
    asked = read.asked
    assert kept.get("ann", "q", read) == 1
    known.retry(["ann"], now[0])
    assert read.asked == asked, "not before its time"
    now[0] += RETRY_S
    read.error, turn = None, known.turn(["ann"])
    known.retry(["ann"], now[0])
    eventually(lambda: known.turn(["ann"]) != turn)
    assert kept.outdated("ann", "q") is None
    assert kept._last(("ann", "q")).value == asked + 1


def test_the_pauses_grow_and_a_source_that_says_how_long_to_wait_is_not_asked_before(kept, known, now):
    read, pauses = Answers(), []
    read.error = DOWN
    for _ in range(5):
        with pytest.raises(AppError):
            kept.get("ann", "q", read)
        pauses.append(known._failed["thing", "ann", "q"].due_at - now[0])
        now[0] += pauses[-1]
    assert pauses == [RETRY_S, 2 * RETRY_S, LONGEST_RETRY_S, LONGEST_RETRY_S, LONGEST_RETRY_S]
    read.error = SourceUnavailable("Too many.", wait_s=60.0)
    with pytest.raises(AppError):
        kept.get("ann", "q", read)
    assert known._failed["thing", "ann", "q"].due_at == now[0] + 60.0


def test_nobody_waits_twice_for_a_source_that_did_not_answer(kept, known, now):
    read = Answers()
    assert [kept.get("ann", each, read) for each in "pq"] == [1, 2]
    known.note(("other", "ann", "x"), DOWN, read, took_s=LONG_S + 1)
    assert [kept.get("ann", each, read) for each in "pq"] == [1, 2], "what is there is given at once"
    with pytest.raises(SourceUnavailable):
        kept.get("ann", "never read", read)
    assert read.asked == 2
    assert kept.get("bob", "q", read) == 3, "others may be answered"
    now[0] += RETRY_S
    assert kept.get("ann", "q", read) == 4


def test_what_one_may_no_longer_read_goes_at_once_for_that_reader_alone(kept):
    read = Answers()
    for reader in ("ann", "bob"):
        kept.get(reader, "q", read)
    read.error = AccessDenied("Not for you.")
    with pytest.raises(AccessDenied):
        kept.get("ann", "q", read)
    read.error = DOWN
    with pytest.raises(SourceUnavailable):
        kept.get("ann", "q", read)
    assert kept.get("bob", "q", read) == 2


def test_a_sign_in_that_is_over_takes_nothing_from_the_same_reader_elsewhere(kept):
    elsewhere, here = Answers(), Answers()
    assert kept.get("ann", "q", elsewhere) == 1
    here.error = SignInExpired("Over.")
    with pytest.raises(SignInExpired):
        kept.get("ann", "q", here)
    elsewhere.error = DOWN
    assert kept.get("ann", "q", elsewhere) == 1


def test_what_failed_is_read_again_by_whoever_asked_for_it_last(kept, known, now):
    gone, here = Answers(), Answers()
    kept.get("ann", "q", gone)
    gone.error = here.error = DOWN
    assert kept.get("ann", "q", gone) == kept.get("ann", "q", here) == 1
    gone.error, here.error = SignInExpired("Over."), None
    asked, turn = gone.asked, known.turn(["ann"])
    now[0] += RETRY_S
    known.retry(["ann"], now[0])
    eventually(lambda: known.turn(["ann"]) != turn)
    assert (gone.asked, here.asked) == (asked, 1)
    assert kept.outdated("ann", "q") is None


def test_of_a_retry_by_somebody_who_signed_out_only_that_failure_goes(kept, known, now):
    gone, here = Answers(), Answers()
    for question in "pq":
        kept.get("ann", question, here)
    gone.error = here.error = DOWN
    assert [kept.get("ann", "p", here), kept.get("ann", "q", gone)] == [1, 2]
    gone.error, turn = SignInExpired("Over."), known.turn(["ann"])
    now[0] += RETRY_S
    known.retry(["ann"], now[0])
    eventually(lambda: known.turn(["ann"]) != turn and not known._busy)
    assert kept.outdated("ann", "q") is None, "its pages are to ask for it themselves"
    assert kept.outdated("ann", "p") is not None
    assert [kept.get("ann", each, here) for each in "pq"] == [1, 2], "and all stays for the others"


def test_one_who_is_forgotten_takes_nothing_from_what_others_read_meanwhile(kept):
    def slow() -> int:
        kept.forget(lambda reader, _: reader == "bob")
        return 1

    kept.get("ann", "q", slow)
    assert kept._last(("ann", "q")).value == 1


def test_what_came_together_is_told_once_and_nobody_waits_long_for_the_rest(known, now):
    def comes(number: int) -> None:
        known.note(("thing", "ann", number), DOWN, lambda: None)
        known.mended(("thing", "ann", number))

    turn = known.turn(["ann"])
    assert not known.came(["ann"], turn)
    told = []
    for number in range(4):
        comes(number)
        told.append(known.came(["ann"], turn))
        now[0] += 0.9 * TOGETHER_S
    assert told == [False] * 4
    now[0] += TOGETHER_S
    assert known.came(["ann"], turn)
    assert not known.came(["bob"], known.turn(["bob"]))
    assert not known.came(["ann"], known.turn(["ann"]))
    turn = known.turn(["ann"])
    known._busy["ann"] = now[0]
    comes(5)
    now[0] += 2 * TOGETHER_S
    assert not known.came(["ann"], turn), "the round goes on"
    now[0] += LONGEST_TOGETHER_S
    assert known.came(["ann"], turn)


def test_a_refusal_of_the_folder_to_the_process_takes_nothing_away(kept):
    read = Answers()
    kept.get("ann", "q", read)
    read.error = AccessDenied("Permission denied.", withdraws=False)
    assert kept.get("ann", "q", read) == 1


def test_what_was_forgotten_while_it_was_read_does_not_come_back(kept):
    began, go = threading.Event(), threading.Event()

    def slow() -> int:
        began.set()
        go.wait(30)
        return 1

    thread = threading.Thread(target=lambda: kept.get("ann", "q", slow))
    thread.start()
    began.wait(30)
    kept.forget()
    go.set()
    thread.join()
    assert kept._last(("ann", "q")) is None


def test_what_is_kept_is_bounded(kept, known):
    read = Answers()
    for number in range(20):
        kept.get("ann", f"{number}", read)
    assert len(kept._good) == 3
    for number in range(MOST + 20):
        known.note(("thing", "ann", number), DOWN, read)
    assert len(known._failed) == MOST
    runs = KnownRuns(most=2)
    for reader in ("a", "b", "c"):
        runs.note(reader, [GrowingSource(1).run])
    assert [runs.of(reader) is not None for reader in "abc"] == [False, True, True]


# --- of a whole source -------------------------------------------------------------------------------


class Failing(GrowingSource):
    """A source that can be switched off."""

    error: AppError | None = None

    def _asked(self, method, *rest, **named):
        if self.error is not None:
            raise self.error
        return getattr(super(), method)(*rest, **named)

    def list_runs(self, query):
        return self._asked("list_runs", query)

    def load_runs(self, run_ids):
        return self._asked("load_runs", run_ids)

    def load_curves(self, *rest, **named):
        return self._asked("load_curves", *rest, **named)

    def load_new_curves(self, *rest):
        return self._asked("load_new_curves", *rest)


@pytest.fixture
def source() -> Failing:
    made = Failing(100)
    made.status = RunStatus.COMPLETED
    return made


def read_all(source: Failing) -> tuple:
    """What is listed, which version is loaded, and how many points it has."""
    (run,) = reads.load_runs(source, ("growing",))
    listed = [each.run_id for each in reads.list_runs(source, RunQuery()).runs]
    return listed, run.version, reads.load_data(source, run).curves.points


def test_a_question_that_was_never_asked_is_answered_from_what_is_known(source):
    before = read_all(source)
    source.error = DOWN
    reads.refresh(source, ("growing",), RunQuery())
    assert read_all(source) == before
    found = reads.list_runs(source, RunQuery(search="grow"))
    assert [run.run_id for run in found.runs] == ["growing"]
    assert reads.outdated_list(source, RunQuery(search="grow")).in_part
    assert reads.list_runs(source, RunQuery(search="other")).total == 0
    assert [run.run_id for run in reads.load_runs(source, ("growing", "other"))] == ["growing"]
    with pytest.raises(SourceUnavailable):
        reads.load_runs(source, ("other",))


def test_one_who_refreshes_takes_nothing_from_others(source):
    theirs = Failing(50, "bob")
    theirs.status = RunStatus.COMPLETED
    both = [read_all(source), read_all(theirs)]
    count = len(theirs.reads)
    reads.refresh(source, ("growing",), RunQuery())
    assert [read_all(source), read_all(theirs)] == both
    assert len(theirs.reads) == count
    theirs.error = DOWN
    assert read_all(theirs) == both[1]


def test_curves_that_cannot_be_read_anew_stay_of_one_version_with_their_run(source):
    (run,) = reads.load_runs(source, ("growing",))
    before = reads.load_data(source, run)
    source.revision += 1
    newer = source.run
    source.error = DOWN
    assert reads.load_data(source, newer) is before
    assert reads.outdated_curves(source, "growing").error is DOWN
    source.error = None
    reads.failures().due(lambda _: True)
    turn = reads.failures().turn([source.cache_key])
    reads.failures().retry([source.cache_key], time.monotonic())
    eventually(lambda: reads.failures().turn([source.cache_key]) != turn)
    assert reads.outdated_curves(source, "growing") is None
    assert reads.load_data(source, newer).version == newer.version


def test_rows_that_are_refused_go_and_the_list_stays(source):
    (run,) = reads.load_runs(source, ("growing",))
    reads.load_data(source, run)
    source.error = AccessDenied("Not the rows.")
    reads._CURVES.due([source.cache_key], ["growing"])
    for _ in range(2):
        with pytest.raises(AccessDenied):
            reads.load_data(source, run)
        source.error = DOWN
        with pytest.raises(SourceUnavailable):
            reads.load_data(source, run)
        source.error = AccessDenied("Not the rows.")
        reads.failures().due(lambda _: True)
    assert reads.load_runs(source, ("growing",)) == (run,)


def test_a_run_that_is_no_longer_there_for_a_reader_is_kept_nowhere(source, monkeypatch):
    (run,) = reads.load_runs(source, ("growing",))
    assert read_all(source)[0]
    monkeypatch.setattr(GrowingSource, "load_runs", lambda self, run_ids: ())
    reads.refresh(source, ("growing",), RunQuery())
    assert reads.load_runs(source, ("growing",)) == ()
    source.error = DOWN
    assert reads.list_runs(source, RunQuery()).runs == ()
    with pytest.raises(SourceUnavailable):
        reads.load_data(source, run)


def test_a_run_that_a_search_does_not_find_is_still_known_and_one_that_left_the_list_is_not(source, monkeypatch):
    read_all(source)
    assert reads.list_runs(source, RunQuery(search="other")).total == 0
    source.error = DOWN
    assert reads.list_runs(source, RunQuery(search="grow")).total == 1
    source.error = None
    reads._LISTS.due(lambda *_: True)
    monkeypatch.setattr(GrowingSource, "list_runs", lambda self, query: answer([], query))
    assert reads.list_runs(source, RunQuery()).total == 0
    source.error = DOWN
    reads._RUNS.due(lambda *_: True)
    with pytest.raises(SourceUnavailable):
        reads.load_runs(source, ("growing",))


def test_what_is_older_than_a_working_day_is_shown_to_nobody(source, monkeypatch):
    read_all(source)
    source.error = DOWN
    reads.refresh(source, ("growing",), RunQuery())
    now = wall_clock() + kept_module.KEPT
    monkeypatch.setattr(kept_module, "wall_clock", lambda: now)
    with pytest.raises(SourceUnavailable):
        reads.list_runs(source, RunQuery())
    with pytest.raises(SourceUnavailable):
        reads.load_runs(source, ("growing",))


def test_a_failure_that_no_page_asks_for_any_more_is_left_alone(known, now):
    read = Answers()
    read.error = DOWN
    known.note(("thing", "ann", "q"), DOWN, read)
    now[0] += failures.DRAWING_S + 1
    assert not known.any_of(["ann"], now[0])
    known.retry(["ann"], now[0])
    assert not known._busy
    known.asked(("thing", "ann", "q"), read)
    assert known.any_of(["ann"], now[0])
