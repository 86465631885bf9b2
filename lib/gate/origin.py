"""Where a request comes from: the app's own pages, or those of somebody else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def is_https(scheme: str, headers: Mapping[str, str]) -> bool:
    """Whether the browser speaks TLS: with us, or with a proxy that says so, which no page can.

    Args:
        scheme: Of the connection that came here.
        headers: Of the request, by their names in small letters.
    """
    said = headers.get("x-forwarded-proto", "").split(",")[0].strip().lower()
    return said in ("https", "wss") if said else scheme in ("https", "wss")


def is_own(scheme: str, headers: Mapping[str, str], allowed: Collection[str] = (), names: Collection[str] = ()) -> bool:
    """Whether a request comes from the app's own origin, or from nobody's page at all.

    Args:
        scheme: Of the connection that came here.
        headers: Of the request, by their names in small letters.
        allowed: Further origins that the operator has named.
        names: Hosts, with their ports where these are not the usual ones, at which the operator says that the app is.
    """
    origin = headers.get("origin")
    if origin is None:
        # Browsers always say it; other programs have no cookie but their own.
        return True
    if origin in allowed:
        return True
    theirs = _place(origin)
    if theirs is None or (is_https(scheme, headers) and theirs[0] != "https"):
        return False
    # A proxy that asks under another name says which the browser asked for. A page cannot set either.
    named = (headers.get("host", ""), headers.get("x-forwarded-host", "").split(",")[0].strip(), *names)
    return any(_place(f"{theirs[0]}://{each}") == theirs for each in named if each)


def _place(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an origin; ``None`` where it is none."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None or parts.path:
        return None
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme]
