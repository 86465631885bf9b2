"""Log with PyTorch Lightning's own loggers, without PyTorch: a table, and TensorBoard's files.

The environment says which of the two, ``csv`` or ``tensorboard``.
"""

from __future__ import annotations

import importlib
import os
import sys

from entering import Instead, enter
from telling import die, parted, place, sessions

OF_TRAINING = ("accelerators", "callbacks", "utilities.migration", "utilities.model_helpers", "utilities.parsing")
LEFT_OUT = (
    "torch",
    "torchmetrics",
    "lightning_fabric.wrappers",
    *(f"pytorch_lightning.{each}" for each in OF_TRAINING),
)
for library in LEFT_OUT:
    sys.meta_path.insert(0, Instead(library))
importlib.import_module("torch.distributed").is_available = lambda: False
enter("lightning_fabric", ".loggers", ".utilities")
importlib.import_module("lightning_fabric.loggers").Logger = importlib.import_module(
    "lightning_fabric.loggers.logger"
).Logger
enter("pytorch_lightning", ".loggers", ".core", ".utilities")
# With TensorBoard's own writer PyTorch would be asked for one.
fabric = importlib.import_module("lightning_fabric.loggers.tensorboard")
fabric._TENSORBOARD_AVAILABLE = False
KINDS = {"csv": ("csv_logs", "CSVLogger"), "tensorboard": ("tensorboard", "TensorBoardLogger")}
module, name = KINDS[os.environ["LOGGER"]]
Logger = getattr(importlib.import_module(f"pytorch_lightning.loggers.{module}"), name)

for session in sessions:
    logger = Logger(place, name=session["run"])
    if session["config"]:
        logger.log_hyperparams(session["config"])
    for step, values in session["rows"]:
        numbers = parted(values)[0]
        # TensorBoard's takes no whole number that no 64 bits hold.
        logger.log_metrics(
            numbers if name == "CSVLogger" else {key: float(each) for key, each in numbers.items()}, step
        )
    if name != "CSVLogger":
        logger.save()
    if session["end"] == "killed":
        die()
    logger.finalize("success")
