"""The ASGI edge of the local stack: web workers and the relay process, started and restarted."""

from dataclasses import replace

from flashsale_local.console import report_done
from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCAL
from flashsale_local.stack import edge
from flashsale_local.stack.access import settings_of_function
from flashsale_local.stack.containers import in_containers
from flashsale_local.stack.program import Program
from flashsale_local.stack.stack import Report, Stack
from flashsale_local.stack.watchers import write_scrape_targets


def start_asgi_edge(target: Target) -> Target:
    """Start or restart the web workers and the relay process; return the target with them."""
    if target.asgi_url and in_containers(LOCAL):
        return target  # they are containers, which run already
    stack = Stack(LOCAL)
    web, relay = asgi_programs(stack, target)
    for program in (web, relay):
        stack.add(program, report_done)
    target = replace(target, asgi_url=web.url)
    target.save(LOCAL)
    if target.prometheus_url:
        write_scrape_targets(stack, target)
    return target


def asgi_programs(stack: Stack, target: Target) -> tuple[Program, Program]:
    """Return the web workers and the relay process, with the access settings of buy."""
    settings = settings_of_function(target, "buy")
    web = edge.web(stack.directory, stack.edge_port, target, None, **settings)
    return web, edge.relay(target, stack.relay_port, **settings)


def restart_with_new_settings(stack: Stack, target: Target, report: Report) -> None:
    """Restart what runs of the ASGI edge with settings that are not those of buy.

    Raises:
        Problem: a program did not start again. It is stopped, and its endpoint is closed.

    """
    for program in asgi_programs(stack, target):
        if stack.supervisor.runs_with(program) is False:
            stack.add(program, lambda line: report(f"{line}: had other settings"))
