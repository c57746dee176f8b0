"""Lets this process hold thousands of connections."""

import resource


def allow_files() -> None:
    """Raise the limit of open files as far as this user may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
