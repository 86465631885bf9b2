"""A project that goes down, or says something else, at any moment of a page: it is said, and all comes back with it."""

from __future__ import annotations

import pytest

from lib.data.supabase.settings import PREFIX
from lib.ui.frame import refreshing
from tests.app.answering import PUBLISHABLE, Answers, answering, row, run_id
from tests.app.harness import MAIN, PAGES, App
from tests.forgetting import forget_reads

FAULTS = {
    "down": (503, b"<html>Service Unavailable</html>"),
    "no answer": (0, b""),
    "another program": (200, b"<html>Welcome</html>"),
    "cut off": (200, b'[{"id": "00000000-'),
    "other rows": (200, b'[{"what": 1}, [2], null]'),
    "an object": (200, b'{"rows": []}'),
    "an unknown refusal": (418, b'{"code": "X", "message": null}'),
}


@pytest.mark.parametrize(
    ("page", "kind"), [*((MAIN, kind) for kind in FAULTS), *((page, "down") for page in PAGES if page != MAIN)]
)
def test_whatever_is_asked_when_it_goes(monkeypatch, page, kind):
    runs = [run_id(1), run_id(2)]
    with answering(Answers({run: row(number) for number, run in enumerate(runs, 1)})) as project:
        for name, value in {"URL": project.url, "KEY": PUBLISHABLE, "SIGN_IN": "off", "TIMEOUT_S": "1"}.items():
            monkeypatch.setenv(PREFIX + name, value)
        forget_reads()
        App.open(page, run=runs).assert_sound()
        whole = len(project.asked)
        assert whole >= 3
        for moment in range(whole):
            forget_reads()
            project.asked.clear()
            project.fault = lambda count, moment=moment: FAULTS[kind] if count >= moment else None
            app = App.open(page, run=runs)
            assert not app.at.exception, [each.stack_trace for each in app.at.exception]
            told = " ".join((*app.said, *app.html_bodies, *(each.value for each in (*app.at.error, *app.at.warning))))
            assert "Traceback" not in told
            assert app.link == {"run": runs}, "nobody loses what they compare"
            project.fault = lambda _: None
            refreshing.refresh()
            app.rerun()
            app.assert_sound()
            assert app.compared == tuple(runs)
            assert not app.at.error
