"""The core stands alone: it needs no user interface, no chart library, no storage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

PROGRAM = """
import importlib, pkgutil, sys

BLOCKED = {"streamlit", "altair", "pyarrow", "st_aggrid", "supabase"}

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED and not imported_by_pandas():
            raise AssertionError(f"the core imports {name}")
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(name)

def imported_by_pandas():
    # pandas asks for pyarrow by itself, and does without.
    frame = sys._getframe(2)
    while frame and frame.f_globals["__name__"].startswith("importlib"):
        frame = frame.f_back
    return frame is not None and frame.f_globals["__name__"].startswith("pandas")

sys.meta_path.insert(0, Blocker())

import lib.core
for module in pkgutil.walk_packages(lib.core.__path__, "lib.core."):
    importlib.import_module(module.name)

from lib.core.curves.metric_curves import NO_CURVE
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY

assert len(NO_CURVE.finite()) == 0
runs = [
    RunSummary(run_id=run_id, name=run_id, status=RunStatus.COMPLETED, best_eval_loss=eval_loss, loss=0.4)
    for run_id, eval_loss in (("worse", 0.7), ("better", 0.43))
]
assert BLOCKED.isdisjoint(sys.modules)
sys.stdout.write(decide(runs, {}, DEFAULT_POLICY).recommendation.run_id)
"""


def run_alone(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_core_recommends_a_run_where_nothing_else_is_installed() -> None:
    done = run_alone(PROGRAM)
    assert (done.stdout, done.stderr) == ("better", "")


def test_the_block_holds() -> None:
    done = run_alone(PROGRAM.replace("import lib.core\n", "import altair\n", 1))
    assert done.returncode != 0
    assert "altair" in done.stderr
