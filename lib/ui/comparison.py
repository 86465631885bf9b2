"""The selected runs with all that a page needs of them: rows, label, colour, score."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from lib.charts.palette import RUN_COLORS
from lib.core.errors import AppError
from lib.core.evidence import with_evidence
from lib.core.runs import RunSummary
from lib.core.scoring import Recommendation, ScoringPolicy, recommend
from lib.core.selection import assign_slots, reconcile
from lib.data.source import RunSource
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
        error: Why they could not be read.
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
    runs = tuple(
        _compared(source, run, labels[run.run_id], slots[run.run_id])
        for run in sorted(stored, key=lambda run: reconciled.ids.index(run.run_id))
    )
    policy = ScoringPolicy(eval_weight=url.EVAL_WEIGHT.value)
    return Comparison(runs, recommend([each.run for each in runs], policy), reconciled.sentences, _key(source, runs))


def _key(source: RunSource, runs: Sequence[ComparedRun]) -> str:
    # Whether the metrics were read is part of it: what lacked them must not stay cached.
    each = tuple((one.run.run_id, one.stored.updated_at, one.label, one.slot, one.curves is None) for one in runs)
    # A digest, since the key itself is hashed at every look-up.
    return hashlib.blake2b(repr((source.cache_key, each)).encode(), digest_size=16).hexdigest()


def _compared(source: RunSource, run: RunSummary, label: str, slot: int) -> ComparedRun:
    color = RUN_COLORS[slot]
    try:
        curves = cached.load_curves(source, run)
    except AppError as error:
        return ComparedRun(run, run, label, color, slot, None, error)
    return ComparedRun(with_evidence(run, curves.evidence), run, label, color, slot, curves)
