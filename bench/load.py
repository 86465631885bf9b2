"""Many at once: sessions that look at five runs and each toggle one of them once a second.

    python -m bench.load [--sessions 1 10 20] [--processes 0 2] [--rounds 1] [--seconds 20] [--every 1] [--varied]

Processes are those that `make serve` starts, 0 is the one of `make run`; the numbers of processes take turns. Each
number of sessions gets a server of its own, whose processes one session each has warmed up. Sessions are websocket
clients in one process that unpack messages and draw nothing; they share the processors with the server, and their
processor time is in the table, as is how many processors others kept busy meanwhile. A session clicks at random
moments, on average once a second (less often with --every, on a machine that others slow down), and waits for its
answer before it clicks again. A click changes the link, which is what every way to choose a run comes to. An answer
takes from sending the click to the message that the script has finished, which is before the table comes; "whole"
until that is there. Without --varied every session toggles the same run, and what is computed once for a selection is
there; with it, each toggle is of a run picked at random, which also changes the order of the runs, so that much is
computed anew. Prints a table and writes bench/results/load.json.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from itertools import product

from bench.page import five_runs
from bench.report import percentile, say_load, write
from bench.session import Session, WatchedServer, machine_s

OPENED_EVERY_S = 0.2
WARM_UP_TOGGLES = 6
CROWD, MOST_TIMES_SINGLE = 20, 5.0
"""With so many sessions the 95th percentile is to stay below so many times the median of a single one, where there are
as many processes as cores."""


@dataclass(frozen=True, slots=True)
class Level:
    """What a number of sessions at once got; milliseconds and megabytes."""

    processes: int
    sessions: int
    toggles: int
    toggles_per_s: float
    open_p50_ms: float
    p50_ms: float
    p95_ms: float
    max_ms: float
    whole_p95_ms: float
    answer_mb: float
    processor_ms_per_toggle: float
    sending_ms_per_toggle: float
    client_ms_per_toggle: float
    others: float
    before_mb: float
    per_session_mb: float
    after_mb: float


async def _clicks(
    session: Session, runs: Sequence[str], until: float, every_s: float, chance: random.Random, varied: bool
) -> list:
    """Toggle a run off and on again, about every ``every_s``."""
    answers = []
    due = time.monotonic() + chance.uniform(0.0, every_s)
    on_again = ""
    while due < until:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        run = on_again or (chance.choice(runs) if varied else runs[len(runs) // 2])
        on_again = "" if on_again else run
        answers.append(await session.toggle(run))
        due = max(due + chance.uniform(0.5, 1.5) * every_s, time.monotonic())
    return answers


async def _level(server: WatchedServer, count: int, seconds: float, every_s: float, varied: bool) -> Level:
    runs = five_runs()
    query = "&".join(f"run={run}" for run in runs)
    async with AsyncExitStack() as stack:
        # Open at the same time, so that each is given a process of its own.
        for _ in range(max(1, server.processes)):
            first = await stack.enter_async_context(Session(server.url, query))
            await first.run()
            for _ in range(WARM_UP_TOGGLES):
                await first.toggle(runs[len(runs) // 2])
    await asyncio.sleep(1.0)
    before_mb = server.resident_mb()
    sessions = [Session(server.url, query) for _ in range(count)]
    opened = []
    for session in sessions:
        await session.__aenter__()
        opened.append((await session.run()).seconds)
        await asyncio.sleep(OPENED_EVERY_S)
    processor, sending, client, machine = *server.processor_s(), time.process_time(), machine_s()
    start = time.monotonic()
    clicks = (
        _clicks(session, runs, start + seconds, every_s, random.Random(number), varied)
        for number, session in enumerate(sessions)
    )
    answers = [answer for each in await asyncio.gather(*clicks) for answer in each]
    took = time.monotonic() - start
    used, sent = (now - then for now, then in zip(server.processor_s(), (processor, sending), strict=True))
    read_s = time.process_time() - client
    times = [1000 * answer.seconds for answer in answers]
    after_mb = server.resident_mb()
    level = Level(
        processes=server.processes,
        sessions=count,
        toggles=len(answers),
        toggles_per_s=len(answers) / took,
        open_p50_ms=1000 * percentile(opened, 50),
        p50_ms=percentile(times, 50),
        p95_ms=percentile(times, 95),
        max_ms=max(times),
        whole_p95_ms=1000 * percentile([answer.whole_s for answer in answers], 95),
        answer_mb=percentile([answer.megabytes for answer in answers], 50),
        processor_ms_per_toggle=1000 * used / len(answers),
        sending_ms_per_toggle=1000 * sent / len(answers),
        client_ms_per_toggle=1000 * read_s / len(answers),
        others=(machine_s() - machine - used - read_s) / took,
        before_mb=before_mb,
        per_session_mb=(after_mb - before_mb) / count,
        after_mb=after_mb,
    )
    for session in sessions:
        await session.__aexit__(None, None, None)
    return level


COLUMNS = {
    "processes": ("processes", "d"),
    "sessions": ("sessions", "d"),
    "toggles": ("toggles", "d"),
    "toggles_per_s": ("per s", ".1f"),
    "p50_ms": ("p50", ".0f"),
    "p95_ms": ("p95", ".0f"),
    "max_ms": ("max", ".0f"),
    "whole_p95_ms": ("whole p95", ".0f"),
    "open_p50_ms": ("open", ".0f"),
    "processor_ms_per_toggle": ("server CPU", ".0f"),
    "sending_ms_per_toggle": ("of it sending", ".0f"),
    "client_ms_per_toggle": ("client CPU", ".1f"),
    "others": ("others", ".2f"),
    "before_mb": ("MB before", ".0f"),
    "per_session_mb": ("MB/session", ".2f"),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 10, 20])
    parser.add_argument("--processes", type=int, nargs="+", default=[0, os.cpu_count() or 1])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--every", type=float, default=1.0)
    parser.add_argument("--varied", action="store_true")
    options = parser.parse_args(arguments)
    say_load()
    print("milliseconds".ljust(14) + "".join(f"{head:>13}" for head, _ in COLUMNS.values()))
    levels: list[Level] = []
    for _, count, processes in product(range(options.rounds), options.sessions, options.processes):
        with WatchedServer(processes=processes) as server:
            level = asyncio.run(_level(server, count, options.seconds, options.every, options.varied))
        levels.append(level)
        print(" " * 14 + "".join(f"{getattr(level, name):13{how}}" for name, (_, how) in COLUMNS.items()), flush=True)
    for processes in options.processes:
        single, crowd = (
            [level for level in levels if (level.processes, level.sessions) == (processes, count)]
            for count in (1, CROWD)
        )
        if single and crowd:
            ratio = statistics.median(each.p95_ms for each in crowd) / statistics.median(each.p50_ms for each in single)
            print(f"processes {processes}: p95 of {CROWD} sessions is {ratio:.1f} x the median of one")
    print(f"to stay below {MOST_TIMES_SINGLE:g} with as many processes as cores")
    write("load-varied" if options.varied else "load", [asdict(level) for level in levels])


if __name__ == "__main__":
    main()
