"""How long a folder of many runs takes: first look, first look with what was remembered, the next look, one curve.

``python -m bench.folder --runs 10000 [--mix]``
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import threading
import time
from pathlib import Path

from bench.folder_runs import append_row, write_mix, write_states
from lib.core.facts.query import RunQuery
from lib.data.folder import source as folder
from lib.data.folder.memory.remembered import CACHE_VARIABLE
from lib.data.folder.source import FolderSource

REMEMBERED_S = 10.0


def main() -> None:
    """Write the folder, and print a line for each thing that was timed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--mix", action="store_true", help="logs of several programs")
    parser.add_argument("--in", dest="place", help="a folder to write to, and to use again")
    called = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(called.place or name) / f"{'mix' if called.mix else 'states'}-{called.runs}"
        if not root.exists():
            (write_mix if called.mix else write_states)(root, called.runs)
        os.environ[CACHE_VARIABLE] = str(Path(name) / "cache")
        _cold(root, "first look")
        # The list is remembered after it was shown.
        time.sleep(REMEMBERED_S)
        _cold(root, "first look of another process's memory")
        _next_looks(root, is_growing=not called.mix)
    print(f"memory at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def _cold(root: Path, what: str) -> None:
    """Until the list stands whole; how long each question took meanwhile, and when the first runs were there."""
    source = FolderSource(root)
    began, cpu, before = time.monotonic(), time.process_time(), _of_children()
    done = threading.Event()
    waits: list[float] = []
    first: list[float] = []

    def ask() -> None:
        while not done.is_set():
            asked = time.monotonic()
            page = source.list_runs(RunQuery())
            waits.append(time.monotonic() - asked)
            if page.runs and not first:
                first.append(time.monotonic() - began)
            time.sleep(0.05)

    asking = threading.Thread(target=ask)
    asking.start()
    source.settle()
    took, used, others = time.monotonic() - began, time.process_time() - cpu, _of_children() - before
    done.set()
    asking.join()
    page = source.list_runs(RunQuery())
    print(
        f"{what}: {took:.2f} s ({used:.2f} s of a processor here, {others:.2f} in others), {page.total:,} runs;"
        f" first runs after {min([*first, took]):.2f} s;"
        f" a question waits {statistics.median(waits) * 1000:.0f} ms, at most {max(waits) * 1000:.0f}"
    )


def _of_children() -> float:
    """Seconds of a processor that the processes used that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _next_looks(root: Path, *, is_growing: bool) -> None:
    source = FolderSource(root)
    source.settle()
    folder.SCAN_INTERVAL_S = 0.0
    _timed("next look, nothing new", source.settle)
    if is_growing:
        append_row(root, 0)
        _timed("next look, one run grew", source.settle)
    asked = _timed("list as it stands", lambda: source.list_runs(RunQuery()))
    del asked
    folder.SCAN_INTERVAL_S = 3600.0
    run_id = source.list_runs(RunQuery()).runs[-1].run_id
    _timed("curves of one run", lambda: source.load_curves([run_id]))


def _timed(what: str, do: object) -> None:
    began = time.monotonic()
    do()  # type: ignore[operator]
    print(f"{what}: {(time.monotonic() - began) * 1000:,.0f} ms")


if __name__ == "__main__":
    main()
