"""The selected runs with all that a page needs of them: curves, label, colour, score."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

from lib.charts.palette import RUN_COLORS
from lib.core.baseline.against import Baseline
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import AppError, SignInExpired
from lib.core.facts.metrics import Better
from lib.core.facts.runs import RunSummary, count_epochs, told_completed
from lib.core.facts.selection import assign_slots
from lib.core.ranking.comparability import Pairs
from lib.core.ranking.decision import Decision, decide
from lib.core.ranking.policy import ScoringPolicy
from lib.core.ranking.scoring import Recommendation
from lib.core.verdict.grounds import Grounds, grounds_of
from lib.data.joined import part_of
from lib.data.source import IncompleteRead, LiveSource, Progress, RunSource, wall_clock
from lib.ui.session import first_look, left_out, link, reads, url
from lib.ui.session.memory import ComputedValues
from lib.ui.session.read_as import Names, read_completed, read_under
from lib.ui.session.run_data import RunData, data_of

T = TypeVar("T")

_SLOTS = "colour slots"

PATIENCE_S = 0.3
"""Nobody needs to be told of a read that takes no longer."""
PROGRESS_EVERY_S = 0.25
"""How often the page says how far the reads are, in seconds."""


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One selected run.

    Attributes:
        run: With what its metric rows show put in (``RunData.shown``).
        stored: As the source has it.
        label: What it is called here; no other selected run has the same label.
        data: Its curves and what follows from them; ``None`` where they could not be read.
        key: Names reader, run, version and what was read of it: another one wherever anything that follows from
            the run alone may be another.
        error: Why they could not be read, or not all of them.
        clock: Of the source (``RunSource.now``).
    """

    run: RunSummary
    stored: RunSummary
    label: str
    color: str
    slot: int
    data: RunData | None
    key: str
    error: AppError | None = None
    clock: Callable[[], datetime] = field(default=wall_clock, repr=False, compare=False)

    def computed(self, subject: str, key: Hashable, make: Callable[[], T]) -> T:
        """What follows from this version of the run alone, remembered as long as its curves (``ComputedValues``)."""
        return make() if self.data is None else self.data.computed_values.computed(subject, key, make)

    def has_computed(self, subject: str, key: Hashable) -> bool:
        """Whether that is remembered, or there is nothing that it could follow from."""
        return self.data is None or self.data.computed_values.holds(subject, key)


@dataclass(frozen=True)
class Comparison:
    """What is compared.

    Attributes:
        policy: Weights and bands of the score.
        by: The metric that was chosen to rank by, and its direction; "" where none was.
        base: The id of the run that the others are compared with; "" for none.
        left_out: Which parts of the link were not taken, in sentences.
        key: Names reader, runs, versions, labels and colours.
        computed_values: What was worked out of the comparison.
    """

    runs: tuple[ComparedRun, ...]
    policy: ScoringPolicy
    left_out: tuple[str, ...]
    key: str
    by: tuple[str, str] = ("", "")
    base: str = ""
    computed_values: ComputedValues = field(default_factory=ComputedValues, repr=False, compare=False)

    def computed(self, subject: str, key: Hashable, make: Callable[[], T]) -> T:
        """What follows from the comparison, remembered as long as these versions of its runs (``ComputedValues``)."""
        return self.computed_values.computed(subject, key, make)

    @cached_property
    def decision(self) -> Decision:
        """Who is recommended, and how far that holds. Worked out when it is first asked for."""
        curves = {each.run.run_id: each.data.curves for each in self.runs if each.data is not None}
        runs = [each.run for each in self.runs]
        by, direction = self.by
        better: Better | None = "lower" if direction == "lower" else "higher" if direction == "higher" else None
        return self.computed(
            "decision", self.how, lambda: decide(runs, curves, self.policy, by or None, better, self.remember)
        )

    @property
    def in_epochs(self) -> bool:
        """Whether the logs of all runs count epochs, so that a step is one."""
        return count_epochs(each.run for each in self.runs)

    @cached_property
    def pairs(self) -> Pairs:
        """What is found out about every two of the runs."""
        curves = {each.run.run_id: each.data.curves for each in self.runs if each.data is not None}
        return Pairs((each.run for each in self.runs), curves, self.remember)

    def remember(self, run_ids: tuple[str, ...], subject: str, key: Hashable, make: Callable[[], T]) -> T:
        """A ``Remember``: what follows from some of the runs hangs on the first of them, under what the others are."""
        first, *others = (next(each for each in self.runs if each.run.run_id == run_id) for run_id in run_ids)
        return first.computed(subject, (key, *(each.key for each in others)), make)

    @cached_property
    def baseline(self) -> Baseline | None:
        """The run that the others are compared with; ``None`` where none is pinned, or it could not be read yet."""
        if self.base not in self.labels:
            return None
        curves = {each.run.run_id: each.data.curves for each in self.runs if each.data is not None}
        runs, label = [each.run for each in self.runs], self.labels[self.base]
        key = self.how, self.base
        return self.computed(
            "baseline", key, lambda: Baseline(self.base, label, runs, curves, self.decision, self.pairs)
        )

    @cached_property
    def grounds(self) -> Grounds:
        """Why a run is first, and why another is not."""
        runs = [each.run for each in self.runs]
        return self.computed("grounds", self.how, lambda: grounds_of(self.decision, runs, self.labels))

    @cached_property
    def in_order(self) -> tuple[ComparedRun, ...]:
        """The runs as they are ranked, the recommended one first; then those of other classes, then those left out."""
        decision = self.decision
        ranked = [decision.recommendation.run_id, *decision.ranked]
        ranked += [run_id for other in decision.other_classes for run_id in other.run_ids]
        places = {run_id: place for place, run_id in reversed([*enumerate(ranked)])}
        return tuple(sorted(self.runs, key=lambda each: places.get(each.run.run_id, len(ranked))))

    @property
    def how(self) -> Hashable:
        """What the decision depends on besides the runs."""
        return self.policy.eval_weight, self.by

    @property
    def recommendation(self) -> Recommendation:
        """The recommendation of ``decision``."""
        return self.decision.recommendation

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """Run id to label."""
        return {each.run.run_id: each.label for each in self.runs}

    @property
    def colors(self) -> Mapping[str, str]:
        """Run id to colour."""
        return {each.run.run_id: each.color for each in self.runs}


