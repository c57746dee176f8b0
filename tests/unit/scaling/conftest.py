"""Inputs of `flashsale model`: the shipped ones, and round numbers."""

import pytest

from flashsale_desk.scaling.inputs import load
from tests.unit.scaling.figures import ROUND


@pytest.fixture(scope="module")
def shipped():
    return load()


@pytest.fixture(scope="module")
def pencil():
    return load(overrides=ROUND)
