"""Many at once: sessions that look at five runs and each toggle one of them once a second.

    python -m bench.load [--sessions 1 10 20 50] [--seconds 20] [--varied]

Each number of sessions gets a server process of its own, which one session has warmed up. Sessions are websocket
clients in one process that unpack messages and draw nothing; they share the processors with the server, and their
processor time is in the table. A session clicks at random moments, on average once a second, and waits for its
answer before it clicks again. An answer takes from sending the click to the message that the script has finished,
which is before the table comes; "whole" until that is there. Without --varied every session toggles the same run,
and what is computed once for a selection is there; with it, each toggle is of a run picked at random, which also
changes the order of the runs, so that much is computed anew. Prints a table and writes bench/results/load.json.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bench.page import five_runs
from bench.report import percentile, say_load, write
from bench.session import Session, WatchedServer

EVERY_S = 1.0
OPENED_EVERY_S = 0.2
WARM_UP_TOGGLES = 6
CROWD, MOST_TIMES_SINGLE = 20, 3.0
"""With so many sessions the 95th percentile is to stay below so many times the median of a single one."""


@dataclass(frozen=True, slots=True)
class Level:
    """What a number of sessions at once got; milliseconds and megabytes."""

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
    before_mb: float
    per_session_mb: float
    after_mb: float


async def _clicks(session: Session, runs: Sequence[str], until: float, chance: random.Random, varied: bool) -> list:
    """Toggle a run off and on again, about once a second."""
    answers = []
    due = time.monotonic() + chance.uniform(0.0, EVERY_S)
    on_again = ""
    while due < until:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        run = on_again or (chance.choice(runs) if varied else runs[len(runs) // 2])
        on_again = "" if on_again else run
        answers.append(await session.toggle(f"pick:{run}"))
        due = max(due + chance.uniform(0.5, 1.5) * EVERY_S, time.monotonic())
    return answers


async def _level(server: WatchedServer, count: int, seconds: float, varied: bool) -> Level:
    runs = five_runs()
    query = "&".join(f"run={run}" for run in runs)
    async with Session(server.url, query) as first:
        await first.run()
        for _ in range(WARM_UP_TOGGLES):
            await first.toggle(f"pick:{runs[len(runs) // 2]}")
    await asyncio.sleep(1.0)
    before_mb = server.resident_mb()
    sessions = [Session(server.url, query) for _ in range(count)]
    opened = []
    for session in sessions:
        await session.__aenter__()
        opened.append((await session.run()).seconds)
        await asyncio.sleep(OPENED_EVERY_S)
    processor, sending, client = *server.processor_s(), time.process_time()
    start = time.monotonic()
    clicks = (
        _clicks(session, runs, start + seconds, random.Random(number), varied)
        for number, session in enumerate(sessions)
    )
    answers = [answer for each in await asyncio.gather(*clicks) for answer in each]
    took = time.monotonic() - start
    used, sent = (now - then for now, then in zip(server.processor_s(), (processor, sending), strict=True))
    times = [1000 * answer.seconds for answer in answers]
    after_mb = server.resident_mb()
    level = Level(
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
        client_ms_per_toggle=1000 * (time.process_time() - client) / len(answers),
        before_mb=before_mb,
        per_session_mb=(after_mb - before_mb) / count,
        after_mb=after_mb,
    )
    for session in sessions:
        await session.__aexit__(None, None, None)
    return level


COLUMNS = {
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
    "before_mb": ("MB before", ".0f"),
    "per_session_mb": ("MB/session", ".2f"),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 10, 20, 50])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--varied", action="store_true")
    options = parser.parse_args(arguments)
    say_load()
    print("milliseconds".ljust(14) + "".join(f"{head:>13}" for head, _ in COLUMNS.values()))
    levels: dict[int, Level] = {}
    for count in options.sessions:
        with WatchedServer() as server:
            level = levels[count] = asyncio.run(_level(server, count, options.seconds, options.varied))
        print(" " * 14 + "".join(f"{getattr(level, name):13{how}}" for name, (_, how) in COLUMNS.items()), flush=True)
    if 1 in levels and CROWD in levels:
        ratio = levels[CROWD].p95_ms / levels[1].p50_ms
        print(f"p95 of {CROWD} sessions: {ratio:.1f} x the median of one; to stay below {MOST_TIMES_SINGLE:g}")
    write("load-varied" if options.varied else "load", [asdict(level) for level in levels.values()])


if __name__ == "__main__":
    main()
