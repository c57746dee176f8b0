"""What the Dockerfile says about the image, for tests that need no Docker."""

import re

from flashsale_local.paths import ROOT

DOCKERFILE = ROOT / "infra" / "flashsale_server" / "Dockerfile"


def variables_of_image():
    """Return the environment variables that the image sets."""
    line = re.compile(r"^(?:ENV)? +([A-Z_]+)=(\S+)", re.MULTILINE)
    return dict(line.findall(DOCKERFILE.read_text()))


def base_of_image():
    """Return the tag of the image on which ours is built."""
    (tag,) = re.findall(r"^ARG PYTHON=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE)
    return tag
