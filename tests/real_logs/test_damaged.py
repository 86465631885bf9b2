"""Every file of the real logs after an accident: no reader fails, and none hangs."""

from __future__ import annotations

import os
import random
import shutil

import pytest

from tests.data.folder.every_log import MOST, damaged
from tests.data.folder.test_damaged import within_patience

ROUNDS = 3


@pytest.mark.parametrize("number", range(ROUNDS))
def test_whatever_happens_to_every_file(logs, tmp_path, number) -> None:
    luck = random.Random(number)
    for place, folders, names in os.walk(logs):
        folders.sort()
        for name in sorted(names):
            whole = os.path.join(place, name)
            copy = tmp_path / os.path.relpath(whole, logs)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if os.path.getsize(whole) > MOST or luck.random() < 0.2:
                shutil.copyfile(whole, copy)
            else:
                with open(whole, "rb") as file:
                    copy.write_bytes(damaged(file.read(), luck))
    runs, _ = within_patience(tmp_path)
    assert runs
