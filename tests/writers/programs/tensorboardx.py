"""Log with tensorboardX, which is also what PyTorch's ``SummaryWriter`` is made of: a folder for each run."""

from __future__ import annotations

import os
import time

import numpy as np
from telling import die, parted, place, sessions
from tensorboardX import SummaryWriter

for session in sessions:
    folder = os.path.join(place, session["run"])
    purge = session["rows"][0][0] if session["resumes"] and session["options"].get("purges") else None
    if session["resumes"]:
        # The second is part of a file's name.
        time.sleep(1.1)
    writer = SummaryWriter(folder, purge_step=purge)
    for step, values in session["rows"]:
        numbers, texts = parted(values)
        for name, value in numbers.items():
            writer.add_scalar(name, float(value), step)
        for name, text in texts.items():
            writer.add_text(name, text, step)
    for name, children in session["options"].get("groups", {}).items():
        for step, value in children:
            writer.add_scalars(name, value, step)
    if session["options"].get("media"):
        writer.add_histogram("weights", np.arange(100.0), 7)
        writer.add_image("sample", np.zeros((3, 8, 8)), 7)
        writer.add_pr_curve("recall", np.array([0, 1]), np.array([0.25, 0.75]), 7)
    if session["options"].get("hparams"):
        writer.add_hparams(session["config"], {"hparam/best": 0.5})
    if session["end"] == "killed":
        writer.flush()
        die()
    writer.close()
