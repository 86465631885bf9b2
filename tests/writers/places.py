"""The places that programs log to: one for each program, and for each store that it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.writers.processes import write
from tests.writers.told import CONFIG, NESTED, Session, sessions_of


@dataclass(frozen=True)
class Place:
    """How a place is filled.

    Attributes:
        program: The script that does it.
        config: Hyperparameters of the hard run, as far as the program takes them.
        settings: More of its environment, in which ``{place}`` is the folder.
    """

    program: str
    config: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType(CONFIG))
    settings: Mapping[str, str] = field(default_factory=dict)

    def fill(self, folder: Path, *sessions: Session) -> None:
        """Log some sessions, or those that all programs log."""
        settings = {name: value.format(place=folder) for name, value in self.settings.items()}
        write(self.program, folder, *(sessions or sessions_of(dict(self.config))), **settings)


PLACES = {
    "tensorboardx": Place("tensorboardx"),
    "tensorboard_own": Place("tensorboard_own"),
    "wandb": Place("wandb_offline", NESTED),
    "mlflow": Place("mlflow_store", settings={"MLFLOW_TRACKING_URI": "sqlite:///{place}/mlflow.db"}),
    "mlflow_files": Place(
        "mlflow_store",
        settings={"MLFLOW_TRACKING_URI": "file://{place}/mlruns", "MLFLOW_ALLOW_FILE_STORE": "true"},
    ),
    "trackio": Place("trackio_local", NESTED),
    "lightning": Place("lightning_csv"),
    "lightning_csv": Place("lightning_loggers", NESTED, {"LOGGER": "csv"}),
    "lightning_tensorboard": Place("lightning_loggers", NESTED, {"LOGGER": "tensorboard"}),
    "dvclive": Place("dvclive_folder", NESTED),
}
