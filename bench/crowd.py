"""Sessions that act at random, each watched for what is not its own."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from urllib.parse import urlencode

from streamlit.proto.WidgetStates_pb2 import WidgetState

from bench.session import WatchedServer
from bench.strain_project import CHANGED, MARK, Person
from bench.tab import Tab

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
                    self.outcome.broken.append(f"session {guest.number}, {guest.phase}: {result!r}")

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
        phase: What it did last, and when, in words.
    """

    tab: Tab

    def __init__(self, crowd: Crowd, number: int, chance: random.Random) -> None:
        self.crowd, self.number, self.chance = crowd, number, chance
        self.person = crowd.people[number % len(crowd.people)]
        self.who: Person | None = None
        self.phase = ""

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
            phase, self.phase = self.crowd.phase, f"{kind.__name__} {self.crowd.phase}"
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
        self.phase = "recovering"
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
