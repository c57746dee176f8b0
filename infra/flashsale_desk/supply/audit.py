"""`make audit`: which of our pins have known vulnerabilities, by pip-audit and PyPI's data.

Exit status: 0 none in what we ship, 1 some, 3 nobody could look. Where the data cannot be had,
pip-audit says "No known vulnerabilities found" of packages that it knows nothing of, and ends with
0. So a pin that is known to be vulnerable is asked for first, and what was skipped is told.
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
# CVE-2018-18074, since 2018: whoever does not know it knows nothing.
CANARY = "requests==2.19.0\n"
FOUND, BLIND = 1, 3
CANNOT_LOOK = """\
pip-audit could not look: {why}
Nothing is known about the pins of {files} files, good or bad.
Run `make audit` where PyPI's JSON API answers (pip-audit takes a proxy from HTTPS_PROXY).
AUDIT=strict makes it fail where it could not look.\
"""

Findings = Mapping[str, Sequence[str]]


class Blind(Exception):
    """The data could not be had; the text says why."""


def look(arguments: Sequence[str]) -> Findings:
    """What is known against the pins: ids of vulnerabilities by "name version".

    Raises:
        Blind: not all of them could be looked up.

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
    """What is known against the pins of requirements files; raises Blind."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as canary:
        canary.write(CANARY)
        canary.flush()
        if not look(["--no-deps", "--requirement", canary.name]):
            raise Blind("the source of its data has none about requests 2.19.0")
    files = [word for path in paths for word in ("--requirement", str(path))]
    return look(["--require-hashes", *files])


def main() -> int:
    """Look, tell, and return the exit status."""
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
