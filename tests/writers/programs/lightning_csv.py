"""Log with the CSV logger of Lightning Fabric, without PyTorch."""

from __future__ import annotations

import importlib
import sys

from entering import Instead, enter
from telling import die, place, sessions

sys.meta_path.insert(0, Instead("torch"))
importlib.import_module("torch.distributed").is_available = lambda: False
enter("lightning_fabric", ".loggers", ".utilities")
CSVLogger = importlib.import_module("lightning_fabric.loggers.csv_logs").CSVLogger

for session in sessions:
    logger = CSVLogger(place, name=session["run"])
    for step, values in session["rows"]:
        logger.log_metrics(dict(values), step=step)
    if session["end"] == "killed":
        die()
    logger.finalize("success")
