"""Finding a Chromium for the browser tests, and installing one where there is none.

``python -m tests.browser.chromium`` installs. It never fails: without a Chromium the browser tests say so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
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
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and (sudo := root_prefix()) is not None:
        install = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-q"]
        attempts[:0] = [
            [*sudo, "apt-get", "update", "-q"],
            [*sudo, *install, "--no-install-recommends", *PACKAGES],
        ]
    for command in attempts:
        if find_chromium():
            return
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
