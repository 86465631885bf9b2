"""The rows of demo runs, and which runs have any."""

from __future__ import annotations

import pandas as pd

from lib.core.facts.runs import RunStatus, RunSummary


def curve(frame: pd.DataFrame, run: RunSummary, metric: str) -> pd.Series:
    rows = frame[(frame["run_id"] == run.run_id) & (frame["metric"] == metric)]
    return rows.set_index("step")["value"]


def with_metrics(frame: pd.DataFrame, runs: tuple[RunSummary, ...], *statuses: RunStatus) -> list[RunSummary]:
    logged = set(frame["run_id"])
    return [run for run in runs if run.run_id in logged and run.status in (statuses or tuple(RunStatus))]
