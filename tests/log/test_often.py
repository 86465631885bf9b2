"""What is said over and over does not fill the log, and hides nothing else."""

from __future__ import annotations

import logging

import pytest

from lib.log.lines import LEFT_OUT, Form, Lines
from lib.log.often import MOST, WINDOW_S, Often


class Log:
    """A logger that is filtered; what came through stands in ``lines``."""

    def __init__(self) -> None:
        self.now = 0.0
        self.lines: list[str] = []
        self._logger = logging.Logger("streamlit.x")
        self._logger.addFilter(Often(clock=lambda: self.now))
        form = Lines(Form.PLAIN, lambda text, _: text)
        handler = logging.Handler()
        handler.emit = lambda record: self.lines.append(form.format(record))  # type: ignore[method-assign]
        self._logger.addHandler(handler)

    def warn(self, said: str = "odd", error: Exception | None = None) -> None:
        self._logger.warning("Something %s", said, exc_info=error)

    def other(self) -> None:
        self._logger.warning("Another thing")

    def told(self) -> None:
        self._logger.info("A request")


@pytest.fixture
def log() -> Log:
    return Log()


def test_the_first_of_a_minute_stand_there_and_then_how_many_came(log):
    for number in range(MOST + 7):
        log.warn(str(number))
    assert len(log.lines) == MOST
    assert "further ones of this kind are left out" in log.lines[-1]
    log.now += WINDOW_S
    log.warn("again")
    log.warn("again")
    assert "again (7 more of this kind were left out before)" in log.lines[-2]
    assert "left out" not in log.lines[-1]


def test_what_is_said_elsewhere_or_of_another_error_or_asked_for_stands_there(log):
    def failed(kind: type[Exception], deeper: bool = False) -> Exception:
        try:
            if deeper:
                raise kind("x")
            raise kind("x")
        except Exception as error:
            return error

    for _ in range(MOST + 1):
        log.warn()
    log.other()
    log.warn(error=failed(ValueError))
    log.warn(error=failed(OSError))
    log.warn(error=failed(OSError, deeper=True))
    assert len(log.lines) == MOST + 4
    for _ in range(50):
        log.told()
    assert len(log.lines) == MOST + 54
    assert LEFT_OUT not in log.lines[-1]
