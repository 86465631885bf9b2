"""Log with Keras' CSVLogger, called as a training calls it, without a backend that trains."""

from __future__ import annotations

import importlib
import os
import sys

from entering import Instead, enter
from telling import die, place, sessions

sys.meta_path.insert(0, Instead("keras.src.backend"))
enter("keras", ".src", ".src.callbacks", ".src.utils")
utils = sys.modules["keras.src.utils"]
utils.default = importlib.import_module("keras.src.utils.python_utils").default
CSVLogger = importlib.import_module("keras.src.callbacks.csv_logger").CSVLogger


class Model:
    """What the logger asks of a model: whether its training is being stopped."""

    stop_training = False


for session in sessions:
    logger = CSVLogger(os.path.join(place, f"{session['run']}.csv"), append=session["resumes"])
    # A callback asks the backend how a model is compiled; the logger needs only the model.
    logger._model = Model()
    logger.on_train_begin()
    for epoch, values in session["rows"]:
        logger.on_epoch_end(epoch, dict(values))
    if session["end"] == "killed":
        die()
    logger.on_train_end()
