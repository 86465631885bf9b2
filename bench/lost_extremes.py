"""Every source asked for series with a planted extreme: is it in what the browser gets?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.planted_extremes import PlantedRun, lost, planted_runs
from bench.run_files import insert, write_parquet, write_states
from lib.data.demo.source import EmbeddedSource
from lib.data.folder.source import FolderSource
from lib.data.source import RunSource
from lib.data.supabase.source import SupabaseSource
from lib.ui.session import run_data
from tests.supabase.readers import project_for, reader_for
from tests.supabase.stack import Stack


def lost_extremes(stack: Stack | None, series: int, work: Path) -> dict[str, dict[str, Any]]:
    """Plant an extreme in random series, read them through every source, and look for it in the charts' data."""
    runs = list(planted_runs(series // 5, longest=20_000))
    few = runs[: max(1, len(runs) // 10)]
    path, root = work / "planted.parquet", work / "planted"
    write_parquet(path, (run.table for run in runs))
    write_states(root, (run.table for run in runs))
    found = {
        "embedded": _lost(EmbeddedSource(path, path), runs),
        "folder": _lost(FolderSource(root), runs),
    }
    if stack is not None:
        project = stack.project("planted", migrated=True, seeded=False)
        insert(project, (run.table for run in runs))
        with project_for(project, timeout_s=60.0) as connections:
            source = SupabaseSource(connections, reader_for(connections, project, "ann"))
            found["database, function"] = _lost(source, runs)
            found["database, rows"] = _lost(source, few, buckets=None)
        stack.remove(project)
    return found


def _lost(
    source: RunSource, runs: Sequence[PlantedRun], buckets: int | None = run_data.SOURCE_BUCKETS
) -> dict[str, Any]:
    missing: list[str] = []
    points = 0
    for run in runs:
        curves = source.load_curves([run.run_id], run_data.FIRST_METRICS, buckets=buckets).get(run.run_id)
        points += curves.points if curves else 0
        missing += lost(curves, run)
    return {"series": 5 * len(runs), "points": points, "lost": missing}
