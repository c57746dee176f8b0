"""`make audit`: the pins with known vulnerabilities, by pip-audit and PyPI's data.

Exit status: 0 without a vulnerability in what ships, 1 with one, 3 if pip-audit had no data.
Without data, pip-audit reports "No known vulnerabilities found" and ends with 0. So this module
first asks about a pin that is known to be vulnerable, and reports pins that pip-audit skipped.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from flashsale_desk.supply.pins import SHIPPED, TOOLS
from flashsale_local.console import console
from flashsale_local.paths import ROOT

AUDIT = ROOT / ".venv-audit" / "bin" / "pip-audit"
# CVE-2018-18074 is known since 2018: a source that does not have it has no data.
CANARY = "requests==2.19.0\n"
FOUND, BLIND = 1, 3
CANNOT_LOOK = """\
pip-audit could not look: {why}
So nothing is known about the pins of {files} files.
Run `make audit` where PyPI's JSON API answers (pip-audit takes a proxy from HTTPS_PROXY).
With AUDIT=strict it fails where it could not look.\
"""

Findings = Mapping[str, Sequence[str]]


class Blind(Exception):
    """pip-audit has no data; the text says why."""


def look(arguments: Sequence[str]) -> Findings:
    """Return the ids of known vulnerabilities by "name version" of a pin.

    Raises:
        Blind: pip-audit could not look up all pins.

    """
    command = [str(AUDIT), "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    try:
        dependencies = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        lines = done.stderr.strip().splitlines() or [f"pip-audit ended with {done.returncode}"]
        raise Blind(lines[-1]) from None
    if skipped := [pin["skip_reason"] for pin in dependencies if "skip_reason" in pin]:
        raise Blind(f"{len(skipped)} of {len(dependencies)} pins; {skipped[0]}")
    return {
        f"{pin['name']} {pin['version']}": [vulnerability["id"] for vulnerability in pin["vulns"]]
        for pin in dependencies
        if pin["vulns"]
    }


def audit(paths: Sequence[Path]) -> Findings:
    """Return the known vulnerabilities of the pins in requirements files.

    Raises:
        Blind: pip-audit could not look up all pins.

    """
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as canary:
        canary.write(CANARY)
        canary.flush()
        if not look(["--no-deps", "--requirement", canary.name]):
            raise Blind("the source of its data has none about requests 2.19.0")
    files = [word for path in paths for word in ("--requirement", str(path))]
    return look(["--require-hashes", *files])


def main() -> int:
    """Audit all pins, report, and return the exit status."""
    shipped = list(SHIPPED.values())
    try:
        ours, all_ = audit(shipped), audit([*shipped, *TOOLS])
    except Blind as why:
        said = CANNOT_LOOK.format(why=why, files=len(shipped) + len(TOOLS))
        console.print(said, soft_wrap=True, markup=False)
        return BLIND
    for pin, vulnerabilities in all_.items():
        where = "SHIPPED" if pin in ours else "tools only"
        console.print(f"{where}: {pin}: {', '.join(vulnerabilities)}")
    console.print(f"Pins with known vulnerabilities: {len(ours)} shipped, {len(all_)} in all.")
    return FOUND if ours else 0


if __name__ == "__main__":
    sys.exit(main())
