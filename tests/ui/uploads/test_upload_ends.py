"""Uploads go when their browser is gone for good."""

from __future__ import annotations

import io

import pytest

from lib.data.upload.upload import Dropped, Upload
from lib.ui.uploads import upload_ends
from lib.ui.uploads.upload_ends import GONE_S, Ends


@pytest.fixture
def upload(tmp_path, monkeypatch) -> Upload:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(upload_ends, "LOOK_S", 3600.0)
    made = Upload()
    made.take([Dropped("a.csv", io.BytesIO(b"x"), 1)])
    return made


def test_an_upload_is_closed_some_time_after_its_browser_is_gone(upload):
    active, now = {"one"}, [0.0]
    ends = Ends(active.__contains__, lambda: now[0])
    ends.watch("one", upload)
    for moment in (0.0, 10 * GONE_S):
        now[0] = moment
        assert ends.look()
    active.clear()
    now[0] += GONE_S - 1
    assert ends.look(), "it may come back"
    active.add("one")
    assert ends.look()
    active.clear()
    now[0] += GONE_S - 1
    assert ends.look()
    assert not upload.is_closed
    now[0] += 2
    assert not ends.look()
    assert upload.is_closed
    assert upload.items == ()


def test_what_nobody_holds_is_not_looked_at(upload):
    ends = Ends(lambda _: True)
    ends.watch("one", upload)
    assert ends.look()
    upload.remove(upload.items[0].number)
    assert not ends.look()


def test_a_session_that_begins_anew_keeps_what_is_new(upload):
    now = [0.0]
    ends = Ends(lambda _: False, lambda: now[0])
    ends.watch("one", upload)
    other = Upload()
    other.take([Dropped("a.csv", io.BytesIO(b"x"), 1)])
    now[0] = GONE_S
    ends.watch("one", other)
    now[0] = GONE_S + 1
    assert ends.look()
    assert not other.is_closed
