"""The health address says how the source is, asks it seldom, and waits for nobody for ever."""

from __future__ import annotations

import asyncio
import threading

import pytest

from lib.core.facts.errors import AccessDenied, SettingsError, SourceUnavailable
from lib.data.probe import probe
from lib.data.settings import Settings
from lib.ui.service.health import Health, Told
from tests.own_loop import finished


class Source:
    """Answers when it is let to, and counts how often it was asked."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.asked, self.free = error, 0, threading.Event()
        self.free.set()

    def __call__(self) -> None:
        self.asked += 1
        self.free.wait()
        if self.error is not None:
            raise self.error


async def many(health: Health, count: int) -> list[Told]:
    return await asyncio.gather(*(health.told() for _ in range(count)))


def test_however_many_ask_the_source_is_asked_once():
    source = Source()
    health = Health(source, kept_s=3600.0)
    assert finished(many(health, 100)) == [Told()] * 100
    assert finished(many(health, 100)) == [Told()] * 100
    assert source.asked == 1


def test_after_a_time_it_is_asked_again_and_what_it_says_then_holds():
    source = Source()
    health = Health(source, kept_s=0.0)
    assert finished(health.told()).source == "ok"
    source.error = SourceUnavailable("gone")
    assert finished(health.told()).source == "unavailable"
    source.error = None
    assert finished(health.told()) == Told()
    assert source.asked == 3


def test_a_source_that_hangs_is_unavailable_and_holds_one_thread():
    source = Source()
    source.free.clear()
    health = Health(source, kept_s=0.0, wait_s=0.05)
    before = threading.active_count()
    assert [told.source for told in finished(many(health, 50))] == ["unavailable"] * 50
    assert finished(health.told()).source == "unavailable"
    assert source.asked == 1
    assert threading.active_count() == before + 1
    source.free.set()


def test_a_source_that_hangs_is_in_the_log_once(caplog):
    source = Source()
    source.free.clear()
    health = Health(source, kept_s=0.0, wait_s=0.05)
    (told,) = set(finished(many(health, 5)))
    (entry,) = [record for record in caplog.records if record.name == "runoff"]
    assert (entry.error_id, entry.getMessage()) == (
        told.error_id,
        "Expected an answer of the source within 0.05 s, none came.",
    )
    source.free.set()


def test_another_reason_has_an_id_of_its_own_and_one_that_comes_back_its_old_one(caplog):
    source = Source()
    health = Health(source, kept_s=0.0)
    ids = []
    for said in ("no answer", "it is paused", "no answer"):
        source.error = SourceUnavailable(said)
        ids.append(finished(health.told()).error_id)
    assert [record.getMessage() for record in caplog.records] == ["no answer", "it is paused"]
    assert [record.error_id for record in caplog.records] == ids[:2]
    assert ids[2] == ids[0]
    source.error = None
    assert finished(health.told()) == Told()
    source.error = SourceUnavailable("no answer")
    assert finished(health.told()).error_id not in ids, "it is down anew"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SourceUnavailable("down"), "unavailable"),
        (AccessDenied("not for you"), "refused"),
        (SettingsError("wrong key"), "misconfigured"),
        (ValueError("a bug"), "unavailable"),
    ],
)
def test_why_it_does_not_answer_is_said_in_a_word_and_logged_once(caplog, error, said):
    source = Source(error)
    health = Health(source, kept_s=0.0)
    first, second = (finished(health.told()) for _ in range(2))
    assert first == second == Told(said, first.error_id)
    (entry,) = [record for record in caplog.records if getattr(record, "error_id", "") == first.error_id]
    assert entry.getMessage() == str(error)


def test_a_folder_answers_while_it_is_there(tmp_path):
    probe(Settings())
    probe(Settings(runs=str(tmp_path)))
    with pytest.raises(SourceUnavailable):
        probe(Settings(runs=str(tmp_path / "gone")))
    (tmp_path / "file").touch()
    with pytest.raises(SourceUnavailable):
        probe(Settings(runs=str(tmp_path / "file")))
