"""supervisord, which runs the servers after the command that started them has ended."""

import configparser
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast
from xmlrpc.client import Fault, ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

from flashsale_local.problems import Problem
from flashsale_local.stack.program import Program

START_DEADLINE = 15.0
STOP_DEADLINE = 60.0

# Addresses of servers, and access settings. Each program gets its own at each start, and inherits
# none from the command that started supervisord.
NOT_INHERITED = {
    "REDIS_URL", "DATABASE_URL", "ORDERS_QUEUE_URL", "AUTH", "CORS_ORIGINS", "TRUSTED_PROXIES",
    "PROVIDER_URL", "PROVIDER_KEY", "ROOM_SECRET", "SHOP_PAY_URL", "SHOP_SIGN_IN_URL",
}  # fmt: skip
NOT_INHERITED_PREFIXES = ("AWS_", "PYTHON", "JWT_", "RATE_LIMIT_")
# What startProcess says of a program that runs, or that ran and has ended already.
STARTED = ("ALREADY_STARTED", "SPAWN_ERROR", "ABNORMAL_TERMINATION")


class Supervisor:
    """The supervisord of one stack folder."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._config = directory / "supervisord.conf"
        self._programs = directory / "programs"  # one file each, so that each can be replaced alone
        self._log = directory / "logs" / "supervisord.log"
        self._pidfile = directory / "supervisord.pid"
        # Not below `directory`, because the path of a socket may have only about 100 characters.
        digest = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:12]
        self._socket = Path(tempfile.gettempdir()) / f"flashsale-{os.geteuid()}-{digest}.sock"

    @property
    def url(self) -> str:
        """The address that supervisord gives its programs in SUPERVISOR_SERVER_URL."""
        return f"unix://{self._socket}"

    @property
    def running(self) -> bool:
        """Whether supervisord answers."""
        try:
            self._call("getState")
        except OSError:
            return False
        return True

    def start(self, programs: Sequence[Program]) -> None:
        """Start supervisord. It knows these programs, but does not start them."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self._programs, ignore_errors=True)
        self._programs.mkdir()
        self._write_config()
        for program in programs:
            self._write_program(program)
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._config)]
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(NOT_INHERITED_PREFIXES) and name not in NOT_INHERITED
        }
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        deadline = time.monotonic() + START_DEADLINE
        while not self.running:
            if done.returncode or time.monotonic() > deadline:
                raise Problem(
                    f"supervisord did not start: {done.stderr.strip()}",
                    "Run `make clean` and try again.",
                    self._log,
                )
            time.sleep(0.05)

    def replace(self, program: Program) -> None:
        """Stop a program if it runs, and give supervisord its new definition."""
        self.remove(program.name)
        self._write_program(program)
        self._call("reloadConfig")
        self._call("addProcessGroup", program.name)

    def remove(self, name: str) -> None:
        """Stop a program if it runs, and let supervisord forget it."""
        if name in self.info():
            self.stop_program(name)
            self._call("removeProcessGroup", name)
        (self._programs / f"{name}.conf").unlink(missing_ok=True)

    def start_program(self, name: str) -> None:
        """Start one program. This does not wait until it answers.

        A program that ends at once is no error here, because supervisord does not always see it.
        """
        try:
            self._call("startProcess", name)
        except Fault as fault:
            if fault.faultString.partition(":")[0] not in STARTED:
                raise

    def stop_program(self, name: str) -> None:
        """Stop one program in an orderly way, and wait until it has ended."""
        try:
            self._call("stopProcess", name)
        except Fault as fault:
            if "NOT_RUNNING" not in fault.faultString:
                raise
        # An earlier call that was interrupted (Ctrl-C) may be stopping it.
        while self.info().get(name, {}).get("statename") == "STOPPING":
            time.sleep(0.02)

    def kill_program(self, name: str) -> None:
        """Send SIGKILL to a program and its children, as if the machine had failed."""
        process = psutil.Process(int(self.info()[name]["pid"]))
        process.suspend()  # or it would replace a killed child
        doomed = [*process.children(recursive=True), process]
        for one in doomed:
            with suppress(psutil.NoSuchProcess):  # a child may have ended already
                one.kill()
        psutil.wait_procs(doomed, STOP_DEADLINE)  # its port is taken until the last one has ended
        while self.info()[name]["statename"] == "RUNNING":  # until supervisord has noticed
            time.sleep(0.02)

    def info(self) -> dict[str, dict[str, Any]]:
        """Return state, process id and start time of each program, by name.

        {} if supervisord does not run, or is shutting down.
        """
        try:
            rows = cast("list[dict[str, Any]]", self._call("getAllProcessInfo"))
        except OSError:
            return {}
        except Fault as fault:
            if "SHUTDOWN_STATE" not in fault.faultString:
                raise
            return {}
        return {row["name"]: row for row in rows}

    def environment_of(self, name: str) -> dict[str, str] | None:
        """Return the environment of a running program; None if it does not run.

        {} if this user may not read it.
        """
        pid = int(self.info().get(name, {}).get("pid") or 0)
        try:
            return psutil.Process(pid).environ() if pid else None
        except psutil.NoSuchProcess:
            return None
        except psutil.AccessDenied:
            return {}

    def runs_with(self, program: Program) -> bool | None:
        """Return whether a program has the settings of this definition; None if it does not run."""
        has = self.environment_of(program.name)
        return None if has is None else program.environment.items() <= has.items()

    def shutdown(self) -> None:
        """Stop all programs, then supervisord, and wait until it has ended."""
        if not self.running:
            return
        pid = int(cast("int", self._call("getPID")))
        self._call("shutdown")
        deadline = time.monotonic() + STOP_DEADLINE
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                raise Problem(
                    f"supervisord (process {pid}) does not stop.", f"Run `kill {pid}`.", self._log
                )
            time.sleep(0.05)

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport("", "", self.url)
        with ServerProxy("http://127.0.0.1", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)

    def _write_config(self) -> None:
        config = configparser.RawConfigParser()
        config["unix_http_server"] = {"file": str(self._socket), "chmod": "0700"}
        config["rpcinterface:supervisor"] = {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        }
        config["supervisord"] = _escaped(
            {"logfile": str(self._log), "pidfile": str(self._pidfile), "loglevel": "info"}
            | ({"user": "root"} if os.geteuid() == 0 else {})
        )
        config["include"] = {"files": f"{self._programs.name}/*.conf"}
        with self._config.open("w") as file:
            config.write(file)

    def _write_program(self, program: Program) -> None:
        config = configparser.RawConfigParser()
        config[f"program:{program.name}"] = _escaped(self._section(program))
        path = self._programs / f"{program.name}.conf"
        path.touch(mode=0o600)  # the environment may have passwords
        with path.open("w") as file:
            config.write(file)

    def _section(self, program: Program) -> dict[str, str]:
        pairs = ",".join(f'{name}="{value}"' for name, value in program.environment.items())
        return {
            "command": shlex.join(program.command),
            "environment": pairs,
            "autostart": "false",
            # A server that ends stays down, because faults are to be seen here.
            "autorestart": "false",
            "startsecs": "0",
            "stopsignal": program.stop_signal,
            "stopwaitsecs": "20",
            "stopasgroup": "true" if program.stop_signal == "TERM" else "false",
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": str(program.log(self._directory)),
        } | ({"user": program.user} if program.user else {})


def _escaped(section: dict[str, str]) -> dict[str, str]:
    return {name: value.replace("%", "%%") for name, value in section.items()}
