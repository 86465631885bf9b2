"""Log with Trackio on this machine: one project, one database."""

from __future__ import annotations

import os
import time

import numpy as np
import pandas as pd
from telling import die, place, sessions

os.environ["TRACKIO_DIR"] = place
import trackio
from trackio.sqlite_storage import SQLiteStorage

for session in sessions:
    run = trackio.init(
        project="writers",
        name=session["run"],
        config=session["config"],
        resume="allow" if session["resumes"] else "never",
        embed=False,
    )
    for step, values in session["rows"]:
        trackio.log(values, step=step)
    if session["options"].get("media"):
        image = trackio.Image(np.zeros((8, 8, 3), dtype=np.uint8))
        table = trackio.Table(dataframe=pd.DataFrame({"loss": [0.5]}))
        trackio.log({"samples": table, "sample": image, "weights": trackio.Histogram([1, 2, 3])})
    if session["end"] == "killed":
        # Rows are written by a thread, in turns.
        while not SQLiteStorage.get_logs(run.project, run.name):
            time.sleep(0.05)
        die()
    trackio.finish()
if os.environ.get("AS_PARQUET"):
    # What its hosted form keeps.
    SQLiteStorage._dataset_import_attempted = True
    SQLiteStorage.export_to_parquet()
