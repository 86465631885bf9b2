"""Known vulnerabilities of what is installed, by ``pip-audit`` and the database of OSV: ``make audit``.

    python -m tests.deploy.audit PIP_AUDIT [further arguments of it]

Ends with 1 where one is known, and with 0 where none is, or where the database cannot be reached: then it says that
nothing was looked up.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from collections.abc import Sequence

UNREACHABLE = ("ConnectionError", "ConnectTimeout", "ReadTimeout", "ProxyError", "SSLError", "ServiceError")
"""How the last line begins, but for the module, when no answer came."""


def main(arguments: Sequence[str]) -> int:
    """Ask, say what came, and return the exit code."""
    program, *further = arguments
    command = [
        *(program, "--path", sysconfig.get_path("purelib"), "--vulnerability-service", "osv", "--format", "json"),
        *("--progress-spinner", "off", *further),
    ]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    code, said = result(done.returncode, done.stdout, done.stderr)
    sys.stdout.write(said + "\n")
    return code


def result(code: int, output: str, errors: str) -> tuple[int, str]:
    """What a run of pip-audit came to.

    Args:
        code: Its exit code.
        output: Its standard output: JSON where it came to an end.
        errors: Its standard error.

    Returns:
        Our exit code, and what to say.
    """
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        last = errors.strip().splitlines()[-1] if errors.strip() else "it said nothing"
        if last.split(":")[0].rsplit(".", 1)[-1] in UNREACHABLE:
            return 0, "The database of vulnerabilities could not be reached: nothing was looked up."
        return code or 1, f"pip-audit failed: {last}"
    looked_up = [each for each in packages if "vulns" in each]
    lines = [
        f"{each['name']} {each['version']}: {vuln['id']}, mended in {', '.join(vuln['fix_versions']) or 'no version'}"
        for each in looked_up
        for vuln in each["vulns"]
    ]
    lines += [f"{each['name']} was not looked up: {each['skip_reason']}" for each in packages if "vulns" not in each]
    known = sum(bool(each["vulns"]) for each in looked_up)
    lines.append(f"{len(looked_up)} packages were looked up; {known or 'none'} with a known vulnerability.")
    return int(known > 0), "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
