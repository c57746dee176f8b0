"""Describes the machine of a run, for the line below its table."""

import os
import platform


def machine() -> str:
    """Return the system, the number of cores and the version of Python, in one line."""
    return f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}"
