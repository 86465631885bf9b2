"""Log with W&B without its server: a folder for each process, and one run id for the processes of a run."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import wandb
from telling import die, place, sessions

BLOCK = 32_768

for session in sessions:
    run = wandb.init(
        dir=place,
        project="writers",
        id=session["run"],
        name=f"{session['run']} 1",
        config=session["config"],
        resume="allow" if session["resumes"] else None,
        reinit=True,
    )
    axis = session["options"].get("axis")
    if axis:
        # As Hugging Face's Trainer does it: W&B's own step counts calls then.
        run.define_metric(axis)
        run.define_metric("*", step_metric=axis, step_sync=True)
    for step, values in session["rows"]:
        if axis:
            run.log({**values, axis: step})
        else:
            run.log(values, step=step)
    if session["options"].get("media"):
        table = wandb.Table(columns=["loss"], data=[[0.5]])
        image = wandb.Image(np.zeros((8, 8, 3), dtype=np.uint8))
        run.log({"samples": table, "sample": image, "weights": wandb.Histogram([1, 2, 3])})
        run.alert("An alert", "of no number")
    if session["end"] == "killed":
        # What was logged is on its way to another process of W&B's, which writes it in blocks.
        (file,) = Path(run.dir).parent.glob("*.wandb")
        while file.stat().st_size < BLOCK:
            time.sleep(0.05)
        die()
    run.finish(exit_code=1 if session["end"] == "failed" else 0)
    # The second is part of a folder's name.
    time.sleep(1.1)
