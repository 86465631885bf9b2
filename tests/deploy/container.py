"""The Dockerfile's steps without Docker: the same files and the same commands, in a folder of this machine.

    python -m tests.deploy.container FOLDER

makes all of it in a new folder, with an environment of its own in place of the base image, and says how to start it.
"""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Step:
    """An instruction: its name, and what it says."""

    name: str
    said: str

    @property
    def command(self) -> list[str]:
        """Its command, where it is written as a JSON list."""
        return json.loads(self.said[self.said.index("[") :])


def steps() -> list[Step]:
    """The instructions of the Dockerfile, in their order."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [Step(*line.split(maxsplit=1)) for line in lines if line.strip()]


def only(name: str) -> Step:
    """The one instruction of a name."""
    (step,) = [step for step in steps() if step.name == name]
    return step


def is_ignored(path: str) -> bool:
    """Whether ``.dockerignore`` keeps a file of the project from Docker; the last line that matches decides."""
    ignored = False
    # A line that matches a folder holds for all that is in it.
    places = [place for place in (PurePosixPath(path), *PurePosixPath(path).parents) if place.parts]
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip().removeprefix("!")
        if not pattern or pattern.startswith("#"):
            continue
        anywhere, wanted = pattern.startswith("**/"), PurePosixPath(pattern.removeprefix("**/"))
        if any(
            fnmatch.fnmatchcase(place.name if anywhere else str(place), str(wanted))
            for place in places
            if anywhere or len(place.parts) == len(wanted.parts)
        ):
            ignored = not line.strip().startswith("!")
    return ignored


def copied() -> list[tuple[Path, str]]:
    """The files of the project that are copied, and where to, below the working folder."""
    found = []
    for step in steps():
        if step.name != "COPY":
            continue
        *sources, target = shlex.split(step.said)
        for source in sources:
            place = ROOT / source
            assert place.exists(), f"{source}, which the Dockerfile copies, is there"
            files = [file for file in place.rglob("*") if file.is_file()] if place.is_dir() else [place]
            for file in files:
                if is_ignored(file.relative_to(ROOT).as_posix()):
                    continue
                inner = file.relative_to(place) if place.is_dir() else ""
                goes = f"{target}{place.name}" if target.endswith("/") else target
                found.append((file, (PurePosixPath(goes) / inner).as_posix()))
    return found


def copy(folder: Path) -> None:
    """Copy what the Dockerfile copies."""
    for file, target in copied():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / target)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Take the steps."""
    folder = Path(sys.argv[1])
    folder.mkdir()
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    app = folder / "app"
    copy(app)
    for step in steps():
        # The account is the machine's affair here.
        if step.name == "RUN" and not step.said.startswith("useradd"):
            say(f"RUN {step.said}")
            subprocess.run(f'PATH="{folder}/venv/bin:$PATH" {step.said}', shell=True, cwd=app, check=True)
    say(f"cd {app}; as another account: PATH={folder}/venv/bin:$PATH {shlex.join(only('CMD').command)}")


if __name__ == "__main__":
    main()
