"""Names of modules in lists such as ``target_modules``: which cannot be right, and what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lib.core.config.setting import Oddity, Remark
from lib.core.config.values import show

_NAMES = (
    "q_proj k_proj v_proj o_proj out_proj gate_proj up_proj down_proj gate_up_proj qkv_proj in_proj x_proj dt_proj"
    " output_proj q_a_proj q_b_proj kv_a_proj_with_mqa kv_b_proj query_key_value dense dense_h_to_4h dense_4h_to_h"
    " query key value query_proj key_proj value_proj q_lin k_lin v_lin out_lin q k v o wi wi_0 wi_1 wo wq wk wv w1"
    " w2 w3 Wqkv wqkv c_attn c_proj c_fc fc1 fc2 fc_in fc_out linear_q linear_k linear_v linear_qkv linear_proj"
    " linear_fc1 linear_fc2 att_proj ff_proj attn_out ff_out to_q to_k to_v to_out lm_head embed_tokens embed_out"
    " embed_in score classifier all-linear all_linear embeddings embedding word_embeddings conv1d"
)
KNOWN_MODULES = frozenset(_NAMES.split())
"""What the linear layers of common language models are called.

After PEFT's ``TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING``. A model may well have others: a name
that is not among them is no mistake for that reason alone.
"""

SHORTEST_TYPO = 5
"""Shorter names are never taken for misspelt ones: too many real names are one letter apart."""

_STRAY = " \t\r\n:;,'\"`"
_MODULE_NAME = re.compile(r"[^\s:;,'\"`]+")
_PATTERN = re.compile(r"[()\[\]|*+?\\^$]")
_PLAIN_NAME = re.compile(r"[A-Za-z][\w.-]*")


def misspelt(value: Any) -> Iterator[Remark]:
    """Name the items of a list of modules that are no name of a module, or nearly the name of a known one.

    Args:
        value: The value of the setting; text is a list separated by commas.
    """
    items = value if isinstance(value, tuple) else value.split(",") if isinstance(value, str) else ()
    for item in items:
        if not isinstance(item, str) or _PATTERN.search(item):
            continue
        item = item if isinstance(value, tuple) else item.strip()
        if not _MODULE_NAME.fullmatch(item):
            meant = item.strip(_STRAY)
            guess = f" Probably {show(meant)} was meant." if _MODULE_NAME.fullmatch(meant) else ""
            if meant not in KNOWN_MODULES and (near := nearest_module(meant)):
                guess = f" Probably {near} was meant."
            sentence = f'The list holds "{item}", which is not the name of a module.{guess}'
            yield Remark(Oddity.TYPO, sentence)
        elif near := nearest_module(item):
            yield Remark(Oddity.TYPO, f'The list holds "{item}", which looks like a typo. Probably {near} was meant.')


def nearest_module(name: str) -> str | None:
    """Return the one known module that ``name`` is a slip of the pen away from, else ``None``.

    A slip is one letter too many, missing, wrong, or swapped with its neighbour, or a difference of case
    or separator. Numbers and patterns are no slips, and where several modules are as near none is named.

    Example:
        >>> nearest_module("down_porj"), nearest_module("gate-proj"), nearest_module("x.self_attn.q_porj")
        ('down_proj', 'gate_proj', 'q_proj')
        >>> nearest_module("w_proj"), nearest_module("q_proj"), nearest_module("dense1")
        (None, None, None)
    """
    last = name.rsplit(".", 1)[-1]
    if len(last) < SHORTEST_TYPO or last in KNOWN_MODULES or not _PLAIN_NAME.fullmatch(last):
        return None
    folded = _BY_FOLDED.get(_folded(last), set())
    near = set(folded) or {known for known in KNOWN_MODULES if len(known) >= SHORTEST_TYPO and _is_slip(last, known)}
    return near.pop() if len(near) == 1 else None


def _folded(name: str) -> str:
    return re.sub(r"[-_]", "", name).lower()


_BY_FOLDED: Mapping[str, set[str]] = {
    _folded(name): {each for each in KNOWN_MODULES if _folded(each) == _folded(name)} for name in KNOWN_MODULES
}


def _is_slip(one: str, other: str) -> bool:
    """Whether one letter was added, dropped, replaced or swapped with the next (optimal string alignment of 1)."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    changed = one[start : start + 1] + other[start : start + 1]
    if any(character.isdigit() for character in changed):
        return False
    left, right = one[start:], other[start:]
    swapped = left[:2] == right[:2][::-1] and left[2:] == right[2:]
    return left[1:] == right or left == right[1:] or left[1:] == right[1:] or swapped
