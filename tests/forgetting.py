"""Forgetting all that the app has read, as if its process had just started."""

from __future__ import annotations

from lib.ui.session import reads


def forget_reads() -> None:
    """What was read of all readers; who is signed in stays so, and sources stay open."""
    for each in (reads._LISTS, reads._RUNS, reads._CURVES, reads._KNOWN, reads._FAILURES):
        each.forget()
