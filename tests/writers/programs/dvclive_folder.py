"""Log with DVCLive: a folder for each run."""

from __future__ import annotations

import os

from dvclive import Live
from telling import die, parted, place, sessions

for session in sessions:
    live = Live(os.path.join(place, session["run"]), resume=session["resumes"], save_dvc_exp=False, dvcyaml=None)
    if session["config"]:
        live.log_params(session["config"])
    for step, values in session["rows"]:
        live.step = step
        numbers, texts = parted(values)
        for name, value in (numbers | texts).items():
            live.log_metric(name, value)
        if step % 10 == 0:
            live.make_summary()
    if session["end"] == "killed":
        die()
    live.end()
