"""Where files lie that describe the run of a log."""

from __future__ import annotations

from collections.abc import Sequence

from lib.data.folder.scan import Scan
from lib.data.formats.logged import FilePath, Folder
from lib.data.stated.settings import HYDRA_CONFIG

WRAPPERS = frozenset({"logs", "log", "tensorboard", "tensorboard_logs", "tb", "tb_logs", "events"})
"""Folders that hold the logs of the run around them."""


def side_places(paths: Sequence[FilePath], scan: Scan) -> list[Folder]:
    """Where files may lie that describe the run of a log, the nearest first; last the folder of a job of Hydra."""
    folder = paths[0][:-1]
    places = [folder]
    while folder and folder[-1].lower() in WRAPPERS:
        folder = folder[:-1]
        places.append(folder)
    while folder and HYDRA_CONFIG not in scan.files.get(folder, ()):
        folder = folder[:-1]
    if folder not in places and HYDRA_CONFIG in scan.files.get(folder, ()):
        places.append(folder)
    return places
