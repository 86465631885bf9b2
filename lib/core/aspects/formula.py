"""The formula of a loss: what is computed of a prediction and its target."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from lib.core.aspects.facts import Agreement, Compared, RunFacts, agreement_of, gravest, option
from lib.core.config.training_method import Method, logs_training, states_word
from lib.core.facts.values import finite, text

_FORMULA = (
    "loss_type", "pref_loss", "dpo_loss", "loss_function", "loss_fn", "loss_name", "criterion", "loss.name", "loss.type"
)  # fmt: skip
_IPO, _DEFAULT_OF_DPO = "ipo", "sigmoid"
"""A loss of DPO's trainer that tools also name as a method, and the one that it has where they name DPO."""
_FOCAL_GAMMA = "focal_gamma", "focal_loss_gamma", "loss.gamma"
_FOCAL = "use_focal_loss", "use_focal", "focal_loss"
_WEIGHTS = "class_weights", "class_weight", "use_class_weights", "weighted_loss", "pos_weight", "label_weights"
_TERM = re.compile(r"(?:train/|eval[_/])?nll_loss")
_WITH_TERM = "with the loss of the chosen answers"
_SPELLINGS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "cross entropy": re.compile(r"ce|cross_?entropy|nll|(?:for)?causallm"),
        "binary cross entropy": re.compile(r"bce(?:_?with_?logits)?|binary_?cross_?entropy"),
        "squared error": re.compile(r"mse|l2|mean_squared_error"),
    }
)
_HINTS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "focal loss": re.compile(r"focal"),
        "weighted classes": re.compile(r"(?:class|label)[-_ ]*(?:weight|balanc)|weighted[-_ ]*(?:ce|loss|cross)"),
        "cross entropy": re.compile(r"cross[-_ ]*entropy|(?<![a-z])b?ce(?![a-z])"),
        "dice loss": re.compile(r"(?<![a-z])dice(?![a-z])"),
        "smoothed labels": re.compile(r"(?:label|ls)[-_ ]*smooth"),
    }
)
"""What the name of a run hints at: what somebody meant to do, or compares with, so that nothing follows of it."""


def formula(first: RunFacts, second: RunFacts) -> Compared | None:
    """What is computed of a prediction and its target."""
    found = gravest((_kind(first, second), _gamma(first, second), _weights(first, second), _terms(first, second)))
    hints = _hint(first), _hint(second)
    if found is None and hints[0] != hints[1]:
        return Compared(Agreement.CANNOT_TELL, hints)
    return found


def _kind(first: RunFacts, second: RunFacts) -> Compared | None:
    one, other = _formula_name(first), _formula_name(second)
    if one is None and other is None:
        return None
    one, other = (
        _DEFAULT_OF_DPO if name is None and beside == _IPO and facts.stated == (Method.DPO,) else name
        for name, beside, facts in ((one, other, first), (other, one, second))
    )
    return Compared(agreement_of(None if one is None or other is None else one == other), (one, other))


def _formula_name(facts: RunFacts) -> str | None:
    """The formula under one name for all its spellings; ``None`` where nothing states it."""
    gamma, focal = finite(facts.value(*_FOCAL_GAMMA)), facts.value(*_FOCAL)
    by_option = None
    if gamma is not None or isinstance(focal, bool):
        # A focal loss with a gamma of 0 is what it was made of.
        by_option = "focal" if gamma or (gamma is None and focal) else "cross entropy"
    stated = facts.value(*_FORMULA)
    if stated is None:
        return by_option or (_IPO if states_word(facts.settings, _IPO) else None)
    words = sorted(_spelt(str(each)) for each in (stated if isinstance(stated, tuple) else (stated,)))
    if by_option and words in (["cross entropy"], ["focal"]):
        return by_option
    return " + ".join(words)


def _spelt(word: str) -> str:
    plain = re.sub(r"[\s-]+", "_", word.strip().casefold()).removeprefix("weighted_")
    plain = re.sub(r"_?loss$", "", plain)
    return next((name for name, pattern in _SPELLINGS.items() if pattern.fullmatch(plain)), plain)


def _gamma(first: RunFacts, second: RunFacts) -> Compared | None:
    if {_formula_name(first), _formula_name(second)} != {"focal"}:
        return None
    found = option(*_FOCAL_GAMMA)(first, second)
    return found and found._replace(shown=_prefixed("focal, gamma ", found.shown))


def _terms(first: RunFacts, second: RunFacts) -> Compared | None:
    """Whether a preference loss has the likelihood of the chosen answers in it, which trainers then log by itself."""
    facts = first, second
    one, other = (any(_TERM.fullmatch(name) for name in each.curves.curves) for each in facts)
    if one == other or not all(each.may_be_of({Method.DPO}) and logs_training(each.curves.curves) for each in facts):
        return None
    shown = [_WITH_TERM if has else "without" for has in (one, other)]
    # By its metrics alone it may be of a method that always logs it, and weighs it or not.
    is_known = all(each.stated == (Method.DPO,) for each in facts)
    return Compared(agreement_of(False if is_known else None), (shown[0], shown[1]))


def _prefixed(before: str, shown: tuple[str | None, str | None]) -> tuple[str | None, str | None]:
    one, other = (None if each is None else before + each for each in shown)
    return one, other


def _weights(first: RunFacts, second: RunFacts) -> Compared | None:
    """Weights of classes: only their proportions count, as the loss is divided by their sum."""
    one, other = _class_weights(first), _class_weights(second)
    if not one and not other:
        return None
    shown = _weights_text(one), _weights_text(other)
    if one is None or other is None:
        return Compared(Agreement.CANNOT_TELL, shown)
    if bool(one) != bool(other):
        return Compared(Agreement.DIFFERENT, shown)
    numbers = isinstance(one, tuple) and isinstance(other, tuple)
    # One that is worked out from the data may be the one that is written out.
    return Compared(agreement_of(one == other if numbers else (one == other and one != "on") or None), shown)


def _weights_text(weights: str | tuple[float, ...] | None) -> str | None:
    if weights is None:
        return None
    if isinstance(weights, str):
        return f"class weights: {weights}" if weights else "no class weights"
    return f"class weights: {', '.join(f'{each:.3g}' for each in weights[:5])}{' ...' if len(weights) > 5 else ''}"


def _class_weights(facts: RunFacts) -> str | tuple[float, ...] | None:
    """The weights about their mean; how they come about, as text; "" for none at all; ``None``: not stated."""
    value: object = facts.value(*_WEIGHTS)
    for name in _WEIGHTS:
        if value is None and (inside := facts.inside(name)):
            value = tuple(inside[key] for key in sorted(inside))
    if value is None:
        # The word for the formula may say it.
        return "on" if "weighted" in str(facts.value(*_FORMULA) or "").casefold() else None
    if value is True:
        return "on"
    if value is False:
        return ""
    if isinstance(value, tuple):
        numbers = [number for each in value if (number := finite(each)) is not None]
        if len(numbers) == len(value) and sum(numbers) > 0.0:
            mean = sum(numbers) / len(numbers)
            shares = tuple(round(number / mean, 3) for number in numbers)
            return "" if set(shares) == {1.0} else shares
    word = (text(value) or "").casefold()
    return "" if word in ("none", "false", "null", "no", "1", "1.0") else word


def _hint(facts: RunFacts) -> str | None:
    name = f"{facts.run.name} {facts.run.run_id}".casefold()
    found = [what for what, pattern in _HINTS.items() if pattern.search(name)]
    return f"{found[0]} by its name" if found else None
