"""What tests of several ways to read runs share."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def ordinary_folder():
    """A folder of an ordinary user's, whose rights the test then has: the superuser may read everything."""
    nobody = 65534
    # Not tmp_path: the folders above it are closed to others.
    with tempfile.TemporaryDirectory() as name:
        is_superuser = os.geteuid() == 0
        if is_superuser:
            os.chown(name, nobody, nobody)
            os.seteuid(nobody)
        yield Path(name)
        if is_superuser:
            os.seteuid(0)
