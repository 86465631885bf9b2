"""Long logs asked for while others look at short ones: how long their reruns take.

The folder has so many short runs of a ``Trainer`` (``bench.folder_runs``), one run with a log of 200 MB, and five of a
million rows each, in the lines that LLaMA-Factory writes. Light sessions tick runs among the short ones, again and
again; then one session opens the long log while another one opens the five. A rerun is timed from the click to the end
of the page's script.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from bench.folder_runs import write_states
from bench.session import WatchedServer
from bench.tab import Tab
from lib.data.folder.names import run_id_of

SHORT_RUNS, LONG_MB, ROWS = 10_000, 200, 1_000_000
LONG, MANY_ROWS = "long", tuple(f"rows-{number}" for number in range(5))
LIGHT, EVERY_S, ALONE_S = 4, 0.5, 20.0
LONGEST_RERUN_S, LONGEST_OPENING_S = 1.0, 600.0


@dataclass(slots=True)
class LongOutcome:
    """What came of it.

    Attributes:
        alone_s, beside_s: Reruns of the light sessions, before and while the long logs are read.
        opened_s: How long the sessions waited that opened the long log, and the five.
        memory_mb: Before, at most, and at the end: of all processes of the app, those that read for it among them.
        broken: What no page may show.
    """

    alone_s: list[float] = field(default_factory=list)
    beside_s: list[float] = field(default_factory=list)
    opened_s: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def faults(self) -> list[str]:
        """What may not be, in sentences."""
        said = [f"{len(self.broken)} broken: {self.broken[0]}"] if self.broken else []
        if len(self.opened_s) < 2 or not self.beside_s:
            said.append("the long logs were not opened")
        if self.beside_s and max(self.beside_s) >= LONGEST_RERUN_S:
            said.append(f"a rerun took {max(self.beside_s):.2f} s")
        return said


def write_long(root: Path, runs: int = SHORT_RUNS, megabytes: float = LONG_MB, rows: int = ROWS) -> None:
    """Write the folder, unless it is there."""
    if root.exists():
        return
    write_states(root / "short", runs)
    _write_lines(root / LONG, rows=None, size=int(megabytes * 1e6))
    for name in MANY_ROWS:
        _write_lines(root / name, rows=rows, size=None)


def _write_lines(folder: Path, *, rows: int | None, size: int | None) -> None:
    folder.mkdir(parents=True)
    luck, written, number = random.Random(folder.name), 0, 0
    with open(folder / "trainer_log.jsonl", "w") as file:
        while (rows is not None and number < rows) or (size is not None and written < size):
            lines = []
            for _ in range(10_000 if rows is None else min(10_000, rows - number)):
                number += 1
                loss = 2 / (1 + number / 1e5) + luck.gauss(0, 0.05)
                lines.append(
                    f'{{"current_steps": {number}, "total_steps": 10000000, "loss": {loss:.4f}, "lr": {1e-4:.3e},'
                    f' "epoch": {number / 1e5:.5f}, "percentage": {number / 1e5:.2f}}}\n'
                )
                if number % 1000 == 0:
                    lines.append(f'{{"current_steps": {number}, "eval_loss": {loss + 0.1:.4f}}}\n')
            written += file.write("".join(lines))


def short_folder(number: int) -> tuple[str, ...]:
    """Where ``write_states`` puts a run, below the folder."""
    return "short", f"group-{number // 100:03}", f"run-{number:05}"


def strained_by_long(root: Path, light: int = LIGHT) -> LongOutcome:
    """Let light sessions act while long logs are opened; ``root`` is a folder of ``write_long``."""
    outcome = LongOutcome()
    runs = len(list((root / "short").glob("*/*")))
    short = [run_id_of(short_folder(number)) for number in range(0, runs, max(1, runs // 20))]
    long = [[run_id_of((LONG,))], [run_id_of((name,)) for name in MANY_ROWS]]
    with WatchedServer({"RUNOFF_RUNS": str(root)}) as server:
        asyncio.run(_act(server, outcome, short, long, light))
    return outcome


async def _act(
    server: WatchedServer, outcome: LongOutcome, short: list[str], long: list[list[str]], light: int
) -> None:
    over = asyncio.Event()
    times = outcome.alone_s
    memory: list[float] = []

    async def act(tab: Tab, chance: random.Random) -> None:
        while not over.is_set():
            if tab.widget("runs") is None:
                outcome.broken.append(f"a page without its list: {_said(tab)}")
                await tab.run()
                continue
            run = chance.choice(short[1:])
            on = run not in tab.query
            took = await tab.ask_list(picks=[[run, on]])
            times.append(took)
            memory.append(server.resident_mb())
            await asyncio.sleep(chance.uniform(0.5, 1.5) * EVERY_S)

    async with AsyncExitStack() as stack:
        tabs = []
        for _ in range(light):
            tab = await stack.enter_async_context(Tab(server.url, urlencode([("run", short[0])])))
            await tab.run()
            tabs.append(tab)
        # The list of so many runs is whole by then.
        await asyncio.sleep(ALONE_S)
        acting = [asyncio.create_task(act(tab, random.Random(number))) for number, tab in enumerate(tabs)]
        await asyncio.sleep(ALONE_S)
        outcome.memory_mb.append(server.resident_mb())
        times = outcome.beside_s

        async def opened(runs: list[str]) -> float:
            tab = await stack.enter_async_context(Tab(server.url, urlencode([("run", run) for run in runs])))
            began = time.monotonic()
            await tab.run()
            # What took too long for one page comes by itself.
            while not _is_read(tab):
                await asyncio.sleep(0.25)
                if time.monotonic() - began > LONGEST_OPENING_S:
                    outcome.broken.append("a long log did not come")
                    break
            outcome.broken += tab.broken
            return time.monotonic() - began

        outcome.opened_s += await asyncio.gather(*(opened(runs) for runs in long))
        over.set()
        for done in await asyncio.gather(*acting, return_exceptions=True):
            if isinstance(done, BaseException):
                outcome.broken.append(repr(done))
        outcome.broken += [said for tab in tabs for said in tab.broken]
        outcome.memory_mb += [max(memory), server.resident_mb()]


def _is_read(tab: Tab) -> bool:
    return bool(tab.component("runoff_charts")) and "still being read" not in _said(tab)


def _said(tab: Tab) -> str:
    kinds = ("alert", "markdown")
    return " / ".join(getattr(each, kind).body for each in tab.shown if (kind := each.WhichOneof("type")) in kinds)
