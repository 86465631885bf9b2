"""What the reward of two runs is the sum of, by the functions that their trainers logged one by one."""

from __future__ import annotations

import re

from lib.core.aspects.facts import Agreement, Compared, RunFacts, agreement_of, gravest, option
from lib.core.config.training_method import SURROGATE
from lib.core.facts.values import finite

_PART = re.compile(r"(?:train/|eval[_/])?rewards?/(?P<name>.+?)(?:/(?:mean|std))?")
_OPTIONS = ("reward_weights",), ("kl_coef", "init_kl_coef")
"""Where it is stated how much each weighs; PPO takes the distance from the reference model off."""
_NO_FUNCTIONS = frozenset(("chosen", "rejected", "margins", "accuracies", "mean", "std", "min", "max"))
"""What else stands below "rewards/"."""


def reward(first: RunFacts, second: RunFacts) -> Compared | None:
    """Which functions give the reward, and with what weights."""
    options = (option(*names, methods=SURROGATE)(first, second) for names in _OPTIONS)
    return gravest((_functions(first, second), *options))


def _functions(first: RunFacts, second: RunFacts) -> Compared | None:
    one, other = _logged(first), _logged(second)
    if not one or not other or not (first.may_be_of(SURROGATE) and second.may_be_of(SURROGATE)):
        return None
    shown = ", ".join(sorted(one)), ", ".join(sorted(other))
    if one == other:
        return Compared(Agreement.SAME, shown)
    # As many may be the same under other names; and one that weighs nothing is only watched.
    is_open = len(one) == len(other) or any(map(_weighs_nothing, (first, second)))
    return Compared(agreement_of(None if is_open else False), shown)


def _logged(facts: RunFacts) -> frozenset[str]:
    found = (_PART.fullmatch(name) for name in facts.curves.curves)
    return frozenset(each["name"] for each in found if each is not None) - _NO_FUNCTIONS


def _weighs_nothing(facts: RunFacts) -> bool:
    weights = facts.value("reward_weights")
    return isinstance(weights, tuple) and any(finite(each) == 0.0 for each in weights)
