"""The Dockerfile, without Docker: what it copies runs the app by its own commands, for an account without rights."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import pytest

from tests.browser.harness import START_TIMEOUT_S, TIMEOUT_S
from tests.browser.nginx import free_port
from tests.deploy.container import copied, copy, is_ignored, only, steps

NOBODY = 65534
CAPABILITIES = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search")


@pytest.fixture
def image():
    """A folder with what the image has in its working folder, which an account without rights may read."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        copy(folder)
        for place in (folder, *folder.rglob("*")):
            place.chmod(0o555 if place.is_dir() else 0o444)
        yield folder
        for place in (folder, *folder.rglob("*")):
            if place.is_dir():
                place.chmod(0o755)


def as_nobody(command: list[str], folder: Path, home: Path) -> subprocess.Popen:
    """Start a command of the Dockerfile; where we are root, as an account that owns nothing."""
    program, *arguments = command
    assert program == "python"
    # The Python of these tests may lie below root's home: it may be read, and nothing may be written.
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *CAPABILITIES]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), "RUNOFF_LOG": "json"}
    return subprocess.Popen(
        [*(drop if os.geteuid() == 0 else ()), sys.executable, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def ends(command: list[str], folder: Path, home: Path) -> int:
    """The exit code of a command that ends by itself."""
    with as_nobody(command, folder, home) as process:
        process.communicate(timeout=TIMEOUT_S)
        return process.returncode


def on(port: int, command: list[str]) -> list[str]:
    """A command with another port, and one process."""
    assert "--port=8501" in command
    return [part.replace("8501", str(port)).replace("0.0.0.0", "127.0.0.1") for part in command]


def test_what_is_copied_runs_by_the_images_own_commands_without_rights(image):
    port = free_port()
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        home = Path(name)
        home.chmod(0o777)
        server = as_nobody([*on(port, only("CMD").command), "--processes=1"], image, home)
        check = on(port, only("HEALTHCHECK").command)
        try:
            assert ends(check, image, home) == 1, "nothing answers yet"
            deadline = time.monotonic() + START_TIMEOUT_S
            while ends(check, image, home):
                assert server.poll() is None, server.stdout.read().decode()
                assert time.monotonic() < deadline
                time.sleep(0.5)
            url = f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=url, trust_env=False, timeout=TIMEOUT_S) as client:
                assert client.get("/health").json() == {"app": "ok", "source": "ok"}
                assert client.get("/app/static/charts.js").status_code == httpx.codes.OK
        finally:
            server.terminate()
            said = server.communicate(timeout=TIMEOUT_S)[0].decode()
        assert server.returncode == 0, said
        assert "Traceback" not in said
    # As this environment asks for, all that is written is an entry of the log: of the service, the app and Caddy.
    entries = [json.loads(line) for line in said.splitlines()]
    assert [entry["message"] for entry in entries if entry.get("logger") == "runoff.serve"][-1] == "Stopped."


def test_it_runs_as_an_account_of_its_own_and_its_base_is_named_by_version():
    names = [step.name for step in steps()]
    assert re.fullmatch(r"python:3\.\d+(\.\d+)?-slim-\w+", only("FROM").said)
    user = only("USER").said
    assert user not in ("root", "0")
    assert any(step.name == "RUN" and step.said.endswith(f" {user}") for step in steps())
    assert names.index("USER") < names.index("CMD")
    assert not {"ADD", "ENTRYPOINT", "VOLUME", "ARG"} & set(names)


def test_the_layers_that_change_come_last():
    said = [step.said for step in steps() if step.name in ("COPY", "RUN")]
    installs = next(place for place, each in enumerate(said) if each.startswith("pip install"))
    assert said[installs - 1].startswith("requirements.txt")
    assert all("requirements" not in each for each in said[installs + 1 :])
    named = shlex.split(said[installs])[-1]
    assert named in said[installs - 1].split()


def test_neither_secrets_nor_tests_nor_what_was_compiled_are_copied():
    copies = {file.as_posix() for file, _ in copied()}
    assert copies
    assert not [each for each in copies if "secrets" in each.rsplit("/", 1)[-1] and not each.endswith(".py")]
    assert not [each for each in copies if "__pycache__" in each or "/tests/" in each or "/.git/" in each]


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        (".streamlit/secrets.toml", True),
        (".streamlit/config.toml", False),
        (".git/config", True),
        ("tests/conftest.py", True),
        ("lib/core/__init__.py", False),
        ("lib/core/__pycache__/x.pyc", True),
        ("requirements.txt", False),
        ("requirements-dev.txt", True),
        ("docs/deploy.md", True),
        (".venv/bin/python", True),
    ],
)
def test_docker_is_given_what_it_copies_and_nothing_else(path, ignored):
    assert is_ignored(path) is ignored


def test_every_folder_that_the_app_needs_is_copied():
    targets = {target.split("/")[0] for _, target in copied()}
    assert targets == {
        *("requirements.txt", "requirements-serve.txt", "streamlit_app.py", ".streamlit", "lib", "pages", "static")
    }
