"""The run list's filter and search as conditions that the database looks for."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from lib.core.facts.runs import STATUS_SYNONYMS, RunStatus
from lib.core.facts.sizes import LONGEST_SEARCH
from lib.data.supabase.client import Columns

SEARCHED = ("model_name", "dataset_path", "base_model")
NONE = "id.is.null"
"""A condition that no row fulfils."""
_LOWEST_ID, _HIGHEST_ID = (str(UUID(int=number)) for number in (0, 2**128 - 1))


def is_uuid(text: str) -> bool:
    """Whether a text is an id that the database can know, written as it writes it."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def of_status(rows: Any, status: RunStatus | None, columns: Columns) -> Any:
    """Only runs of a status; those whose words nobody knows are of none that has words."""
    if status is None:
        return rows
    known = [status] if status in STATUS_SYNONYMS else list(STATUS_SYNONYMS)
    words = "|".join(re.escape(word) for each in known for word in STATUS_SYNONYMS[each])
    pattern = rf"^\s*({words})\s*$"
    if status in STATUS_SYNONYMS:
        return rows.filter("status", "imatch", pattern) if "status" in columns else rows.or_(NONE)
    return rows.or_(f"status.is.null,status.not.imatch.{_quoted(pattern)}") if "status" in columns else rows


def searched(rows: Any, search: str, columns: Columns) -> Any:
    """Every word must occur in one of the columns, or begin the id."""
    # What no text in the database can hold must find nothing, not fail.
    text = search[:LONGEST_SEARCH].replace("\x00", "\ufffe").encode("utf-8", "replace").decode("utf-8")
    for word in text.split():
        places = [f"{column}.imatch.{_quoted(re.escape(word))}" for column in SEARCHED if column in columns]
        if bounds := _id_bounds(word.lower()):
            places.append("and(id.gte.{},id.lte.{})".format(*bounds))
        rows = rows.or_(",".join(places or [NONE]))
    return rows


def _id_bounds(prefix: str) -> tuple[str, str] | None:
    """The least and the greatest uuid with this beginning, if there are any."""
    low, high = (prefix + end[len(prefix) :] for end in (_LOWEST_ID, _HIGHEST_ID))
    return (low, high) if prefix and is_uuid(low) and is_uuid(high) else None


def _quoted(value: str) -> str:
    """A value inside a list of conditions."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
