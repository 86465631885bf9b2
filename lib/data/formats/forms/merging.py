"""One run of the several forms that it was logged in."""

from __future__ import annotations

from collections.abc import Sequence

from lib.data.formats.forms.form import Form


def merged(forms: Sequence[Form]) -> Form:
    """Make one run of its forms.

    Args:
        forms: Those of one run, the leading form first (``same_runs``); at least one.
    """
    return forms[0]
