"""Many people at once, and a database that goes away in the middle: what the app shows, keeps and takes.

    python -m bench.strain [--sessions 50] [--users 10] [--seconds 300] [--processes 0] [--every 8] [--down 25]
        [--seed 1]

A real project on this machine (``tests.supabase``) with so many people, each with runs whose texts carry that one's
mark. Sessions are tabs (``bench.tab``) that act at random: select, search, change the page, zoom, refresh, upload,
sign out and in again, now and then as somebody else. In the middle the database is stopped for ``--down`` seconds;
meanwhile everybody's first run changes. Half-way through that everybody refreshes and then touches nothing, until the
page shows by itself what has changed, in its list and in its charts.

Every message is searched for the marks of others. Times are those of runs of the whole page; an action waits for its
answer before the next one. The driver, the database and whatever else the machine does share the processors with it.
Memory is the resident size of all of the app's processes; idle is after one session each has warmed them up and gone.
Prints what came of it and writes bench/results/strain.json; ends with 1 where something of it may not be.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from urllib.parse import urlencode

from streamlit.proto.WidgetStates_pb2 import WidgetState

from bench.report import percentile, say_load, write
from bench.session import WatchedServer, machine_s
from bench.strain_project import CHANGED, MARK, Person, change, people_of
from bench.tab import Tab
from tests.supabase.project import Project
from tests.supabase.stack import Stack

BEFORE, DOWN, QUIET, AFTER, OVER = "before", "while it is down", "quiet", "after", "over"
LONGEST_RECOVERY_S = 120.0
MOST_TIMES_IDLE = 2.0
COMPARED = 3
WARM_UP_RUNS = 6
LOOK_EVERY_S = 0.25
SMALL_LOG = b"step,train_loss,eval_loss\n" + b"".join(b"%d,%.3f,%.3f\n" % (at, 2 / at, 2.1 / at) for at in range(1, 40))


@dataclass(slots=True)
class Outcome:
    """What came of it.

    Attributes:
        actions: How many of each kind.
        own: Messages with the mark of their session's own person: none would mean that nothing was looked at.
        foreign: Messages with somebody else's.
        broken: What no page may show, and what no driver expected.
        tracebacks: In the server's log.
        recovered_s: By session, seconds from the database's first answer until its page showed all that had changed.
        rerun_s: By phase.
        memory_mb: At start (idle, warmed up), at most, and at the end.
    """

    sessions: int
    users: int
    processes: int
    load: list[float] = field(default_factory=list)
    others: float = 0.0
    actions: dict[str, int] = field(default_factory=dict)
    own: int = 0
    foreign: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)
    recovered_s: list[float] = field(default_factory=list)
    rerun_s: dict[str, list[float]] = field(default_factory=dict)
    memory_mb: list[float] = field(default_factory=list)

    def faults(self) -> list[str]:
        """What may not be, in sentences."""
        start, _, end = self.memory_mb
        said = [f"{len(self.foreign)} foreign: {self.foreign[0]}"] if self.foreign else []
        said += [f"{len(self.broken)} broken: {self.broken[0]}"] if self.broken else []
        said += [f"{len(self.tracebacks)} tracebacks: {self.tracebacks[0]}"] if self.tracebacks else []
        if len(self.recovered_s) < self.sessions:
            said.append(f"only {len(self.recovered_s)} of {self.sessions} sessions recovered")
        if end > MOST_TIMES_IDLE * start:
            said.append(f"memory grew from {start:.0f} MB to {end:.0f} MB")
        if self.own < self.sessions:
            said.append("hardly anything was shown")
        return said


class Crowd:
    """All sessions, and which phase it is."""

    def __init__(self, server: WatchedServer, people: Sequence[Person], outcome: Outcome, every_s: float) -> None:
        self.server, self.people, self.outcome, self.every_s = server, people, outcome, every_s
        self.phase, self.back_at = BEFORE, 0.0
        self.ready, self.waiting = threading.Event(), threading.Event()

    async def act(self, count: int, seed: int) -> None:
        """Let everybody act until it is over."""
        async with AsyncExitStack() as stack:
            guests = [Guest(self, number, random.Random(f"{seed} {number}")) for number in range(count)]
            for guest in guests:
                guest.tab = await stack.enter_async_context(Tab(self.server.url, guest.link(), guest.heard))
            await asyncio.gather(*(guest.arrive() for guest in guests))
            self.ready.set()
            results = await asyncio.gather(*(guest.act() for guest in guests), return_exceptions=True)
            for guest, result in zip(guests, results, strict=True):
                self.outcome.broken += [f"session {guest.number}: {said}" for said in guest.tab.broken]
                if isinstance(result, BaseException):
                    self.outcome.broken.append(f"session {guest.number}: {result!r}")

    async def warm_up(self) -> None:
        """One session for each process, opened together so that each is given one of its own."""
        async with AsyncExitStack() as stack:
            for number in range(max(1, self.server.processes)):
                guest = Guest(self, number, random.Random(number))
                guest.tab = await stack.enter_async_context(Tab(self.server.url, guest.link(), guest.heard))
                await guest.arrive()
                for _ in range(WARM_UP_RUNS):
                    await guest.select()


class Guest:
    """One session and whoever sits there.

    Attributes:
        who: Whose marks may come; nobody's while nobody is signed in.
    """

    tab: Tab

    def __init__(self, crowd: Crowd, number: int, chance: random.Random) -> None:
        self.crowd, self.number, self.chance = crowd, number, chance
        self.person = crowd.people[number % len(crowd.people)]
        self.who: Person | None = None

    def link(self) -> str:
        """Opens the comparison that the session begins with."""
        return urlencode([("run", each) for each in self.person.runs[:COMPARED]])

    def heard(self, raw: bytes) -> None:
        """Look for marks in a message."""
        marks = {found.decode() for found in MARK.findall(raw)}
        own = {self.who.mark} if self.who is not None else set[str]()
        self.crowd.outcome.own += bool(marks & own)
        if others := marks - own:
            self.crowd.outcome.foreign.append(f"session {self.number} of {own or 'nobody'} got {sorted(others)}")

    async def arrive(self) -> None:
        """Open the page and sign in."""
        await self.tab.run()
        await self._sign_in()

    async def act(self) -> None:
        """Do something now and then; be quiet when it is asked for, and see whether the page recovers."""
        await asyncio.sleep(self.chance.uniform(0, self.crowd.every_s))
        while self.crowd.phase != OVER:
            if self.crowd.phase == QUIET:
                await self._recover()
            kinds = (
                [self.select] * 5 + [self.page] * 2 + [self.search, self.zoom, self.refresh, self.upload, self.leave]
            )
            kind = self.chance.choice(kinds)
            phase = self.crowd.phase
            # Where a page was opened in vain there is nothing to act on.
            took = await (kind() if self.tab.widget("runs") is not None else self.tab.run())
            done = self.crowd.outcome.actions
            done[kind.__name__] = done.get(kind.__name__, 0) + 1
            self.crowd.outcome.rerun_s.setdefault(phase, []).append(took)
            await asyncio.sleep(self.chance.uniform(0.5, 1.5) * self.crowd.every_s)

    async def select(self) -> float:
        """Tick a run, or take one away; the one that changes stays."""
        run = self.chance.choice(self.person.runs[1:])
        on = run not in self.tab.query
        return await self.tab.ask_list(picks=[[run, on]])

    async def search(self) -> float:
        """Search, and clear the search."""
        took = await self.tab.ask_list(search=self.chance.choice(("run-1", "run", "no such run")))
        if self.tab.widget("runs") is not None:
            await self.tab.ask_list(search="")
        return took

    async def page(self) -> float:
        """Go to another page, and back to the first."""
        took = await self.tab.run(page=self.chance.choice(("hyperparameters", "run_health", "ranking")))
        await self.tab.run(page="")
        return took

    async def zoom(self) -> float:
        """Look at some steps, as a link does, and then at all."""
        before = self.tab.query
        self.tab.query = f"{before}&zoom=100~{self.chance.randint(200, 900)}"
        took = await self.tab.run()
        self.tab.query = before
        await self.tab.run()
        return took

    async def refresh(self) -> float:
        """Ask for everything anew."""
        return await self.tab.ask_list(refresh=True)

    async def upload(self) -> float:
        """Upload a small file, and remove it."""
        took = await self.tab.upload(f"{self.person.mark}.csv", SMALL_LOG)
        for key in [key for at in range(100) if self.tab.widget(key := f"upload_remove_{at}") is not None]:
            await self.tab.click(key)
        return took

    async def leave(self) -> float:
        """Sign out, and in again; now and then as somebody else."""
        took = await self.tab.click("sign_out")
        self.who = None
        if self.crowd.phase == BEFORE and self.chance.random() < 0.5:
            self.person = self.chance.choice(self.crowd.people)
            self.tab.query = self.link()
        await self._sign_in()
        return took

    async def _sign_in(self) -> None:
        fields, button = self.tab.submit("sign_in_password")
        self.who = self.person
        user = self.person.user
        await self.tab.run(
            WidgetState(id=fields["E-mail"], string_value=user.email),
            WidgetState(id=fields["Password"], string_value=user.password),
            WidgetState(id=button, trigger_value=True),
        )
        if self.tab.submit("sign_in_password")[1]:
            raise RuntimeError(f"session {self.number} could not sign in")

    async def _recover(self) -> None:
        # The page of the comparison, as it is while the database is away.
        self.tab.query = self.link()
        await self.tab.run(page="")
        if self.tab.widget("runs") is not None:
            await self.refresh()
        while self.crowd.phase == QUIET or not self._is_current():
            await asyncio.sleep(LOOK_EVERY_S)
            if self.crowd.back_at and time.monotonic() - self.crowd.back_at > LONGEST_RECOVERY_S:
                self.crowd.outcome.broken.append(f"session {self.number} did not recover: {self._shows()}")
                return
            if self._is_current() and self.crowd.back_at:
                break
        self.crowd.outcome.recovered_s.append(time.monotonic() - self.crowd.back_at)
        while self.crowd.phase == QUIET:
            await asyncio.sleep(LOOK_EVERY_S)

    def _is_current(self) -> bool:
        changed = f"{self.person.mark}{CHANGED}".encode()
        is_waiting = self.tab.widget("refresh_now") is not None
        return not is_waiting and all(changed in self.tab.component(name) for name in ("runoff_runs", "runoff_charts"))

    def _shows(self) -> str:
        sizes = {name: len(self.tab.component(name)) for name in ("runoff_runs", "runoff_charts")}
        said = [each.markdown.body for each in self.tab.shown if each.WhichOneof("type") == "markdown"]
        waits = [text for text in said if "could not be refreshed" in text]
        return f"{sizes}, {self.tab.timers} timers, {waits or 'waits for nothing'}, {self.tab.query}"


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
            asyncio.run(crowd.warm_up())
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
    options = parser.parse_args(arguments)
    say_load()
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
