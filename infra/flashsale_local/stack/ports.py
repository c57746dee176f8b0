"""The ports of the local stack. An environment variable changes each."""

from collections.abc import Mapping

from flashsale_local.problems import Problem

# Valkey and PostgreSQL have other ports than usual, because a developer's machine often runs both.
DEFAULT_PORTS = {
    "FLASHSALE_VALKEY_PORT": 16379,
    "FLASHSALE_POSTGRES_PORT": 15432,
    "FLASHSALE_EMULATOR_PORT": 4566,
    "FLASHSALE_EDGE_PORT": 8000,
    "FLASHSALE_MONITOR_PORT": 8080,
    "FLASHSALE_PROVIDER_PORT": 8090,
    "FLASHSALE_SIGN_IN_PORT": 8091,
    "FLASHSALE_RELAY_PORT": 9465,
    "FLASHSALE_EXPORTER_PORT": 9464,
    "FLASHSALE_PROMETHEUS_PORT": 9090,
    "FLASHSALE_GRAFANA_PORT": 3000,  # only in containers
}


def port_of(environment: Mapping[str, str], variable: str, usual: int | None = None) -> int:
    """Return the port that this variable sets, else `usual`, else the default port."""
    value = environment.get(variable) or str(usual or DEFAULT_PORTS[variable])
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise Problem(f"{variable} is {value!r}.", "It should be a port number, such as 16379.")
    return int(value)
