"""What every answer tells the browser it may do."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

import streamlit

from lib.gate.settings import IN_FORCE

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_OFF = ("camera", "display-capture", "geolocation", "gyroscope", "accelerometer", "magnetometer", "microphone")
_NEVER = ("midi", "payment", "publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking")

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    # Pages of this origin may frame it, as a host does that shows the app in a page of its own.
    **({} if IN_FORCE.framed_by else {"x-frame-options": "SAMEORIGIN"}),
    # With "no-referrer" the browser would say no origin either, which we ask for.
    "referrer-policy": "same-origin",
    "permissions-policy": ", ".join(f"{name}=()" for name in (*_OFF, *_NEVER)),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""Headers of every answer."""
FILE_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""The policy of files that are downloaded: they run nothing, wherever they are opened."""


@cache
def page_policy() -> str:
    """The content security policy of the app's pages: nothing but what this server sends.

    Streamlit makes the scripts of components from texts of the page (``blob:``), and writes styles into it.
    """
    return _policy(script=" ".join(("'self'", "blob:", *_streamlit_scripts())))


@cache
def component_policy() -> str:
    """The policy of the frames that components are: AG Grid evaluates the expressions of its columns."""
    return _policy(script="'self' 'unsafe-eval'")


def _policy(script: str) -> str:
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src {script}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' data: blob:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "frame-src 'self'",
            " ".join(("frame-ancestors 'self'", *IN_FORCE.framed_by)),
            "form-action 'self'",
            "base-uri 'none'",
            "object-src 'none'",
        )
    )


def _streamlit_scripts() -> tuple[str, ...]:
    """The scripts that stand in Streamlit's own page, as a policy names them."""
    page = Path(streamlit.__file__).parent / "static" / "index.html"
    texts = _INLINE.findall(page.read_text(encoding="utf-8"))
    return tuple(f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in texts)
