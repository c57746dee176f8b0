"""The bill of materials of the image itself: its Python packages, and the packages of Debian.

`make sbom` calls this with .venv-audit, which has the library of CycloneDX.
"""

import json
import sys
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL


def add_image(bill: Path, copied: Path, image: dict[str, str]) -> None:
    """Add to a bill of Python packages what else is in the image, and what the bill is of.

    Args:
        bill: the file, which is written again.
        copied: a folder with `status`, dpkg's list, and `os-release` of the image.
        image: its `name`, `version` and `digest`, and `python`, the version of Python that is no
            package of Debian, or "".

    """
    bom = Bom.from_json(json.loads(bill.read_text()))
    release = _assignments((copied / "os-release").read_text())
    added = [_system(release), *_packages((copied / "status").read_text(), release)]
    if python := image["python"]:
        purl = PackageURL("generic", None, "python", python)
        added.append(
            Component(
                type=ComponentType.PLATFORM,
                name="python",
                version=python,
                purl=purl,
                bom_ref=str(purl),
            )
        )
    root = Component(
        type=ComponentType.CONTAINER,
        name=image["name"],
        version=image["version"],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=image["digest"])],
        bom_ref=bom.metadata.component.bom_ref,
    )
    bom.metadata.component = root
    bom.components.update(added)
    bom.register_dependency(root, added)
    bill.write_text(JsonV1Dot6(bom).output_as_string(indent=2) + "\n")


def _system(release: dict[str, str]) -> Component:
    return Component(
        type=ComponentType.OPERATING_SYSTEM,
        name=release["ID"],
        version=release["VERSION_ID"],
        description=release["PRETTY_NAME"],
        bom_ref=f"{release['ID']}@{release['VERSION_ID']}",
    )


def _packages(status: str, release: dict[str, str]) -> Iterator[Component]:
    """Return the installed packages of dpkg's list."""
    for paragraph in status.strip().split("\n\n"):
        package = HeaderParser().parsestr(paragraph)
        if package["Status"] != "install ok installed":
            continue
        name, version = package["Package"], package["Version"]
        qualifiers = {
            "arch": package["Architecture"],
            "distro": f"{release['ID']}-{release['VERSION_ID']}",
        }
        purl = PackageURL("deb", release["ID"], name, version, qualifiers)
        yield Component(name=name, version=version, purl=purl, bom_ref=purl.to_string())


def _assignments(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: value.strip('"') for name, _, value in pairs}


if __name__ == "__main__":
    add_image(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))
