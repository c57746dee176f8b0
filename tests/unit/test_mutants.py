"""The planted faults of `make test-mutants` still fit the code and the tests."""

import pytest

from flashsale_local.paths import ROOT
from tests.mutants.__main__ import FAULTS


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.breaks)
def test_a_planted_fault_fits(fault):
    assert (ROOT / fault.file).read_text().count(fault.text) == 1

    for test in fault.tests:
        path, *_, name = test.split("::")
        assert f"def {name}(" in (ROOT / path).read_text(), test
