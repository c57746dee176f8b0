"""Inputs of `flashsale model`: those that are shipped, and round ones."""

import pytest

from flashsale_desk.scaling.inputs import load
from tests.unit.scaling.figures import ROUND


@pytest.fixture(scope="module")
def shipped():
    return load()


@pytest.fixture(scope="module")
def pencil():
    return load(overrides=ROUND)
