"""The pinned step: what every run has there, from all rows, as the panel beside the charts shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lib.core.facts.errors import SourceUnavailable
from lib.core.facts.metrics import METRICS, metric_of
from lib.core.facts.runs import count_epochs
from lib.core.text import formatting
from lib.core.text.formatting import NOT_RECORDED
from lib.core.text.precision import decimals_for, to_decimals, together
from lib.core.verdict.metric_titles import axis_title, metric_title
from lib.ui.charts.described import MOST_DECIMALS
from lib.ui.charts.on_axis import RunOnAxis, untold, values_at
from lib.ui.frame import messages
from lib.ui.session import link, url

SHORT = {"eval_loss": "Eval", "train_loss": "Train"}
"""What the panel calls the losses."""

Values = Mapping[str, tuple[float, float]]


def pinned(runs: Sequence[RunOnAxis], leading: Sequence[str], *, higher: bool) -> dict[str, Any] | None:
    """What the panel says; ``None`` where nothing is pinned.

    Args:
        runs: The runs.
        leading: The metrics that have a column, the one that runs are sorted by first.
        higher: Whether of that one the highest value is best.
    """
    pin = url.value(link.PIN)
    if pin is None:
        return None
    in_epochs = count_epochs(each.compared.run for each in runs)
    counted = "epoch" if in_epochs else "step"
    said: dict[str, Any] = {"title": f"{url.value(link.AXIS).title_of(in_epochs=in_epochs)} {formatting.place(pin)}"}
    said |= _neighbours(runs, leading, pin)
    try:
        values = {each.compared.slot: values_at(each, pin) for each in runs}
    except SourceUnavailable as error:
        messages.error_panel(error, retry="pin")
        return said | {"columns": [], "rows": [], "all": [], "note": "The values could not be read."}
    logged = {key for found in values.values() for key in found} - untold(runs)
    columns = [metric for metric in leading if metric in logged]
    known = [key for key in METRICS if key in logged] + sorted(logged - METRICS.keys())
    return said | {
        "columns": [SHORT.get(metric) or metric_title(metric) for metric in columns],
        "rows": _rows(values, columns, pin, higher=higher),
        "all": [
            {
                "title": axis_title(key),
                "values": _texts(key, {slot: found[key] for slot, found in values.items() if key in found}, pin),
            }
            for key in known
        ],
        "note": f"Bold: best at this {counted}." if known else "No run has logged anything here.",
    }


def _neighbours(runs: Sequence[RunOnAxis], metrics: Sequence[str], pin: float) -> dict[str, float | None]:
    """The evaluations before and after the pinned position."""
    found = [
        run.placing(run.curves.curves[key])
        for run in runs
        for key in metrics
        if key in run.curves.curves and metric_of(key).evaluated
    ]
    x = np.unique(np.concatenate([np.zeros(0), *found]))
    x = x[np.isfinite(x)]
    before, after = x[x < pin], x[x > pin]
    return {
        "previous": float(before[-1]) if len(before) else None,
        "next": float(after[0]) if len(after) else None,
    }


def _rows(values: Mapping[int, Values], columns: Sequence[str], pin: float, *, higher: bool) -> list[dict[str, Any]]:
    """A row for each run, the best first; of each column the best value is marked."""
    best = {}
    for at, metric in enumerate(columns):
        finite = [found[metric][0] for found in values.values() if metric in found and np.isfinite(found[metric][0])]
        best[metric] = (max if higher and at == 0 else min)(finite, default=None)

    shown = {
        metric: dict(zip(values, _short([found.get(metric, (None,))[0] for found in values.values()]), strict=True))
        for metric in columns
    }

    def place(slot: int) -> tuple[bool, float]:
        value = values[slot].get(columns[0], (np.nan, 0.0))[0] if columns else np.nan
        return bool(np.isnan(value)), -value if higher else value

    return [
        {
            "slot": slot,
            "cells": [
                _at(shown[metric][slot], values[slot][metric][1], pin) if metric in values[slot] else NOT_RECORDED
                for metric in columns
            ],
            # A low train loss is no merit: beside a higher eval loss it is memorised.
            "best": [
                metric != "train_loss" and metric in values[slot] and values[slot][metric][0] == best[metric]
                for metric in columns
            ],
        }
        for slot in sorted(values, key=place)
    ]


def _short(values: Sequence[float | None]) -> list[str]:
    decimals = min(decimals_for(values), MOST_DECIMALS)
    return [to_decimals(value, decimals) for value in values]


def _texts(metric: str, found: Mapping[int, tuple[float, float]], pin: float) -> list[list[Any]]:
    """A metric's value of each run, by slot."""
    spec = metric_of(metric).spec
    values = [value for value, _ in found.values()]
    shown = together(values) if spec == formatting.LOSS_SPEC else [formatting.shower(spec)(value) for value in values]
    return [[slot, _at(text, found[slot][1], pin)] for slot, text in zip(found, shown, strict=True)]


def _at(shown: str, position: float, pin: float) -> str:
    return shown if position == pin else f"{shown} (at {formatting.place(position)})"
