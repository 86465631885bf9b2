"""What a run says about its eval loss, and how two such statements compare."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from lib.core.config.effective import effective
from lib.core.config.setting import Setting
from lib.core.config.training_method import Method, method_in
from lib.core.config.values import MISSING, comparable, show
from lib.core.facts.runs import RunSummary
from lib.core.facts.values import finite

EVAL_DATASETS = (
    "eval_dataset", "eval_dataset_name", "eval_dataset_path", "eval_file", "eval_path", "eval_data", "eval_data_path",
    "validation_dataset", "validation_file", "validation_path", "val_dataset", "val_file", "val_path", "val_data",
)  # fmt: skip
"""Names under which tools state a dataset that is only evaluated on."""

SEEDS = ("data_seed", "split_seed", "seed")
"""What a share of the data is drawn by, the first that is stated."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run and its effective settings, by canonical name."""

    run: RunSummary
    settings: dict[str, Setting] = field(repr=False)
    method: Method | None

    def first(self, *names: str) -> Setting | None:
        """The first setting of these names that has a value, at the top, or in a section of the data or loss."""
        keys = (f"{section}{name}" for name in names for section in _SECTIONS)
        return next((found for key in keys if (found := self.settings.get(key)) and _is_stated(found)), None)


_SECTIONS = (
    "",
    "data.",
    "evaluation.",
    "tokenizer.",
    "model.",
    "dpo.",
    "dpo_config.",
    "orpo.",
    "kto.",
    "trl.",
    "loss.",
)


class Agreement(StrEnum):
    """Whether two runs agree in something. What is not recorded is neither the same nor different."""

    SAME = "same"
    DIFFERENT = "different"
    CANNOT_TELL = "cannot tell"


def facts_of(run: RunSummary) -> RunFacts:
    """Gather what the aspects look at."""
    settings = dict(effective(run))
    return RunFacts(run, settings, method_in(settings))


def _is_stated(setting: Setting | None) -> bool:
    if setting is None or setting.value is None or setting.value is MISSING:
        return False
    return bool(setting.value.strip()) if isinstance(setting.value, str) else setting.value not in ((), {})


def shown_setting(setting: Setting | None) -> str | None:
    """A setting's value as text; ``None`` where it is not recorded."""
    return None if setting is None else show(setting.value, limit=80)


def compare_settings(first: Setting | None, second: Setting | None) -> Agreement:
    """Compare two settings; where a configuration contradicts itself, by all the values that it states."""
    if first is None or second is None:
        return Agreement.CANNOT_TELL
    (one, all_one), (other, all_other) = _values(first), _values(second)
    if one == other and (all_one == all_other or len(all_one) == len(all_other) == 1):
        return Agreement.SAME
    if not all_one & all_other:
        return Agreement.DIFFERENT
    return Agreement.CANNOT_TELL


def _values(setting: Setting) -> tuple[tuple[object, ...], set[tuple[object, ...]]]:
    own = comparable(share_of(setting.value), setting.comparison)
    if not setting.contradicted:
        return own, {own}
    stated = {comparable(share_of(value), setting.comparison) for _, value in setting.places if value is not None}
    return own, stated | {own}


def share_of(value: object) -> object:
    """A percentage as the share that it is."""
    if isinstance(value, str) and value.strip().endswith("%"):
        share = finite(value.strip()[:-1])
        return value if share is None else round(share / 100.0, 12)
    return value
