"""Links with more fields than Streamlit takes: it would hand the page none of them, and say so in the log alone."""

from __future__ import annotations

from streamlit.runtime.state.query_params import CLIENT_STATE_QUERY_STRING_MAX_FIELDS as MOST_FIELDS

FIELDS = "fields"
"""The parameter that tells the page how many there were."""
_LONGEST = 9


def instead(query: bytes) -> str | None:
    """The query to go to in the place of one with too many fields; ``None`` for one that is taken.

    None of the fields is kept: a proxy may not let so long an address pass in an answer.
    """
    count = query.count(b"&") + 1
    return f"?{FIELDS}={count}" if count > MOST_FIELDS else None


def said(count: str) -> str | None:
    """What the page says of a link that had so many fields; ``None`` where that is no number of too many."""
    if len(count) > _LONGEST or not (count.isascii() and count.isdecimal()) or int(count) <= MOST_FIELDS:
        return None
    return (
        f"Expected a link with at most {MOST_FIELDS:,} fields, got one with {int(count):,}, of which none is used:"
        " copy the link anew from the page where it was made."
    )
