"""While a source is down: what was loaded stays on every page, with its age and the reason, and it comes by itself."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace

import pytest

from lib.core.facts.errors import AccessDenied, SourceUnavailable
from lib.data.demo.source import EmbeddedSource
from lib.data.settings import Settings
from lib.ui.frame import refreshing
from lib.ui.session import reads
from tests.app.harness import MAIN, PAGES, App
from tests.app.shown import assert_shows, errors_of

AGE = re.compile(r"As of \d\d:\d\d UTC, could not be refreshed: ")
SAID = "No answer <b>now</b>. Wait. This page tries again by itself."


@pytest.fixture
def down(monkeypatch) -> SimpleNamespace:
    """What every read raises, as long as there is an error."""
    state = SimpleNamespace(error=None)

    def made(name: str):
        read = getattr(EmbeddedSource, name)

        def failing(self, *rest, **named):
            if state.error is not None:
                raise state.error
            return read(self, *rest, **named)

        return failing

    for name in ("list_runs", "load_runs", "load_curves"):
        monkeypatch.setattr(EmbeddedSource, name, made(name))
    return state


def breaks(down: SimpleNamespace) -> None:
    """From now on nothing can be read, and all is due."""
    down.error = SourceUnavailable("No answer <b>now</b>.", hint="Wait.")
    reads._LISTS.due(lambda *_: True)
    reads._RUNS.due(lambda *_: True)


def comes(down: SimpleNamespace) -> None:
    """All is well again, and was read by somebody."""
    down.error = None
    readers, known = [reads.source(Settings()).cache_key], reads.failures()
    turn, deadline = known.turn(readers), time.monotonic() + 60
    known.due(lambda _: True)
    known.retry(readers, time.monotonic())
    while known.any_of(readers, time.monotonic()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert known.turn(readers) != turn


def mends(down: SimpleNamespace, app: App) -> App:
    """All is well again; what a page's timer then does."""
    comes(down)
    return app.rerun()


def said(app: App) -> str:
    return app.text.replace("\\", "")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_keeps_what_it_shows(opened, demo, down, page):
    app = opened(page, run=demo.alike[:3])
    breaks(down)
    assert_shows(app.rerun(), 3)
    assert app.compared == tuple(demo.alike[:3])
    assert len(app.listed) == len(demo.runs)
    assert AGE.search(said(app))
    assert "the list of runs and the selected runs. " + SAID in said(app)
    assert not app.at.error
    assert_shows(mends(down, app), 3)
    assert "could not be refreshed" not in said(app)


def test_the_reason_has_an_id_that_the_log_has_once_however_often_it_is_tried(opened, demo, down, caplog):
    app = opened(run=demo.alike[:2])
    for _ in range(3):
        breaks(down)
        app.rerun()
    (error_id,) = set(re.findall(r"Error id ([0-9a-f]{8})", app.text))
    (entry,) = [each for each in caplog.records if each.name == "runoff"]
    assert (entry.error_id, entry.getMessage()) == (error_id, "No answer <b>now</b>.")
    mends(down, app)
    breaks(down)
    assert error_id not in app.rerun().text, "it has failed anew"


def test_when_a_page_tries_again_is_said_where_that_is_not_soon(opened, demo, down):
    app = opened(run=demo.alike[:2])
    for wait_s, when in ((20.0, ""), (3600.0, r" at (\d{4}-\d\d-\d\d )?\d\d:\d\d UTC")):
        down.error = SourceUnavailable("No.", hint=f"Try again in {wait_s} s.", besides="", wait_s=wait_s)
        reads._LISTS.due(lambda *_: True)
        reads._RUNS.due(lambda *_: True)
        app.rerun()
        assert re.search(rf"selected runs\. No\. This page tries again by itself{when}\.", app.text.replace("\n", " "))
        assert "Try again in" not in app.text


def test_what_is_done_meanwhile_works_on_what_is_there(opened, demo, down):
    app = opened(run=demo.alike[:2])
    breaks(down)
    assert len(app.put(smooth="0.5", zoom="100~300").charts) == 5
    assert len(app.colors) == 2
    # A run that was listed and never read is compared by what the list says.
    app.check(demo.diverged)
    assert not app.at.error, "the line above says why"
    assert len(app.checked) == 3
    assert app.compared == (*demo.alike[:2], demo.diverged)
    assert "could not be read, for the reason above; it is compared by its summary" in said(app)
    assert said(app).count("No answer <b>now</b>.") == 1
    assert len(set(re.findall(r"Error id ([0-9a-f]{8})", app.text))) == 1
    assert len(app.colors) == 2
    # A search looks at what is known.
    app.ask(search="legal")
    others = [line["name"] for line in app.runs["others"]]
    assert others
    assert all("legal" in name for name in others)
    assert "the list of runs, which has only runs that were read before" in said(app)
    # What nobody has seen yet is not taken for deleted.
    app.address(run=[*demo.alike[:2], "never seen"])
    assert_shows(app, 2)
    assert app.compared == (*demo.alike[:2], "never seen")
    assert "1 run of the link could not be read yet: never seen." in said(app)
    assert "left out: deleted" not in said(app)
    mends(down, app)
    assert app.compared == tuple(demo.alike[:2])
    assert "left out: deleted" in said(app)


def test_a_page_that_had_nothing_yet_comes_by_itself(opened, demo, down):
    breaks(down)
    app = opened(MAIN, run=demo.alike[:2])
    assert [said.replace("\\", "") for said in errors_of(app)] == [
        "No answer <b>now</b>.\n\nWait. This page tries again by itself."
    ]
    assert app.compared == tuple(demo.alike[:2])
    assert_shows(mends(down, app), 2)


def test_a_page_that_is_drawn_while_it_comes_looks_once_more(opened, demo, down, monkeypatch):
    """What it shows is from before, and nothing is waited for any more."""
    app = opened(run=demo.alike[:2])
    breaks(down)
    app.rerun()
    say, looks = refreshing.said, []

    def late(*page) -> None:
        comes(down)
        say(*page)

    with monkeypatch.context() as patch:
        patch.setattr(refreshing, "said", late)
        patch.setattr(refreshing, "_look", lambda *known: looks.append(known))
        app.rerun()
    assert "could not be refreshed" not in said(app)
    ((readers, turn, _),) = looks
    assert reads.failures().turn(readers[-1:]) != turn
    # Once it was drawn anew there is nothing to look for.
    monkeypatch.setattr(refreshing, "_look", lambda *known: looks.append(known))
    app.rerun()
    assert len(looks) == 1


def test_what_is_refused_goes_at_once(opened, demo, down):
    app = opened(run=demo.alike[:2])
    breaks(down)
    down.error = AccessDenied("Not for you.")
    app.rerun()
    assert errors_of(app) == ["Not for you."]
    assert app.listed == []
    assert not app.charts
    breaks(down)
    app.rerun()
    assert app.listed == []
    assert not app.charts
