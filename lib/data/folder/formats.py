"""The run formats that are read: the name of the file that a format's log has, and what reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from lib.data.folder.hf_log import TRAINER_STATE, TrainerLog, read_trainer_log
from lib.data.folder.training_files import Unread

LOG_READERS: Mapping[str, Callable[[Path], TrainerLog | Unread]] = MappingProxyType({TRAINER_STATE: read_trainer_log})
"""A folder that holds a file of one of these names is a run, or a checkpoint of one."""
