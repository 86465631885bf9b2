"""What is done once when the server starts."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from lib.ui.service.starting import MOST_ARENAS

PROJECT_ROOT = Path(__file__).parents[3]
HEAPS = """
import ctypes, threading
from lib.ui.service import starting
if {shared}:
    starting.share_heaps()
ready = threading.Barrier(20)
def work():
    held = [bytearray(5000) for _ in range(100)]
    ready.wait(60)
threads = [threading.Thread(target=work) for _ in range(20)]
for each in threads:
    each.start()
for each in threads:
    each.join()
libc = ctypes.CDLL(None)
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def heaps(*, shared: bool, **environment: str) -> int:
    """How many heaps twenty threads of a process leave."""
    rest = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC", "GLIBC"))}
    command = [sys.executable, "-c", HEAPS.format(shared=shared)]
    told = subprocess.run(command, cwd=PROJECT_ROOT, env=rest | environment, stdout=subprocess.PIPE, check=True)
    return told.stdout.count(b"<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has no such heaps")
def test_threads_share_heaps_unless_the_operator_says_how_many():
    assert heaps(shared=False) > MOST_ARENAS
    assert heaps(shared=True) <= MOST_ARENAS
    assert heaps(shared=True, MALLOC_ARENA_MAX="5") > MOST_ARENAS
