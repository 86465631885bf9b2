"""Where to listen: the address and the port as somebody said them, tried before anything is started."""

from __future__ import annotations

import socket

PORTS = range(65536)
COUNTS = range(1, 1025)
"""Of processes: more than any machine has cores for."""


class CannotServe(Exception):
    """The service cannot start, or cannot go on."""


def number_from(text: str, what: str, variable: str, allowed: range) -> int:
    """A whole number, as somebody said it.

    Args:
        text: What was said.
        what: What it is, in words.
        variable: Of ``make``, with which it is said.
        allowed: Which numbers it may be.

    Raises:
        CannotServe: If it is none of them.

    Example:
        >>> number_from(" 8501", "the port", "PORT", PORTS)
        8501
    """
    said = text.strip()
    # A longer text is no number that is allowed, and Python takes its time for thousands of digits.
    number = int(said) if said.isascii() and said.isdecimal() and len(said) <= 20 else None
    if number is None or number not in allowed:
        found = repr(said[:40]) if said else "nothing"
        raise CannotServe(
            f"Expected {what} to be a number from {allowed[0]} to {allowed[-1]}, found {found}: say {variable}=."
        )
    return number


def endpoint(address: str, port: int) -> tuple[str, int]:
    """The numeric address and the port that are meant, IPv4 before IPv6.

    Args:
        address: A name or a number; every address of the machine where it is empty.
        port: 0 for any free one.

    Raises:
        CannotServe: If nobody can listen there.
    """
    if port not in PORTS:
        # The system takes a larger one for what is left of it: 99999 is 34463.
        raise CannotServe(f"Expected the port to be a number from 0 to {PORTS[-1]}, found {port}: say PORT=.")
    try:
        found = socket.getaddrinfo(address or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise CannotServe(
            "Expected an address of this machine, such as localhost or 0.0.0.0,"
            f" found {address[:80]!r} ({_reason(error)}): say ADDRESS=."
        ) from error
    try:
        family, _, _, _, target = min(found, key=lambda each: each[0] != socket.AF_INET)
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
            host, taken = probe.getsockname()[:2]
    except OSError as error:
        named = address or "this machine"
        raise CannotServe(
            f"Port {port} of {named} cannot be used ({_reason(error)}): say PORT= or ADDRESS=."
        ) from error
    return host, taken


def _reason(error: OSError | UnicodeError) -> str:
    return (isinstance(error, OSError) and error.strerror) or "it is no name"
