"""Log with DVCLive: a folder for each run."""

from __future__ import annotations

import os

import numpy as np
from dvclive import Live
from telling import die, parted, place, sessions

for session in sessions:
    live = Live(os.path.join(place, session["run"]), resume=session["resumes"], save_dvc_exp=False, dvcyaml=None)
    if session["config"]:
        live.log_params(session["config"])
    for step, values in session["rows"]:
        if step is not None:
            live.step = step
        numbers, texts = parted(values)
        for name, value in (numbers | texts).items():
            live.log_metric(name, value)
        if step is None:
            live.next_step()
        elif step % 10 == 0:
            live.make_summary()
    if session["options"].get("media"):
        live.log_image("sample.png", np.zeros((8, 8, 3), dtype=np.uint8))
        live.log_plot("samples", [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25}], x="step", y="loss")
        live.log_metric("best", 0.5, plot=False)
    if session["end"] == "killed":
        die()
    live.end()
