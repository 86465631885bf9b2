"""The demo runs, read once for all tests of them."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pyarrow.parquet as pq
import pytest

from lib.core.curves.metric_curves import frame_of
from lib.core.facts.query import RunQuery
from lib.core.facts.runs import RunSummary
from lib.data.demo import source as embedded
from lib.data.demo.source import EmbeddedSource

SOURCE = EmbeddedSource()


@pytest.fixture(scope="module")
def runs() -> tuple[RunSummary, ...]:
    return SOURCE.list_runs(RunQuery(limit=1000)).runs


@pytest.fixture(scope="module")
def frame(runs) -> pd.DataFrame:
    return frame_of(SOURCE.load_curves([run.run_id for run in runs]).values())


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    return pq.read_table(embedded.METRICS_FILE).to_pandas().sort_values(["timestamp", "id"])


@pytest.fixture(scope="module")
def same_day(runs) -> list[RunSummary]:
    groups = Counter((run.name, run.created_at.date()) for run in runs)
    (name, day), count = groups.most_common(1)[0]
    assert count == 5
    return [run for run in runs if (run.name, run.created_at.date()) == (name, day)]
