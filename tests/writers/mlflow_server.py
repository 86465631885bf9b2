"""A real MLflow tracking server on this machine, of the interpreter that ``RUNOFF_WRITERS`` names."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

WRITERS_VARIABLE = "RUNOFF_WRITERS"
"""Environment variable: the path of a Python that has the programs whose logs are read."""
START_S = 180

_WRITE = """
import json, sys
import mlflow

said = json.load(sys.stdin)
mlflow.set_tracking_uri(said["url"])
ids = {}
for run in said["runs"]:
    mlflow.set_experiment(run["experiment"])
    with mlflow.start_run(run_name=run["name"], tags=run.get("tags"), nested=True) as started:
        ids[run["name"]] = started.info.run_id
        mlflow.log_params(run.get("params", {}))
        for step, metrics in run["rows"]:
            metrics = {key: float(value) for key, value in metrics.items()}
            if step is None:
                mlflow.log_metrics(metrics)
            else:
                mlflow.log_metrics(metrics, step=step)
    mlflow.end_run(run.get("status", "FINISHED"))
# The client itself prints where its runs can be seen.
print()
print(json.dumps(ids))
"""


def has_mlflow(python: str) -> bool:
    """Whether an interpreter has MLflow; it is not imported."""
    look = "import importlib.util, sys; sys.exit(importlib.util.find_spec('mlflow') is None)"
    return subprocess.run([python, "-c", look], check=False, capture_output=True).returncode == 0


class MlflowServer:
    """A running server, with its database in a folder.

    Attributes:
        url: Where it answers.
    """

    def __init__(self, python: str, folder: Path, *arguments: str) -> None:
        self._python, self._log = python, folder / "server.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        store = ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--artifacts-destination", str(folder)]
        place = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [python, "-m", "mlflow", "server", *store, *place, *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
                start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def write(self, runs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Log runs with MLflow's own client; returns their ids by name."""
        said = json.dumps({"url": self.url, "runs": runs})
        ended = subprocess.run([self._python, "-c", _WRITE], input=said, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr[-2000:]
        ids: dict[str, str] = json.loads(ended.stdout.splitlines()[-1])
        return ids

    def post(self, endpoint: str, **question: Any) -> dict[str, Any]:
        """Ask the server something of its REST API."""
        answer = httpx.post(f"{self.url}/api/2.0/mlflow/{endpoint}", json=question, timeout=60)
        assert answer.is_success, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def stop(self) -> None:
        """End the server and what it started, which is a group of processes of its own."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, 15)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, 9)
                self._process.wait()

    def _wait(self) -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health", timeout=5).is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        raise RuntimeError(f"The MLflow server did not start. Its log ends:\n{self._log.read_text()[-2000:]}")
