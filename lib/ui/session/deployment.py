"""The deployment's settings: environment variables and ``.streamlit/secrets.toml``."""

from __future__ import annotations

import difflib
import errno
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit import config
from streamlit.errors import StreamlitSecretNotFoundError

from lib.core.facts.errors import SettingsError
from lib.data.mlflow_server.settings import PREFIX as MLFLOW_PREFIX
from lib.data.sections import OF_A_SERVICE
from lib.data.settings import LOG_SETTING, LOG_VARIABLE, RUNS_VARIABLE, SECTION, Settings, settings_from
from lib.data.supabase.settings import PREFIX
from lib.gate.settings import FRAMED_BY, METRICS, gate_settings_from
from lib.log.lines import form_of
from lib.log.start import start

_VARIABLES = (RUNS_VARIABLE, LOG_VARIABLE, FRAMED_BY, METRICS, "RUNOFF_CACHE")
_PREFIXES = (PREFIX, MLFLOW_PREFIX, "RUNOFF_IMPORT_", "RUNOFF_PROJECT_")
"""What the app reads, and with what the rest begins: sources, and the commands."""

_SET_ASIDE: dict[str, OSError | UnicodeError] = {}
"""Secrets files that could not be read when the server started, and why. They stay aside until the next start."""


def settings() -> Settings:
    """Read the settings, and let the log have the form that they say.

    Raises:
        SettingsError: If one is there but wrong.
    """
    secrets: Mapping[str, Any] = {}
    try:
        gate_settings_from(os.environ)
        secrets = _secrets()
        found = settings_from(os.environ, secrets)
    except SettingsError:
        # What is wrong may be the form itself, and shall be logged all the same.
        section = secrets.get(SECTION)
        said = section.get(LOG_SETTING) if isinstance(section, Mapping) else None
        start(form_of(os.environ.get(LOG_VARIABLE, said)))
        raise
    start(found.log, found.secrets)
    return found


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """A sentence for each environment variable that is called like ours, and that nothing reads.

    They are no error: scripts around the app may have such of their own. Those of a source are (``settings``).
    """
    found = []
    for name in sorted(environment):
        is_known = name in _VARIABLES or name.startswith(_PREFIXES) or OF_A_SERVICE.search(name)
        if name.startswith("RUNOFF_") and not is_known:
            near = difflib.get_close_matches(name, _VARIABLES, n=1, cutoff=0.8)
            meant = f" Is {near[0]} meant?" if near else ""
            found.append(f"Nothing reads the environment variable {name}.{meant}")
    return found


def set_aside_secrets() -> None:
    """Keep secrets files that cannot be read from Streamlit, which would answer every request with a failure.

    What is wrong with them ``settings`` says. To be called once, before the server is built.
    """
    files = config.get_option("secrets.files")
    for file in files:
        try:
            if file.endswith(".toml"):
                _read(Path(file))
        except (OSError, UnicodeError) as error:
            _SET_ASIDE[file] = error
    config.set_option("secrets.files", [file for file in files if file not in _SET_ASIDE])


def _read(file: Path) -> None:
    """Read a file once, where there is one.

    Raises:
        OSError, UnicodeError: If there is something that cannot be read as a file of text.
    """
    try:
        kind = file.stat().st_mode
    except FileNotFoundError:
        # To Streamlit a link that leads nowhere is no file, and the demo would be shown for somebody's own data.
        if any(each.is_symlink() and not each.exists() for each in (file, file.parent)):
            raise FileNotFoundError(errno.ENOENT, "it is a link that leads nowhere") from None
        return
    if stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind):
        # It may say nothing for ever, and says it once.
        raise OSError(errno.EINVAL, "it is a pipe")
    file.read_text(encoding="utf-8")


def _secrets() -> Mapping[str, Any]:
    try:
        for error in _SET_ASIDE.values():
            raise error
        return st.secrets.to_dict()
    except StreamlitSecretNotFoundError as error:
        # Streamlit raises the same error for "no file" and "a file that cannot be read".
        if "No secrets found" in str(error):
            return {}
        # The rest of what is said of it may be the line that is wrong, and that line a key.
        place = re.search(r"line \d+, column \d+", str(error))
        raise SettingsError(
            f"Expected secrets.toml to be a TOML file; it could not be read{f' ({place[0]})' if place else ''}.",
            hint="Check the quotes and brackets in .streamlit/secrets.toml,"
            " and that it is saved as UTF-8 without a byte order mark.",
        ) from None
    except UnicodeError:
        raise SettingsError(
            "Expected secrets.toml to be text in UTF-8, found another encoding.",
            hint="Save .streamlit/secrets.toml anew, as UTF-8, and start the app again.",
        ) from None
    except OSError as error:
        raise SettingsError(
            f"Expected secrets.toml to be a file that can be read, found none ({error.strerror or error}).",
            hint="Let the account that runs the app read .streamlit/secrets.toml, here and in its home folder,"
            " or remove it, and start the app again."
            " A container gets an empty folder in the place of a file that is to be mounted and is not there.",
        ) from None
