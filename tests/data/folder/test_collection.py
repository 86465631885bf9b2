"""Garbage is looked for again afterwards, whatever happens meanwhile."""

from __future__ import annotations

import gc

import pytest

from lib.data.folder.collection import paused


@pytest.fixture(autouse=True)
def on():
    gc.enable()
    yield
    gc.enable()


def test_it_pauses_and_goes_on():
    with paused():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_after_a_mistake():
    with pytest.raises(KeyError), paused():
        raise KeyError
    assert gc.isenabled()


def test_two_at_once_end_with_it_on():
    first, second = paused(), paused()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_what_was_off_stays_off():
    gc.disable()
    with paused():
        pass
    assert not gc.isenabled()
