"""Exports of Neptune: ``data/PROJECT-hash/RUN-hash_part_N.parquet``, a row for each value of each attribute."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lib.data.formats.files import NotReadable
from lib.data.formats.logged import FilePath, Folder, Reading, Told
from lib.data.formats.stores.neptune_export import COLUMNS, Export
from lib.data.formats.stores.parquet_files import has_columns, parquet

if TYPE_CHECKING:
    pass

PARQUET, UNFINISHED = ".parquet", ".parquet.tmp"

_PART = re.compile(r"(.+)_part_(\d{1,9})\.parquet(\.tmp)?", re.DOTALL)


class NeptuneExport:
    """The Parquet files of Neptune's exporter; the parts of a run belong together."""

    title = "Neptune export"
    reads = "Parquet files of Neptune's exporter"
    is_general = False

    def matches(self, path: FilePath) -> bool:
        return path[-1].endswith((PARQUET, UNFINISHED))

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        found: dict[Folder, list[tuple[int, FilePath]]] = {}
        for path in files:
            part = _PART.fullmatch(path[-1])
            name, number = (part[1], int(part[2])) if part else (path[-1], 0)
            found.setdefault((*path[:-1], name), []).append((number, path))
        return {folder: [path for _, path in sorted(parts)] for folder, parts in found.items()}

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        export = Export(files)
        for path in files:
            is_part = _PART.fullmatch(path[-1]) is not None
            if path[-1].endswith(UNFINISHED):
                if is_part:
                    export.told.append(Told(path, "This part of the export is still being written, or was given up."))
                continue
            try:
                with parquet(root.joinpath(*path)) as file:
                    if file is not None and has_columns(file, COLUMNS):
                        export.is_one = True
                        export.take(file)
            except NotReadable as error:
                # Any table may be a Parquet file; the name of a part tells whose it is.
                if is_part or export.is_one:
                    export.told.append(Told(path, str(error)))
        return export.reading() if export.is_one or export.told else None


FORMAT = NeptuneExport()
