"""Finding a Chromium for the browser tests, and installing one where there is none.

``python -m tests.browser.chromium`` installs. It never fails: without a Chromium the browser tests say so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PACKAGES = ("chromium", "fonts-noto-color-emoji", "fonts-dejavu-core")
MISSING = "The browser tests need Chromium: install it (Debian: apt-get install chromium), or set CHROMIUM to its path."


def find_chromium() -> str | None:
    """The path of a Chromium: the one that CHROMIUM names, one on PATH, or Playwright's own."""
    if named := os.environ.get("CHROMIUM"):
        return named
    if found := next(filter(None, map(shutil.which, NAMES)), None):
        return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def install_chromium() -> None:
    """Try the system's packages, where we may install them; else Playwright's download."""
    if (sudo := root_prefix()) is not None:
        install_packages(sudo, *PACKAGES)
    if not find_chromium():
        _run([sys.executable, "-m", "playwright", "install", "chromium"])


def install_packages(sudo: Sequence[str], *names: str) -> None:
    """Install packages of the system, where it is Debian or the like.

    Args:
        sudo: What makes us root.
        names: Of the packages.
    """
    if shutil.which("apt-get"):
        _run([*sudo, "apt-get", "update", "-q"])
        install = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-q"]
        _run([*sudo, *install, "--no-install-recommends", *names])


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(f"{' '.join(command)}: {(done.stderr or done.stdout)[-500:]}\n")


def root_prefix() -> list[str] | None:
    """What to put before a command to run it as root; ``None`` where we cannot."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and not subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode:
        return ["sudo", "-n"]
    return None


if __name__ == "__main__":
    if not find_chromium():
        sys.stderr.write("Installing Chromium for the browser tests...\n")
        install_chromium()
    if not find_chromium():
        sys.stderr.write(MISSING + "\n")
