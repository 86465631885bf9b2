"""What a configuration comes to, for tests: a run that states it, and one setting of it."""

from __future__ import annotations

from lib.core.config.effective import effective
from lib.core.config.values import MISSING
from lib.core.facts.runs import RunSummary


def run(config=None, **columns):
    return RunSummary(run_id="r", name="r", config=config or {}, **columns)


def value(key, config=None, **columns):
    setting = effective(run(config, **columns)).get(key)
    return MISSING if setting is None else setting.value


def setting(key, config=None, **columns):
    return effective(run(config, **columns))[key]


def notes(setting):
    return tuple(remark.sentence for remark in setting.remarks)
