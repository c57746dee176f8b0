"""Starts and stops the servers of a stack folder."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from flashsale_local.deployment.sign_in import auth_of, own_secret
from flashsale_local.deployment.target import STACK_NAME, Target
from flashsale_local.problems import Problem
from flashsale_local.stack.localstack import localstack
from flashsale_local.stack.ministack import ministack
from flashsale_local.stack.own_addresses import OwnAddresses
from flashsale_local.stack.port_holders import Port, refuse_taken
from flashsale_local.stack.ports import port_of
from flashsale_local.stack.postgres import postgres
from flashsale_local.stack.program import Program
from flashsale_local.stack.supervisor import Supervisor
from flashsale_local.stack.valkey import valkey

READY_DEADLINE = 60.0

EMULATORS = {"ministack": ministack, "localstack": localstack}

Report = Callable[[str], None]


class Stack:
    """The servers of one stack folder.

    A server whose URL is in `environment` (REDIS_URL, DATABASE_URL, AWS_ENDPOINT_URL) is used, but
    neither started nor stopped, unless it is the stack's own. Servers that run keep their ports
    where the environment names none.
    """

    def __init__(self, directory: Path, environment: Mapping[str, str] = os.environ) -> None:
        self.directory = directory
        self.supervisor = Supervisor(directory)
        self.emulator_name = _emulator(environment)
        known = OwnAddresses(directory, self.supervisor.info(), environment)

        def port(name: str, program: str) -> int:
            return port_of(environment, f"FLASHSALE_{name}_PORT", known.port_of(program))

        self.redis = valkey(directory, port("VALKEY", "valkey"))
        self.database = postgres(directory, port("POSTGRES", "postgres"))
        self.emulator = EMULATORS[self.emulator_name](
            directory, port("EMULATOR", self.emulator_name)
        )
        self.edge_port, self.exporter_port, self.prometheus_port, self.relay_port = (
            port(name.upper(), name) for name in ("edge", "exporter", "prometheus", "relay")
        )
        self.provider_port = port("PROVIDER", "provider")
        self.sign_in_port = port("SIGN_IN", "sign-in")
        self.auth = auth_of(environment)
        self.redis_url = environment.get("REDIS_URL") or self.redis.url
        self.database_url = environment.get("DATABASE_URL") or self.database.url
        self.endpoint_url = environment.get("AWS_ENDPOINT_URL") or self.emulator.url
        self.programs = [
            program
            for program, given in (
                (self.redis, environment.get("REDIS_URL")),
                (self.database, environment.get("DATABASE_URL")),
                (self.emulator, environment.get("AWS_ENDPOINT_URL")),
            )
            if not given or given.rstrip("/") == program.url
        ]

    def up(self, report: Report, *, emulator: bool = True) -> None:
        """Start the servers that do not run, and wait until all answer.

        Raises:
            Problem: a server does not start. Then this call stops everything that it started.

        """
        wanted = [p for p in self.programs if emulator or p is not self.emulator]
        fresh = not self.supervisor.running
        if fresh:
            self.refuse_taken_ports()
        try:
            if fresh:
                for program in wanted:
                    # Preparing PostgreSQL creates its user, which supervisord needs at its start.
                    program.prepare()
                self.supervisor.start(self.programs)
            for program in wanted:
                self.start(program, report)
        except BaseException:
            if fresh:
                self.supervisor.shutdown()
            raise

    def refuse_taken_ports(self, *, asgi: bool = False) -> None:
        """Require that the ports of all servers that do not run yet are free.

        Args:
            asgi: the ASGI edge is to be started, too.

        """
        running = {n for n, row in self.supervisor.info().items() if row["statename"] == "RUNNING"}
        wanted = [_port(program) for program in self.programs]
        if asgi:
            wanted.append(Port("edge", self.edge_port, "FLASHSALE_EDGE_PORT"))
        refuse_taken(port for port in wanted if port.server not in running)

    def add(self, program: Program, report: Report = lambda _: None) -> None:
        """Start or restart a program that was not part of the stack at its start."""
        self.supervisor.replace(program)
        self.start(program, report)

    def start(self, program: Program, report: Report = lambda _: None) -> None:
        """Start one server unless it runs, and wait until it answers."""
        started = time.monotonic()
        info = self.supervisor.info()
        if program.name not in info:
            raise Problem(
                f"The running stack has no {program.name}.", "Run `make down` and try again."
            )
        if info[program.name]["statename"] != "RUNNING":
            if program.port is not None:
                refuse_taken([_port(program)])
            program.prepare()
            self.supervisor.start_program(program.name)
        self._await_ready(program, started)
        where = f" on {program.url}" if program.url else ""
        report(f"{program.name}{where} ({time.monotonic() - started:.1f} s)")

    def _await_ready(self, program: Program, started: float) -> None:
        error: Exception | None = None
        while time.monotonic() < started + READY_DEADLINE:
            try:
                if program.ready():
                    return
            except Exception as caught:  # noqa: BLE001 - each driver has its own errors
                error = caught
            if self.supervisor.info().get(program.name, {}).get("statename") != "RUNNING":
                raise Problem(
                    f"{program.name} ended before it answered. {program.url}",
                    "See its log. `make clean` deletes its data for a fresh start.",
                    program.log(self.directory),
                )
            time.sleep(0.05)
        raise Problem(
            f"{program.name} does not answer. {program.url} {error or ''}",
            "See its log. `make clean` deletes its data for a fresh start.",
            program.log(self.directory),
        )

    def target(self, stack_name: str = STACK_NAME) -> Target:
        """Return the addresses of a deployment to these servers."""
        return Target(
            self.redis_url,
            self.database_url,
            self.endpoint_url,
            stack_name,
            emulator=self.emulator_name,
            auth=self.auth,
            token_secret=own_secret(self.directory),
            webhook_secret=own_secret(self.directory, "webhook-secret"),
            room_secret=own_secret(self.directory, "room-secret"),
        )

    def down(self) -> None:
        """Stop all servers. Their data stays; the emulator's copies of the functions do not."""
        self.supervisor.shutdown()
        for program in self.programs:
            program.tidy()


def _emulator(environment: Mapping[str, str]) -> str:
    name = environment.get("EMULATOR") or "ministack"
    if name not in EMULATORS:
        raise Problem(f"EMULATOR is {name!r}.", f"It should be one of {', '.join(EMULATORS)}.")
    return name


def _port(program: Program) -> Port:
    return Port(program.name, program.port or 0, program.port_variable)
