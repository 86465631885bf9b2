"""The app with two metrics more, added as CONTRIBUTING says: an entry each, and a function for the derived one.

Run by ``test_planted_metric.py`` in a process of its own: what follows from the entries does so when it is imported.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

ENTRIES = """_ENTRIES = (
    Metric(
        key="heat", title="Heat", unit="°C", spec=",.1f", axis_spec=".1f", better="lower", hf_keys=("gpu_temp",),
        chart="heat", column=TableColumn("Heat", "Median temperature.", after="duration", essential=True),
    ),
    Metric(
        key="heat_in_kelvin", title="Heat", unit="K", spec=",.1f", derived_from=("heat",),
        column=TableColumn("Heat", "Derived: from the absolute zero.", after="heat"),
    ),
"""
FUNCTION = """

@derivation
def heat_in_kelvin(curves: RunCurves, run: RunSummary) -> MetricCurve | None:
    heat = curves.get("heat")
    median = None if heat.median is None else heat.median + 273.15
    return replace(heat, value=heat.value + 273.15, median=median)
"""
HEATS = (40.0, 60.0, 90.0)


def plant(name: str, before: str, after: str) -> None:
    """Import a module as it would be with this change."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    text = Path(spec.origin).read_text(encoding="utf-8")
    assert before in text
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    exec(compile(text.replace(before, after, 1) if before else text + after, spec.origin, "exec"), module.__dict__)


def shown(folder: Path) -> dict[str, Any]:
    """Where the two metrics show up."""
    from tests.app.harness import App, write_run

    for run, more in (("a", 0.0), ("b", 5.0)):
        rows = [{"step": step, "gpu_temp": heat + more} for step, heat in enumerate(HEATS, 1)]
        write_run(folder / run, [1.0, 0.9, 0.8], [1.0, 0.9, 0.85], rows=rows)
    os.environ["RUNOFF_RUNS"] = str(folder)
    app = App.open(run=["a", "b"], metric="heat_in_kelvin", col=["heat", "heat_in_kelvin"], pin="2")
    app.assert_sound()
    frame = app.grid.rows
    return {
        "charts": {title: chart.data["lines"]["y"].tolist() for title, chart in app.charts.items()},
        "formats": {title: chart.head["format"] for title, chart in app.charts.items()},
        "columns": [each["headerName"] for each in app.grid.arguments["gridOptions"]["columnDefs"]],
        "cells": {key: frame[key + "_text"].tolist() for key in ("heat", "heat_in_kelvin")},
        "marks": frame["heat_mark"].tolist(),
        "pinned": app.pinned_values("a"),
    }


def exported() -> str:
    """The header of the table's CSV."""
    from lib.table.cells import summary_of
    from lib.table.csv_file import to_csv

    return to_csv(summary_of([]))


def requested() -> list[str]:
    """The questions that a project is asked for the metrics which a page needs first."""
    import httpx

    from lib.data.supabase.client import Project
    from lib.data.supabase.settings import SupabaseSettings
    from lib.data.supabase.source import SupabaseSource
    from lib.ui.session.run_data import FIRST_METRICS, SOURCE_BUCKETS

    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.url} {request.content.decode()}")
        if "/rpc/" in request.url.path:
            return httpx.Response(200, json={"runs": [], "curves": []})
        return httpx.Response(200, text="\n", headers={"content-type": "text/csv", "content-range": "*/0"})

    project = Project(SupabaseSettings("https://x.example", "sb_publishable_x"))
    project.pool = httpx.Client(transport=httpx.MockTransport(answer))
    source = SupabaseSource(project)
    run = "00000000-0000-4000-8000-000000000001"
    source.load_curves([run], FIRST_METRICS, None, SOURCE_BUCKETS)
    source.load_curves([run], FIRST_METRICS)
    return asked


if __name__ == "__main__":
    plant("lib.core.facts.metrics", "_ENTRIES = (\n", ENTRIES)
    plant("lib.core.curves.derived", "", FUNCTION)
    sys.stdout.write(json.dumps(shown(Path(sys.argv[1])) | {"csv": exported(), "requests": requested()}))
