"""A folder of files read by one format, as the app does it."""

from __future__ import annotations

from pathlib import Path

from lib.data.formats.logged import FilePath, Format, LoggedRun, Reading


def put(root: Path, content: dict[str, bytes | str]) -> None:
    """Files by path below the root."""
    for name, each in content.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(each if isinstance(each, bytes) else each.encode())


def files_of(root: Path) -> list[FilePath]:
    return sorted(path.relative_to(root).parts for path in root.rglob("*") if path.is_file())


def readings(format_: Format, root: Path) -> dict[str, Reading]:
    """By folder what the format makes of all files below the root."""
    units = format_.units([path for path in files_of(root) if format_.matches(path)])
    found = {"/".join(folder): format_.read(root, folder, files) for folder, files in units.items()}
    return {folder: reading for folder, reading in found.items() if reading is not None}


def only_run(format_: Format, root: Path) -> LoggedRun:
    (reading,) = readings(format_, root).values()
    (run,) = reading.runs
    return run


def points(run: LoggedRun) -> dict[str, list[tuple[int, float]]]:
    return {
        name: list(zip(series.step.tolist(), series.value.tolist(), strict=True)) for name, series in run.series.items()
    }
