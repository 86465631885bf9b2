"""Many people at once, and a database that goes away in the middle: what the app shows, keeps and takes.

    python -m bench.strain [--sessions 50] [--users 10] [--seconds 300] [--processes 0] [--every 8] [--down 25]
        [--seed 1]
    python -m bench.strain --heavy [--in FOLDER]

A real project on this machine (``tests.supabase``) with so many people, each with runs whose texts carry that one's
mark. Sessions are tabs (``bench.crowd``) that act at random: select, search, change the page, zoom, refresh, upload,
sign out and in again, now and then as somebody else. In the middle the database is stopped for ``--down`` seconds;
meanwhile everybody's first run changes. Half-way through that everybody refreshes and then touches nothing, until the
page shows by itself what has changed, in its list and in its charts.

Every message is searched for the marks of others. Times are those of runs of the whole page; an action waits for its
answer before the next one. The driver, the database and whatever else the machine does share the processors with it.
Memory is the resident size of all of the app's processes; idle is after one session each has warmed them up and gone.
Prints what came of it and writes bench/results/strain.json; ends with 1 where something of it may not be.

``--heavy`` is another strain: long logs that are opened beside others (``bench.strain_long``).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.crowd import AFTER, DOWN, LONGEST_RECOVERY_S, LOOK_EVERY_S, OVER, QUIET, Crowd, Outcome
from bench.report import percentile, say_load, write
from bench.session import WatchedServer, machine_s
from bench.strain_long import LongOutcome, strained_by_long, write_long
from bench.strain_project import Person, change, people_of
from tests.own_loop import finished
from tests.supabase.project import Project
from tests.supabase.stack import Stack


def strained(
    sessions: int, users: int, seconds: float, *, processes: int, every_s: float, down_s: float, seed: int
) -> Outcome:
    """Let sessions act for so long; call it in the main thread, which the database belongs to.

    Raises:
        tests.supabase.binaries.Missing: If there is no database to be had.
    """
    outcome = Outcome(sessions, users, processes, load=[os.getloadavg()[0]])
    with Stack() as stack:
        project = stack.project("strain", migrated=True)
        people = people_of(project, users, seed)
        environment = {"RUNOFF_SUPABASE_URL": project.url, "RUNOFF_SUPABASE_KEY": project.anon_key}
        with WatchedServer(environment, processes=processes) as server:
            crowd = Crowd(server, people, outcome, every_s)
            # A test in a browser leaves a loop that runs in the main thread.
            finished(crowd.warm_up())
            time.sleep(1.0)
            start = server.resident_mb()
            outcome.own = 0
            thread = threading.Thread(target=lambda: asyncio.run(crowd.act(sessions, seed)), name="crowd")
            thread.start()
            while not crowd.ready.wait(0.5) and thread.is_alive():
                pass
            busy, began, peak = (
                machine_s() - sum(server.processor_s()[:1]) - time.process_time(),
                time.monotonic(),
                start,
            )
            if thread.is_alive():
                peak = max(peak, _watched(server, seconds / 2))
                _goes_away(crowd, stack, project, people, down_s)
                peak = max(peak, _watched(server, seconds / 2))
            crowd.phase = OVER
            thread.join()
            took = time.monotonic() - began
            outcome.others = (machine_s() - server.processor_s()[0] - time.process_time() - busy) / took
            time.sleep(1.0)
            end = server.resident_mb()
            outcome.memory_mb = [start, max(peak, end), end]
            outcome.tracebacks = tracebacks_in(server.log(10**8))
    outcome.load.append(os.getloadavg()[0])
    return outcome


def _goes_away(crowd: Crowd, stack: Stack, project: Project, people: list[Person], down_s: float) -> None:
    with stack.cluster.down():
        crowd.phase = DOWN
        time.sleep(down_s / 2)
        crowd.phase = QUIET
        time.sleep(down_s / 2)
        # Nobody may read before all has changed.
        os.kill(project.rest_pid, signal.SIGSTOP)
    change(project, people)
    os.kill(project.rest_pid, signal.SIGCONT)
    while not project.request(
        "GET", "/rest/v1/local_training_jobs?select=id&limit=1", key=project.service_key
    ).is_success:
        time.sleep(LOOK_EVERY_S)
    crowd.back_at = time.monotonic()
    while (
        len(crowd.outcome.recovered_s) < crowd.outcome.sessions
        and time.monotonic() < crowd.back_at + LONGEST_RECOVERY_S
    ):
        time.sleep(LOOK_EVERY_S)
    crowd.phase = AFTER


def _watched(server: WatchedServer, seconds: float) -> float:
    """The most memory in so many seconds."""
    peak, until = 0.0, time.monotonic() + seconds
    while time.monotonic() < until:
        peak = max(peak, server.resident_mb())
        time.sleep(0.5)
    return peak


def tracebacks_in(log: str) -> list[str]:
    """The tracebacks in a log that are no warnings: that a source does not answer is told with its place, as one."""
    found, head = [], ""
    for line in log.splitlines():
        if line[:1].strip():
            head = line
        if "Traceback (most recent call last)" in line and " WARNING " not in head:
            found.append("")
        if found and " WARNING " not in head:
            found[-1] += f"{line}\n"
    return found


def say(outcome: Outcome) -> None:
    """Print what came of it."""
    first, last = outcome.load
    print(f"load average {first:.1f} to {last:.1f}; others kept {outcome.others:.2f} processors busy")
    done = ", ".join(f"{count} x {kind}" for kind, count in outcome.actions.items())
    print(f"{sum(outcome.actions.values())} actions: {done}")
    print(f"{outcome.own:,} messages with the reader's own mark, {len(outcome.foreign)} with another's")
    print(f"{len(outcome.tracebacks)} tracebacks, {len(outcome.broken)} broken")
    times = outcome.recovered_s
    said = f": p50 {percentile(times, 50):.1f} s, at most {max(times):.1f} s" if times else ""
    print(f"{len(times)} of {outcome.sessions} sessions recovered by themselves{said}")
    for phase, each in outcome.rerun_s.items():
        print(f"reruns {phase}: p50 {1000 * percentile(each, 50):.0f} ms, p95 {1000 * percentile(each, 95):.0f} ms")
    start, peak, end = outcome.memory_mb
    print(f"memory: {start:.0f} MB idle, at most {peak:.0f} MB, {end:.0f} MB at the end ({end / start:.2f} x)")
    for fault in outcome.faults():
        print(f"NOT WELL: {fault}")


def say_long(outcome: LongOutcome) -> None:
    """Print what came of long logs."""
    for name, times in (("before", outcome.alone_s), ("while long logs are read", outcome.beside_s)):
        median, most = 1000 * percentile(times, 50), 1000 * max(times, default=0.0)
        print(f"reruns {name}: p50 {median:.0f} ms, p95 {1000 * percentile(times, 95):.0f} ms, at most {most:.0f} ms")
    print(f"opened after {', '.join(f'{each:.1f} s' for each in outcome.opened_s)}")
    print("memory:", ", ".join(f"{each:.0f} MB" for each in outcome.memory_mb), "before, at most, at the end")
    for fault in outcome.faults():
        print(f"NOT WELL: {fault}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Strain the app, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--users", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--processes", type=int, default=0)
    parser.add_argument("--every", type=float, default=8.0)
    parser.add_argument("--down", type=float, default=25.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--heavy", action="store_true", help="long logs opened beside others")
    parser.add_argument("--in", dest="place", help="a folder to write the long logs to, and to use again")
    options = parser.parse_args(arguments)
    say_load()
    if options.heavy:
        with tempfile.TemporaryDirectory() as own:
            root = Path(options.place or own) / "long"
            write_long(root)
            found = strained_by_long(root)
        say_load()
        say_long(found)
        write("strain_long", asdict(found))
        sys.exit(bool(found.faults()))
    outcome = strained(
        options.sessions,
        options.users,
        options.seconds,
        processes=options.processes,
        every_s=options.every,
        down_s=options.down,
        seed=options.seed,
    )
    say(outcome)
    write("strain", asdict(outcome))
    sys.exit(bool(outcome.faults()))


if __name__ == "__main__":
    main()
