"""Runs `flashsale` with the limits of tests."""

import sys

from flashsale_local.cli import main
from tests.helpers.patience import raise_limits

raise_limits()
sys.argv[0] = "flashsale"
main()
