"""Arrow's columns as ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np

from lib.data.formats.arrow_arrays import codes_of_array, given_in, numbers_of_array
from lib.data.formats.tables.table import Numbers, Words

_MANY = 10_000
"""So many texts are made Python's at a time."""
_SPACE, _LAST = 0x20, 0x7E
"""A space, and the last of ASCII's letters that are printed."""


def numbers_of_arrow(column: Any, every: np.ndarray | None = None) -> Numbers:
    """A column of 64-bit floats; what is null is not given.

    Args:
        column: Chunks of an array.
        every: A mask of all its rows, for a column that is given in each.
    """
    values = [numbers_of_array(chunk) for chunk in column.chunks]
    value = values[0] if len(values) == 1 else np.concatenate([np.empty(0), *values])
    if every is not None and not column.null_count:
        return Numbers(value, every)
    givens = [given_in(chunk) for chunk in column.chunks]
    return Numbers(value, givens[0] if len(givens) == 1 else np.concatenate([np.empty(0, bool), *givens]))


def words_of_arrow(column: Any) -> Words:
    """A column of texts, or of a dictionary of texts."""
    import pyarrow as pa

    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    coded = coded.unify_dictionaries().combine_chunks()
    if isinstance(coded, pa.ChunkedArray):
        if not coded.num_chunks:
            return Words(np.empty(0, dtype=np.int32), ())
        coded = coded.chunk(0)
    codes = codes_of_array(coded.indices.cast(pa.int32()))
    if len(coded.dictionary) > _MANY:
        return Words(codes, ArrowTexts(coded.dictionary))
    return Words(codes, ["" if each is None else str(each) for each in coded.dictionary.to_pylist()])


class ArrowTexts(Sequence[str]):
    """Arrow's texts, which are Python's only where somebody looks at them: of millions hardly any is."""

    def __init__(self, texts: Any) -> None:
        """Args: texts: An array of texts, none of them null."""
        self.texts = texts
        self._seconds: np.ndarray | None = None
        self._is_no_clock = False

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return ["" if each is None else str(each) for each in self.texts[place].to_pylist()]
        found = self.texts[place].as_py()
        return "" if found is None else str(found)

    def __iter__(self) -> Iterator[str]:
        for begin in range(0, len(self), _MANY):
            yield from self[begin : begin + _MANY]

    def seconds(self) -> np.ndarray | None:
        """Each text as a date and a time, in Unix seconds; ``None`` where one is none. Without a zone it is UTC."""
        if self._seconds is None and not self._is_no_clock:
            import pyarrow as pa

            for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
                try:
                    moments = self.texts.cast(kind).cast(pa.int64()).cast(pa.float64())
                except pa.ArrowException:
                    continue
                self._seconds = numbers_of_array(moments) / 1e6
                return self._seconds
            self._is_no_clock = True
        return self._seconds

    def may_have_spaces(self) -> bool:
        """Whether one of them may begin or end with a space: so does every letter that is none of ASCII's."""
        import pyarrow as pa

        width = np.int64 if pa.types.is_large_string(self.texts.type) else np.int32
        _, offsets, content = self.texts.buffers()
        bounds = np.frombuffer(offsets, dtype=width)[self.texts.offset : self.texts.offset + len(self) + 1]
        letters = np.frombuffer(content, dtype=np.uint8)
        filled = np.diff(bounds) > 0
        firsts: Any = letters[bounds[:-1][filled]]
        lasts: Any = letters[bounds[1:][filled] - 1]
        return any(bool((each <= _SPACE).any() or (each > _LAST).any()) for each in (firsts, lasts))