def load(source: RunSource) -> Comparison:
    """Load the runs that the session has selected, and score them.

    A run whose rows cannot be read stays in the comparison with what its summary says.

    Raises:
        RunSourceError: If the selected runs themselves cannot be read.
    """
    wanted = url.value(link.RUNS)
    with first_look.reading():
        found = {run.run_id: run for run in reads.load_runs(source, wanted)}
        selected, sentences = left_out.reconciled(source, wanted, found)
    url.put(link.RUNS, selected)
    sentences = (*sentences, *left_out.without_baseline(source, selected))
    stored = [found[run_id] for run_id in selected if run_id in found]
    slots = assign_slots(st.session_state.get(_SLOTS, {}), selected)
    st.session_state[_SLOTS] = slots
    labels = reads.run_labels(source, wanted)
    make = partial(
        _compared,
        source,
        every_row=url.value(link.EVERY_ROW),
        names=url.value(link.READ_AS),
        ended=url.value(link.ENDED),
    )
    if isinstance(source, LiveSource):
        runs = _side_by_side(make, stored, labels, slots)
    else:
        with first_look.reading():
            runs = tuple(make(run, labels[run.run_id], slots[run.run_id]) for run in stored)
    unknown = left_out.unknown([each.data if each.error is None else None for each in runs])
    policy = ScoringPolicy(eval_weight=url.value(link.EVAL_WEIGHT))
    key = _digest([(one.key, one.label, one.slot) for one in runs])
    computed_values = reads.computed_values(key, [one.data for one in runs if one.data is not None])
    by = url.value(link.BY), url.value(link.DIRECTION)
    return Comparison(runs, policy, (*sentences, *unknown), key, by, url.value(link.BASE), computed_values)


def _side_by_side(
    make: Callable[..., ComparedRun],
    runs: Sequence[RunSummary],
    labels: Mapping[str, str],
    slots: Mapping[str, int],
) -> tuple[ComparedRun, ...]:
    """Read runs that are far away, each in a thread of its own, and show how far they are."""
    if not runs:
        return ()
    context = get_script_run_ctx()
    so_far: dict[str, tuple[int, int | None]] = {}

    def read(run: RunSummary) -> ComparedRun:
        def progress(rows: int, expected: int | None) -> None:
            so_far[run.run_id] = rows, expected

        return make(run, labels[run.run_id], slots[run.run_id], progress=progress)

    with ThreadPoolExecutor(
        len(runs), initializer=lambda: add_script_run_ctx(threading.current_thread(), context)
    ) as threads:
        reads = [threads.submit(read, run) for run in runs]
        left = wait(reads, timeout=PATIENCE_S).not_done
        if left:
            place = first_look.progress()
            while left:
                place.progress(*_progress(len(runs) - len(left), len(runs), so_far.values()))
                left = wait(left, timeout=PROGRESS_EVERY_S).not_done
            place.empty()
    return tuple(each.result() for each in reads)


def _progress(done: int, runs: int, so_far: Collection[tuple[int, int | None]]) -> tuple[float, str]:
    """How much of the metrics is read, as a share and in words."""
    rows = sum(read for read, _ in so_far)
    if not rows or any(expected is None for _, expected in so_far):
        return done / runs, f"Reading metrics: {done} of {runs} runs"
    expected = max(sum(expected or 0 for _, expected in so_far), 1)
    return min(rows / expected, 1.0), f"Reading metrics: {rows:,} of {expected:,} rows, {done} of {runs} runs done"


def _digest(parts: object) -> str:
    # Short, since it is part of other keys, which are hashed at every look-up.
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def _compared(
    source: RunSource,
    run: RunSummary,
    label: str,
    slot: int,
    *,
    every_row: bool,
    names: Names = (),
    ended: bool = False,
    progress: Progress | None = None,
) -> ComparedRun:
    color = RUN_COLORS[slot]
    part = part_of(source, run.run_id)
    data: RunData | None = None
    error: AppError | None = None
    try:
        data = reads.load_data(source, run, every_row=every_row, progress=progress)
    except IncompleteRead as incomplete:
        error = incomplete
        data = data_of(incomplete.curves.get(run.run_id, RunCurves(run.run_id)), run)
    except SignInExpired:
        raise
    except AppError as failed:
        error = failed
    if data is not None and names:
        data = read_under(data, names)
    if ended:
        run, data = told_completed(run), data and read_completed(data)
    # The run and its curves are of one version, though the run may have been listed before it changed.
    run = run if data is None else data.run
    # What was read is part of it: a running run grows, and rows may come without another version of the run.
    key = _digest((part.cache_key, run.run_id, run.version, data and data.number))
    return ComparedRun(run if data is None else data.shown, run, label, color, slot, data, key, error, part.now)
