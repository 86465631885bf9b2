"""A metric is one entry, and one function where nobody logs it: everything else follows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.app.harness import PROJECT_ROOT


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("planted")
    command = [sys.executable, "-m", "tests.app.planted", str(folder)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_it_has_its_chart_with_its_axis(planted):
    assert planted["charts"]["Heat (°C)"] == [40.0, 60.0, 90.0, 45.0, 65.0, 95.0]
    assert planted["formats"]["Heat (°C)"] == ".1f"


def test_a_derived_one_can_be_chosen_as_a_further_metric(planted):
    assert planted["charts"]["Heat (K, derived)"] == pytest.approx([313.15, 333.15, 363.15, 318.15, 338.15, 368.15])


def test_it_has_its_column_with_what_is_best_and_worst(planted):
    assert planted["columns"] == ["Run\n\u00a0", "Heat\n°C", "Heat\nK"]
    assert planted["cells"] == {"heat": ["60.0", "65.0"], "heat_in_kelvin": ["333.1", "338.1"]}
    assert planted["marks"] == ["best", "worst"]


def test_it_is_in_the_export(planted):
    header = planted["csv"].splitlines()[0].split(",")
    behind = header.index("Duration (s)") + 1
    assert header[behind : behind + 2] == ["Heat (°C)", "Heat (K)"]


def test_it_is_among_the_pinned_values_in_the_order_of_the_entries(planted):
    assert list(planted["pinned"].items())[:2] == [("Heat (°C)", "60.0"), ("Heat (K, derived)", "333.1")]


def test_a_project_is_asked_for_what_is_logged_of_it(planted):
    rows = [each for each in planted["requests"] if "train_loss" in each]
    assert len(rows) >= 2
    assert all("heat" in each and "heat_in_kelvin" not in each for each in rows)
