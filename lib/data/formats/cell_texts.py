"""What texts in a column state: numbers, alone or as parts of them; each different text is looked at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lib.core.facts.values import number
from lib.data.formats.arrow_arrays import codes_of_array, numbers_of_array


def numbers_of_texts(texts: Any, make: Callable[[str], float | None] = number) -> tuple[np.ndarray, np.ndarray]:
    """The number that each text states, and whether it states one; each different text is looked at once.

    Args:
        texts: An array of Arrow's.
        make: What a text comes to; ``None`` for no number.
    """
    coded = texts.dictionary_encode()
    made = [make(each) for each in coded.dictionary.to_pylist()]
    codes = codes_of_array(coded.indices)
    values = np.array([np.nan if each is None else each for each in made])
    return values[codes], np.array([each is not None for each in made])[codes]


def groups_in(texts: Any, pattern: str) -> dict[str, np.ndarray] | None:
    """The numbers in the named groups of a pattern that each text has whole, 0 for an empty one.

    Returns:
        ``None`` where a text is otherwise, or empty.
    """
    import pyarrow as pa
    import pyarrow.compute

    compute: Any = pa.compute
    found = compute.extract_regex(texts, pattern=f"^(?:{pattern})$")
    if found.null_count or compute.any(compute.equal(texts, "")).as_py():
        return None
    groups = {}
    for field, column in zip(found.type, found.flatten(), strict=True):
        filled = compute.if_else(compute.equal(column, ""), "0", column)
        groups[field.name] = numbers_of_array(compute.cast(filled, pa.float64()))
    return groups
