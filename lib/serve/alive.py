"""``python -m lib.serve.alive``: ends with 0 where the app on this machine answers. The health check of a container."""

from __future__ import annotations

import argparse
import http.client
import os
import sys
from collections.abc import Sequence

from lib.serve.balancer import health

TIMEOUT_S = 8.0


def is_alive(port: int, base: str = "") -> bool:
    """Whether the app says that it is up.

    Args:
        port: Of the loopback address.
        base: The path below which the app is served, without slashes at its ends.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", health(base))
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lib.serve.alive", description="Ask whether the app is up.")
    parser.add_argument("--port", type=int, default=8501, help="where it listens (%(default)s)")
    base = os.environ.get("STREAMLIT_SERVER_BASE_URL_PATH", "").strip("/")
    return 0 if is_alive(parser.parse_args(arguments).port, base) else 1


if __name__ == "__main__":
    sys.exit(main())
