"""What two losses are averages of: which tokens of which texts, against which model, and whether averages at all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from lib.core.aspects.facts import PER_EXAMPLE, Agreement, Compared, RunFacts, agreement_of, option, stated
from lib.core.config.setting import Setting
from lib.core.config.training_method import SURROGATE, Method
from lib.core.facts.limits import Limit
from lib.core.facts.values import finite

REFERENCED = frozenset((Method.DPO, Method.KTO, Method.ONLINE))
"""Their loss is measured against the model that training started from."""

PREFERENCE = frozenset((Method.DPO, Method.KTO, Method.ORPO, Method.CPO, Method.SIMPO, Method.ONLINE))
"""Their loss is scaled by ``beta``."""

# fmt: off
LARGEST_VOCABULARY = Limit(262_144, "Largest vocabulary",
    "A loss above the logarithm of the vocabulary is worse than guessing; where it is not known, this is the largest"
    " in use.")
# fmt: on


def reference(first: RunFacts, second: RunFacts) -> Compared | None:
    """Which model the loss is measured against."""
    if not (first.may_be_of(REFERENCED) and second.may_be_of(REFERENCED)):
        return None
    names = "ref_model", "reference_model", "ref_model_name_or_path", "base_model"
    found = stated(*names)(first, second)
    one, other = first.first(*names), second.first(*names)
    if found.agreement is Agreement.DIFFERENT and one and other and _last_part(one) == _last_part(other):
        # A copy of a model under another owner or folder.
        return found._replace(agreement=Agreement.CANNOT_TELL)
    return found


def _last_part(setting: Setting) -> str:
    return str(setting.value).rsplit("/", 1)[-1]


COUNTS_PROMPTS: Mapping[str, bool] = MappingProxyType(
    {
        "train_on_inputs": True,
        "train_on_prompt": True,
        "completion_only_loss": False,
        "completion_only": False,
        "assistant_only_loss": False,
        "train_on_responses_only": False,
        "train_on_completions_only": False,
        "mask_prompt": False,
        "mask_inputs": False,
    }
)
"""Options about which tokens the loss counts, and whether they count the prompts' where they are on."""

_COUNTED: Mapping[bool | None, str | None] = MappingProxyType(
    {True: "prompts counted", False: "completions only", None: None}
)


def prompts_counted(facts: RunFacts) -> bool | None:
    """Whether the loss counts the tokens of prompts; ``None`` where that is not recorded or contradictory."""
    said = set()
    for name, counted in COUNTS_PROMPTS.items():
        setting = facts.first(name)
        value = None if setting is None else setting.value
        if isinstance(value, bool):
            said.add(value is counted)
    return said.pop() if len(said) == 1 else None


def masking(first: RunFacts, second: RunFacts) -> Compared | None:
    """Whether the tokens of prompts are counted."""
    if any(facts.is_of(PER_EXAMPLE | PREFERENCE | SURROGATE | {Method.PRETRAINING}) for facts in (first, second)):
        return None
    one, other = prompts_counted(first), prompts_counted(second)
    same = None if one is None or other is None else one is other
    return Compared(agreement_of(same), (_COUNTED[one], _COUNTED[other]))


_PACKING = "eval_packing", "eval_sample_packing", "packing"


def packing(first: RunFacts, second: RunFacts) -> Compared | None:
    """Whether texts are packed into one sequence."""
    if any(facts.is_of(PER_EXAMPLE | PREFERENCE | SURROGATE) for facts in (first, second)):
        return None
    return stated(*_PACKING)(first, second)


def length(first: RunFacts, second: RunFacts) -> Compared:
    """Where texts are cut."""
    # Packed data are cut into pieces of that length: it is then the context of every token.
    packed = (facts.first(*_PACKING) for facts in (first, second))
    decides = all(setting is not None and setting.value is True for setting in packed)
    return stated("max_seq_length")(first, second)._replace(decides=decides)


def reduction(first: RunFacts, second: RunFacts) -> Compared | None:
    """Whether the loss is the mean of what is counted, or its sum."""
    said = option("loss_reduction", "reduction", "loss.reduction")(first, second)
    if said is not None and said.agreement is not Agreement.CANNOT_TELL:
        return said
    sums = _may_be_sum(first), _may_be_sum(second)
    if None not in sums and sums[0] != sums[1]:
        shown = tuple("more than guessing gives" if each else "a mean" for each in sums)
        return Compared(Agreement.CANNOT_TELL, (shown[0], shown[1]))
    return said


def _may_be_sum(facts: RunFacts) -> bool | None:
    """Whether no eval loss per token is as low as guessing gives; ``None`` where that cannot be told."""
    losses = facts.curves.get("eval_loss").finite().value
    if not len(losses) or not facts.is_of((Method.SFT, Method.PRETRAINING)):
        return None
    pieces = finite(facts.value("vocab_size")) or LARGEST_VOCABULARY
    return bool(np.min(losses) > math.log(max(pieces, 2.0)))


def eval_batch(first: RunFacts, second: RunFacts) -> Compared | None:
    """Over how many texts at once the tokens are averaged."""
    if any(facts.is_of(PER_EXAMPLE) for facts in (first, second)):
        return None
    found = stated("eval_batch_size")(first, second)
    return found._replace(decides=False) if found.agreement is Agreement.DIFFERENT else None
