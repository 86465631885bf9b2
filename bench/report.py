"""What the benches print and write."""

from __future__ import annotations

import json
import math
import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def say_load() -> None:
    """Print how busy the machine is: everything measured on a busy one is too slow."""
    print(f"load average before: {os.getloadavg()[0]:.2f}, {os.cpu_count()} processors", flush=True)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of the values do not exceed; NaN where there are none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)] if ordered else math.nan


def print_times(measured: Mapping[str, Sequence[float]], unit: str = "milliseconds", digits: int = 0) -> None:
    """Print median, least and greatest of each measured thing."""
    width = max(36, *(len(name) + 1 for name in measured))
    print(f"{unit:{width}}{'median':>9}{'min':>9}{'max':>9}{'n':>5}")
    for name, values in measured.items():
        cells = "".join(f"{of(values):9.{digits}f}" for of in (statistics.median, min, max))
        print(f"{name:{width}}{cells}{len(values):5}", flush=True)


def write(name: str, measured: Any) -> None:
    """Write ``bench/results/<name>.json``."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(measured, indent=1))
