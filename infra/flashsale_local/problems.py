"""The exception that commands show as a message, without a traceback."""

from pathlib import Path


class Problem(Exception):
    """A problem that the user can solve.

    Args:
        cause: what is wrong, and where.
        way_out: what to do about it.
        log: a file with details. Its last lines are shown.
        status: the exit status of the command.

    """

    def __init__(self, cause: str, way_out: str, log: Path | None = None, status: int = 1) -> None:
        super().__init__(cause)
        self.cause = cause
        self.way_out = way_out
        self.log = log
        self.status = status

    @property
    def log_tail(self) -> str:
        """The last lines of the log file, or "" without one."""
        if self.log is None or not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])


class StackDown(Problem):
    """A server of the stack does not answer, or no stack was started.

    Args:
        detail: which server, and what its client says.

    """

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"The stack is down. {detail.rstrip('.')}.",
            "`flashsale up` starts the local stack, and `flashsale status` shows what runs. Check "
            "REDIS_URL, DATABASE_URL and AWS_ENDPOINT_URL if you set them.",
        )


class AccessRefused(Problem):
    """A store answers, and rejects the user or the password.

    Args:
        detail: which store, and what it says.

    """

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"A store rejects the user or the password. {detail.rstrip('.')}.",
            "The store runs. Check the user, the password and the permissions of REDIS_URL and "
            "DATABASE_URL. Without these variables, commands use the local stack's own stores.",
        )
