"""The licences of the packages that we ship: `make licences` writes docs/licences.md.

They are read from this environment, which has the same versions as the pins. A test compares them.
"""

import re
from importlib.metadata import PackageNotFoundError, metadata

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from flashsale_desk.supply.pins import SHIPPED, read_pins
from flashsale_local.paths import ROOT
from flashsale_local.problems import Problem

PAGE = ROOT / "docs" / "licences.md"
MARK = "<!-- What follows is made by `make licences`. -->"

# The licences that can ship beside code under MIT, and what each requires to be shipped with it.
ALLOWED = {
    "0BSD": "nothing",
    "Apache-2.0": "its text, its NOTICE, a notice of changes",
    "BSD-2-Clause": "its text",
    "BSD-3-Clause": "its text",
    "ISC": "its text",
    "LGPL-3.0-only": "its text, and that the recipient may replace the library",
    "MIT": "its text",
    "MIT-0": "nothing",
    "MPL-2.0": "its text, and the source of its own files",
    "PSF-2.0": "its text",
}

# Licences of packages with vague metadata, read from the licence files in them.
_READ = {
    "aws-lambda-powertools": "MIT-0",
    "click": "BSD-3-Clause",
    "fastapi-swagger": "MIT AND Apache-2.0",  # the second is Swagger UI's
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "uvloop": "Apache-2.0 OR MIT",
}
# Names that are not SPDX expressions and have only one meaning.
_NAMES = {
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


def licence(package: str) -> str:
    """Return the SPDX expression of a package's licence.

    Raises:
        Problem: the package is not installed, or its metadata has no licence that can be parsed.

    """
    try:
        said = metadata(package)
    except PackageNotFoundError as error:
        raise Problem(
            f"{package} is shipped and not installed here.", "Run `make setup`."
        ) from error
    classifiers = [str(c) for c in said.get_all("Classifier") or () if str(c).startswith("License")]
    found = [
        _READ.get(package),
        *(said.get_all("License-Expression") or ()),
        *(said.get_all("License") or ()),
        *(classifier.rpartition(" :: ")[2] for classifier in classifiers),
    ]
    for name in found:
        try:
            return str(canonicalize_license_expression(_NAMES.get(name or "", name or "")))
        except InvalidLicenseExpression:
            continue
    raise Problem(
        f"{package} has no licence in its metadata that can be parsed: {found}.",
        "Read the licence files in it, and add it to infra/flashsale_desk/supply/licences.py.",
    )


def is_allowed(expression: str) -> bool:
    """Return whether we can ship it: all parts of one of its alternatives are in ALLOWED."""
    return any(
        all(part in ALLOWED for part in alternative.split(" AND "))
        for alternative in expression.split(" OR ")
    )


def shipped() -> dict[str, list[str]]:
    """Return what each package ships in, sorted by package."""
    found: dict[str, list[str]] = {}
    for name, path in SHIPPED.items():
        for pin in read_pins(path):
            if pin.is_shipped:
                found.setdefault(pin.name, []).append(name)
    return dict(sorted(found.items()))


def page() -> str:
    """Return the page as it should be: its written part, and the tables.

    Raises:
        Problem: a package has a licence that is not in ALLOWED.

    """
    written = PAGE.read_text().partition(MARK)[0]
    rows = []
    for package, where in shipped().items():
        if not is_allowed(expression := licence(package)):
            raise Problem(
                f"{package} is under {expression}, which is not among {', '.join(ALLOWED)}.",
                "Remove the package, or read what its licence requires and add it to ALLOWED in "
                "infra/flashsale_desk/supply/licences.py.",
            )
        rows.append(f"| {package} | {expression} | {', '.join(where)} |")
    used = set(re.findall(r"[\w.-]+", " ".join(row.split("|")[2] for row in rows))) & set(ALLOWED)
    required = [f"| {name} | {ALLOWED[name]} |" for name in sorted(used)]
    return "\n".join(
        [
            f"{written}{MARK}\n",
            "| package | licence | shipped in |\n|---|---|---|",
            *rows,
            "\n| licence | what must ship with it |\n|---|---|",
            *required,
            "",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(page())
