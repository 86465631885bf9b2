"""Log with TensorBoard's own writer: values as tensors, the plugin named at a tag's first event only."""

from __future__ import annotations

import os
import time

from telling import die, parted, place, sessions
from tensorboard.compat.proto import event_pb2
from tensorboard.plugins.hparams import summary_v2 as hparams
from tensorboard.summary import Writer
from tensorboard.summary.writer.event_file_writer import EventFileWriter

for session in sessions:
    folder = os.path.join(place, session["run"])
    if session["resumes"]:
        time.sleep(1.1)
    if session["config"]:
        first = EventFileWriter(folder, filename_suffix=".hparams")
        summary = hparams.hparams_pb(session["config"], trial_id=session["run"], start_time_secs=1_700_000_000)
        first.add_event(event_pb2.Event(wall_time=time.time(), summary=summary))
        first.close()
    writer = Writer(folder)
    for step, values in session["rows"]:
        for name, value in parted(values)[0].items():
            writer.add_scalar(name, float(value), step)
    if session["end"] == "killed":
        writer.flush()
        die()
    writer.close()
