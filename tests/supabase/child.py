"""Run a command that dies with whoever started it: ``python child.py SIGNAL UID GID COMMAND...``.

A program of its own, and not a ``preexec_fn``: that one may deadlock in a process with threads. Started as root,
it gives root up itself, because another user may not be able to read this Python.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    end_signal, uid, gid = map(int, sys.argv[1:4])
    command = sys.argv[4:]
    parent = os.getppid()
    # Ctrl-C in a terminal goes to every process of a session; these are ended by their starter, in order.
    os.setsid()
    if os.geteuid() == 0 and uid:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After the change of user, which would clear it; it survives exec.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, end_signal)
        if os.getppid() != parent:
            sys.exit("The process that started this one has ended.")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
