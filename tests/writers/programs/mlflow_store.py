"""Log with MLflow, to whichever store the environment names."""

from __future__ import annotations

import mlflow
import numpy as np
from mlflow.entities import Metric
from telling import die, parted, sessions

AT_ONCE = 1000
START = 1_700_000_000_000

mlflow.set_experiment("Übung 1")
ids: dict[str, str] = {}
for session in sessions:
    name = session["run"]
    run = mlflow.start_run(run_id=ids[name]) if session["resumes"] else mlflow.start_run(run_name=name)
    ids[name] = run.info.run_id
    if session["config"]:
        mlflow.log_params(session["config"])
    if len(session["rows"]) > AT_ONCE:
        rows = [
            Metric(key, float(value), START + step, step)
            for step, values in session["rows"]
            for key, value in values.items()
        ]
        client = mlflow.MlflowClient()
        for first in range(0, len(rows), AT_ONCE):
            client.log_batch(run.info.run_id, metrics=rows[first : first + AT_ONCE])
    else:
        for step, values in session["rows"]:
            numbers, texts = parted(values)
            mlflow.log_metrics({key: float(value) for key, value in numbers.items()}, step=step)
            mlflow.set_tags(texts)
    if session["options"].get("media"):
        mlflow.log_dict({"loss": 0.5}, "metrics.json")
        mlflow.log_text("step 1: loss 0.5", "notes/train.log")
        mlflow.log_image(np.zeros((8, 8, 3), dtype=np.uint8), "sample.png")
        mlflow.log_table({"step": [1, 2], "loss": [0.5, 0.25]}, "samples.json")
    if session["end"] == "killed":
        die()
    mlflow.end_run("FAILED" if session["end"] == "failed" else "FINISHED")
