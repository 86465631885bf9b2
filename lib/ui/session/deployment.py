"""The deployment's settings: environment variables and ``.streamlit/secrets.toml``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from lib.core.facts.errors import SettingsError
from lib.data.settings import Settings, settings_from
from lib.gate.settings import gate_settings_from
from lib.log.start import start


def settings() -> Settings:
    """Read the settings, and let the log have the form that they say.

    Raises:
        SettingsError: If one is there but wrong.
    """
    try:
        gate_settings_from(os.environ)
        found = settings_from(os.environ, _secrets())
    except SettingsError:
        # What is wrong may be the form itself, and shall be logged all the same.
        start()
        raise
    start(found.log, found.secrets)
    return found


def _secrets() -> Mapping[str, Any]:
    try:
        return st.secrets.to_dict()
    except StreamlitSecretNotFoundError as error:
        # Streamlit raises the same error for "no file" and "a file that cannot be read".
        if "No secrets found" not in str(error):
            raise SettingsError(
                "Expected secrets.toml to be a TOML file; it could not be read.",
                hint="Check the quotes and brackets in .streamlit/secrets.toml.",
            ) from None
        return {}
