"""What the operator may set of the gate, in the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from lib.core.facts.errors import SettingsError
from lib.data.sections import flag_from

FRAMED_BY = "RUNOFF_FRAMED_BY"
"""The other sites whose pages may frame the app, with spaces between them."""
METRICS = "RUNOFF_METRICS"
"""Whether Streamlit's own numbers are told to whoever asks."""

_SITE = re.compile(r"https?://(\*\.)?[A-Za-z0-9.-]+(:\d+)?")


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What is set.

    Attributes:
        framed_by: Sites whose pages may frame the app.
        metrics: Whether ``/_stcore/metrics`` answers.
    """

    framed_by: tuple[str, ...] = ()
    metrics: bool = False


def gate_settings_from(environment: Mapping[str, str]) -> GateSettings:
    """Read the settings.

    Raises:
        SettingsError: If one is there but wrong.
    """
    sites = tuple(environment.get(FRAMED_BY, "").split())
    for number, site in enumerate(sites, 1):
        if not _SITE.fullmatch(site):
            which = f"number {number} of {len(sites)}" if len(sites) > 1 else "it"
            raise SettingsError(
                f"Expected {FRAMED_BY} to name sites such as https://wiki.example.com; {which} is none.",
                hint="Write scheme and host, no path, and spaces between several sites.",
            )
    return GateSettings(sites, flag_from(environment.get(METRICS, False), f"the environment variable {METRICS}"))


def _in_force() -> GateSettings:
    try:
        return gate_settings_from(os.environ)
    except SettingsError:
        # Pages and log say what is wrong; until it is mended nothing is opened to anybody.
        return GateSettings()


IN_FORCE = _in_force()
"""Those of this process, since its start."""
