"""An entry of the log has one form, can be read back, cannot be forged, and holds no secret."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.facts.errors import SettingsError, SourceUnavailable
from lib.log import start as starting
from lib.log.errors import reported
from lib.log.lines import Form, line

TEXT = st.text(max_size=40)
FIELDS = {"time": "2026-01-01T00:00:00.000+00:00", "level": "warning", "logger": "runoff"}
LOGFMT = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^\s"=\\]+)')


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """Gives what was written to standard error since it was last asked; the loggers are as before afterwards."""
    monkeypatch.setattr(starting, "_state", None)
    held = logging.root.handlers[:]
    yield lambda: capsys.readouterr().err
    logging.root.handlers[:] = held


@contextlib.contextmanager
def with_own_handler(name: str):
    """A logger that writes by itself, as Streamlit's do."""
    logger, handler = logging.getLogger(name), logging.StreamHandler(io.StringIO())
    logger.addHandler(handler)
    # A server that ran in this process may have set them otherwise.
    before = logger.level, logger.disabled
    logger.setLevel(logging.INFO)
    logger.disabled = False
    try:
        yield logger, handler.stream
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.disabled = before[1]


def read_back(form: Form, entry: str) -> dict[str, str]:
    if form is Form.JSON:
        return json.loads(entry)
    return {name: json.loads(text) if text.startswith('"') else text for name, text in LOGFMT.findall(entry)}


@given(message=TEXT, traceback=TEXT)
@pytest.mark.parametrize("form", [Form.JSON, Form.LOGFMT])
def test_an_entry_is_one_line_and_reads_back(form, message, traceback):
    fields = FIELDS | {"message": message, "traceback": traceback}
    entry = line(form, fields)
    assert "\n" not in entry
    assert read_back(form, entry) == fields


@given(message=TEXT, traceback=st.lists(TEXT).map("\n".join))
def test_for_people_no_text_begins_a_line_but_the_entry(message, traceback):
    first, *rest = line(Form.PLAIN, FIELDS | {"message": message, "traceback": traceback}).split("\n")
    assert first.startswith(FIELDS["time"])
    assert all(each.startswith("    ") for each in rest)


@pytest.mark.parametrize("form", list(Form))
def test_a_terminal_obeys_nothing_of_an_entry(form):
    odd = "run\u202e-1\x1b[31m \x9b31m\u2028 \U000e0041\ufeff\nx \u5ba2\u670d"
    entry = line(form, FIELDS | {"message": odd, "traceback": f"ValueError: {odd}"})
    assert all(character.isprintable() for character in entry.replace("\n", "" if form is Form.PLAIN else "\n"))
    assert "\u5ba2\u670d" in entry
    if form is not Form.PLAIN:
        assert read_back(form, entry)["message"] == odd


@pytest.mark.parametrize("form", list(Form))
def test_an_error_is_found_by_the_id_that_the_page_shows(log, form):
    starting.start(form)
    error = SourceUnavailable("db.example could not be reached.")
    error.__cause__ = OSError("name or service not known")
    shown = reported(error)
    assert reported(error) == shown
    assert reported(SourceUnavailable("another")) != shown
    said = log()
    entry, *_ = [each for each in said.split("\n") if shown in each]
    assert "db.example could not be reached." in entry
    assert "name or service not known" in said
    if form is not Form.PLAIN:
        fields = read_back(form, entry)
        assert (fields["error_id"], fields["level"], fields["exception"]) == (shown, "warning", "SourceUnavailable")


def test_settings_that_are_wrong_are_errors_and_a_silent_source_is_a_warning(caplog):
    reported(SettingsError("wrong"))
    reported(SourceUnavailable("silent"))
    reported(ValueError())
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", "wrong"),
        ("WARNING", "silent"),
        ("ERROR", "ValueError"),
    ]


SECRETS = {
    "the key of the settings, whatever it looks like": ("an odd pass phrase", "refused: an odd pass phrase!"),
    "a token in a header": ("abcdef0123456789", "Authorization: Bearer abcdef0123456789"),
    "a JSON web token": (
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln",
    ),
    "a password in an address": ("hunter22", "GET https://ann:hunter22@example.org/x failed"),
    "a token in an address": ("s3cr3tvalue", "GET https://example.org/x?token=s3cr3tvalue&y=1 failed"),
    "a sign-in's cookie": ("Zm9vYmFyYmF6", "cookies: runoff_session=Zm9vYmFyYmF6; a=b"),
}


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("what", SECRETS)
def test_no_secret_is_logged_from_a_message_nor_from_what_caused_it(log, form, what):
    secret, text = SECRETS[what]
    starting.start(form, ["an odd pass phrase"])
    error = SourceUnavailable(text)
    error.__cause__ = OSError(text)
    reported(error)
    logging.getLogger("some.library").warning("said %s", text)
    said = log()
    assert "some.library" in said
    assert secret not in said
    assert secret not in said.replace("\\", "")


@pytest.mark.parametrize("name", ["streamlit.runtime", "uvicorn.error", "websockets.server"])
def test_the_name_of_a_session_is_not_logged(monkeypatch, name):
    monkeypatch.setattr(starting, "_state", None)
    session = "0b7ccda4-5a2f-4a0e-9f0b-0d6a6f0c2f11"
    with with_own_handler(name) as (logger, written):
        starting.start(Form.JSON)
        logger.warning("Session %s is gone.", session)
    assert json.loads(written.getvalue())["message"] == "Session •••• is gone."


def test_loggers_that_come_later_have_the_form_too(monkeypatch):
    monkeypatch.setattr(starting, "_state", None)
    starting.start(Form.JSON)
    with with_own_handler("streamlit.made_later") as (logger, written):
        starting.start(Form.JSON)
        logger.warning("late")
    assert json.loads(written.getvalue())["message"] == "late"


def test_a_logger_that_was_left_without_a_handler_has_the_form_too(log, monkeypatch):
    logger = logging.getLogger("uvicorn.left_alone")
    monkeypatch.setattr(logger, "propagate", False)
    logger.setLevel(logging.INFO)
    starting.start(Form.JSON, ["an odd pass phrase"])
    with with_own_handler("uvicorn") as (above, written):
        monkeypatch.setattr(above, "propagate", False)
        monkeypatch.setattr(starting, "_state", None)
        starting.start(Form.JSON, ["an odd pass phrase"])
        logger.info("connection open")
        logger.warning("Invalid: an odd pass phrase")
    assert json.loads(written.getvalue())["message"] == "Invalid: ••••"
    assert log() == ""


def test_a_run_id_stays_in_our_own_entries():
    run = "00000000-0000-0000-0000-00003b9aca00"
    assert starting.shown(f"run {run}", "runoff") == f"run {run}"
