"""``python -m lib.serve.alone``: start the app in this one process, where somebody can listen as it is told to.

Streamlit would end in a traceback where nobody can.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from lib.serve.listening import PORTS, CannotServe, endpoint, number_from


def command(address: str, port: str, base: str = "") -> list[str]:
    """What is run, in the folder of the app.

    Args:
        address: A name or a number; every address of the machine where it is empty.
        port: A number; 0 for any free one.
        base: The path below which the app is served.

    Raises:
        CannotServe: If nobody can listen there.
    """
    number = number_from(port, "the port", "PORT", PORTS)
    host, _ = endpoint(address.strip(), number)
    # Streamlit takes every name for one of IPv4; of these it shall know the name, which is an origin of its pages.
    listens_at = host if ":" in host or not address.strip() else address.strip()
    return [
        *(sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless=true"),
        *(f"--server.port={number}", f"--server.address={listens_at}"),
        *([f"--server.baseUrlPath={base}"] if base else []),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Become the app; return the exit code where that cannot be."""
    parser = argparse.ArgumentParser(prog="python -m lib.serve.alone", description="Start the app in one process.")
    parser.add_argument("--address", default="localhost", help="where to listen (%(default)s)")
    parser.add_argument("--port", default="8501", help="where to listen, 0 for any free one (%(default)s)")
    parser.add_argument("--base", default="", help="the path below which the app is served (none)")
    options = parser.parse_args(arguments)
    try:
        started = command(options.address, options.port, options.base)
    except CannotServe as error:
        sys.stderr.write(f"{error}\n")
        return 1
    os.execv(started[0], started)


if __name__ == "__main__":
    sys.exit(main())
