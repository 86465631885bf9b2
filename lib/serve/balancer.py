"""Caddy in front of the processes: which program, and what it is told."""

from __future__ import annotations

import os
import secrets
import shutil
import sysconfig
from collections.abc import Sequence
from typing import Any

HEALTH = "/_stcore/health"
"""Where Streamlit says that it is up."""
KEPT_S = 400 * 24 * 3600
"""How long a browser stays with its process: as long as browsers keep a cookie, since a sign-in may not outlive it.
The next start of the service deals the browsers out anew."""


NEAR = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
"""Where a proxy may be that speaks TLS for us: Caddy passes on what it says of the browser's connection."""


def program() -> str | None:
    """Where Caddy is: beside this Python, where pip puts it, or else on the path."""
    return shutil.which("caddy", path=os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", ""))))


def health(base: str) -> str:
    """Where Streamlit says that it is up, in an app that is served below a path."""
    return f"/{base}{HEALTH}" if base else HEALTH


def configuration(host: str, port: int, ports: Sequence[int], base: str = "", log: str = "console") -> dict[str, Any]:
    """What Caddy shall do, as it reads it from JSON.

    Args:
        host: The numeric address on which it listens.
        port: On which it listens; part of the cookie's name, since a browser keeps one cookie for all ports of a host.
        ports: Of the processes, on the loopback address.
        base: The path below which the app is served, without slashes at its ends.
        log: How Caddy writes its log: ``console`` or ``json``.
    """
    proxy = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"127.0.0.1:{each}"} for each in ports],
        "load_balancing": {
            # A browser without the cookie goes where the fewest tabs are open, and gets it (HttpOnly, SameSite=Lax).
            "selection_policy": {
                "policy": "cookie",
                "name": f"runoff_process_{port}",
                "secret": secrets.token_urlsafe(32),
                "max_age": f"{KEPT_S}s",
                "fallback": {"policy": "least_conn"},
            },
            "try_duration": "10s",
            "try_interval": "100ms",
        },
        "health_checks": {
            # Nobody listens, three times: the process is dead, and its browsers go to another one at once.
            "passive": {"fail_duration": "2s", "max_fails": 3},
            # One that is only busy keeps its browsers: what it knows of them would be lost.
            "active": {"uri": health(base), "interval": "5s", "timeout": "30s", "fails": 2},
        },
        # Shorter than the process keeps a connection, so that none is used that it is just closing.
        "transport": {"protocol": "http", "keep_alive": {"idle_timeout": "2s"}},
    }
    server = {
        "listen": [f"[{host}]:{port}" if ":" in host else f"{host}:{port}"],
        "protocols": ["h1"],
        "automatic_https": {"disable": True},
        # As long as the processes wait; a connection is idle for as long as browsers keep one.
        "read_header_timeout": "15s",
        "idle_timeout": "2m",
        "trusted_proxies": {"source": "static", "ranges": list(NEAR)},
        "routes": [{"handle": [proxy]}],
    }
    return {
        "admin": {"disabled": True, "config": {"persist": False}},
        "logging": {"logs": {"default": {"level": "ERROR", "encoder": {"format": log}}}},
        "apps": {"http": {"grace_period": "1s", "servers": {"runoff": server}}},
    }
