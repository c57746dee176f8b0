"""Errors whose cause is outside this process. They are logged without a traceback."""

from botocore.exceptions import BotoCoreError, ClientError
from httpx import HTTPError

from flashsale.errors import FlashsaleError
from flashsale_local.problems import Problem

EXPECTED_ERRORS = (FlashsaleError, Problem, BotoCoreError, ClientError, HTTPError, OSError)
