"""The selected runs with all that a page needs of them: rows, label, colour, score."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

from lib.charts.palette import RUN_COLORS
from lib.core.errors import AppError, IncompleteRead, SignInExpired
from lib.core.evidence import with_evidence
from lib.core.runs import RunSummary
from lib.core.scoring import Recommendation, ScoringPolicy, recommend
from lib.core.selection import assign_slots, reconcile
from lib.data.source import LiveSource, RunSource
from lib.ui import cached, url

_SLOTS = "colour slots"


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One selected run.

    Attributes:
        run: With what its metric rows show put in (``lib.core.evidence.with_evidence``).
        stored: As the source has it.
        label: What it is called here; no other selected run has the same label.
        curves: Its metric rows and what follows from them; ``None`` where they could not be read.
        error: Why they could not be read, or not all of them.
    """

    run: RunSummary
    stored: RunSummary
    label: str
    color: str
    slot: int
    curves: cached.Curves | None
    error: AppError | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared, and the verdict.

    Attributes:
        left_out: Which parts of the link were not taken, in sentences.
        key: Names reader, runs, versions, labels and colours: what follows from the comparison alone
            may be cached under it.
    """

    runs: tuple[ComparedRun, ...]
    recommendation: Recommendation
    left_out: tuple[str, ...]
    key: str

    @property
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
    wanted = url.RUNS.value
    found = cached.load_runs(source, wanted)
    reconciled = reconcile(wanted, [run.run_id for run in found])
    url.RUNS.set(reconciled.ids)
    stored = [run for run in found if run.run_id in reconciled.ids]
    slots = assign_slots(st.session_state.get(_SLOTS, {}), reconciled.ids)
    st.session_state[_SLOTS] = slots
    labels = cached.run_labels(source, wanted)
    stored.sort(key=lambda run: reconciled.ids.index(run.run_id))
    # Over a network the runs are read side by side; from memory or disk that would only cost.
    each = _side_by_side if isinstance(source, LiveSource) else map
    runs = tuple(each(lambda run: _compared(source, run, labels[run.run_id], slots[run.run_id]), stored))
    policy = ScoringPolicy(eval_weight=url.EVAL_WEIGHT.value)
    return Comparison(runs, recommend([each.run for each in runs], policy), reconciled.sentences, _key(source, runs))


def _side_by_side(step: Callable[[RunSummary], ComparedRun], runs: Sequence[RunSummary]) -> list[ComparedRun]:
    """Take a step for each run in a thread of its own, as part of this run of the page."""
    context = get_script_run_ctx()
    with ThreadPoolExecutor(
        max(1, len(runs)), initializer=lambda: add_script_run_ctx(threading.current_thread(), context)
    ) as threads:
        return list(threads.map(step, runs))


def _key(source: RunSource, runs: Sequence[ComparedRun]) -> str:
    # How many rows were read is part of it: a running run grows, and what lacked some must not stay cached.
    each = tuple(
        (one.run.run_id, one.stored.updated_at, one.label, one.slot, one.curves and len(one.curves.frame))
        for one in runs
    )
    # A digest, since the key itself is hashed at every look-up.
    return hashlib.blake2b(repr((source.cache_key, each)).encode(), digest_size=16).hexdigest()


def _compared(source: RunSource, run: RunSummary, label: str, slot: int) -> ComparedRun:
    color = RUN_COLORS[slot]
    try:
        curves = cached.load_curves(source, run)
    except IncompleteRead as error:
        curves = cached.curves_of(error.frame, run)
        return ComparedRun(with_evidence(run, curves.evidence), run, label, color, slot, curves, error)
    except SignInExpired:
        raise
    except AppError as error:
        return ComparedRun(run, run, label, color, slot, None, error)
    return ComparedRun(with_evidence(run, curves.evidence), run, label, color, slot, curves)
