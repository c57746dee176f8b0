"""The command `flashsale logs`: lines of functions and containers, or the life of one order."""

from collections.abc import Iterable
from typing import Annotated

import typer

from flashsale_local.cli.options import AsJson
from flashsale_local.cli.order_life import FUNCTIONS, print_life
from flashsale_local.console import console, print_json, show
from flashsale_local.deployment.target import Target
from flashsale_local.logs.follow import follow as lines_as_they_come
from flashsale_local.logs.lines import Line, minutes_ago, read_logs
from flashsale_local.logs.order_life import Life
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.stack import compose
from flashsale_local.stack.containers import in_containers
from flashsale_server.log_events import log_group_of

# Minutes to look back.
RECENT = 10


def logs(
    function: Annotated[
        str, typer.Argument(help=f"One of {', '.join(FUNCTIONS)}; or a container, such as edge.")
    ] = "",
    minutes: Annotated[int | None, typer.Option(min=1, help="Minutes to look back.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest lines to show.")] = 100,
    raw: Annotated[bool, typer.Option(help="Include metrics and Lambda's own lines.")] = False,  # noqa: FBT002
    errors: Annotated[  # noqa: FBT002
        bool, typer.Option("--errors", help="Only warnings, errors and timeouts.")
    ] = False,
    ids: Annotated[  # noqa: FBT002
        bool, typer.Option("--ids", help="Show the ids of orders and requests, too.")
    ] = False,
    follow: Annotated[  # noqa: FBT002
        bool, typer.Option("--follow", "-f", help="Print new lines until Ctrl+C.")
    ] = False,
    order: Annotated[
        str | None, typer.Option(help="Show the life of the order with this id.")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Print the newest log lines of the functions, or with --order the life of one order.

    The oldest line comes first. A batch of orders takes one short line. --json prints one JSON
    object for each line. Where the stack runs in containers, the command also prints what a
    container has written, for example edge, relay or exporter.

    Example: [bold]flashsale logs order --minutes 5[/]
    """
    if function and function not in FUNCTIONS:
        container = _container(function)
        if raw or errors or ids or order is not None or as_json:
            raise Problem(
                f"{function} is a container, and its lines are printed as they are.",
                "Use --minutes, --limit and --follow only.",
            )
        compose.logs(container, f"{minutes or RECENT}m", limit, follow=follow)
        return
    if order == "":  # a script's variable is empty; that does not mean all orders
        raise Problem("--order names no order.", "Give an order id, or leave out --order.")
    if order and (follow or errors):
        raise Problem("--order shows everything of one order.", "Leave out --follow and --errors.")
    target = Target.load(LOCAL)
    if order:
        print_life(target, Life(order), minutes, as_json=as_json)
        return

    def wanted(lines: Iterable[Line]) -> list[Line]:
        return sorted(
            line for line in lines if (raw or line.is_ours) and (line.is_alarming or not errors)
        )

    def print_lines(lines: Iterable[Line]) -> None:
        for line in lines:
            if as_json:
                print_json(line.figures)
                continue
            console.print(f"[dim]{line.clock}[/] [cyan]{line.function:8}[/] ", end="")
            show(line.message if raw else line.pretty if ids else line.short)

    groups = [
        log_group_of(target.stack_name, name) for name in ([function] if function else FUNCTIONS)
    ]
    since = minutes_ago(minutes or RECENT)
    found = [line for group in groups for line in read_logs(group, since)]
    print_lines(wanted(found)[-limit:])
    if follow:
        for lines in lines_as_they_come(groups, found, since):
            print_lines(wanted(lines))


def _container(name: str) -> compose.Container:
    """Return the container of a service.

    Raises:
        Problem: there is none in this stack.

    """
    known = compose.containers() if in_containers(LOCAL) else {}
    if name not in known:
        raise Problem(
            f"There is no function {'or container ' * bool(known)}{name!r}.",
            f"Use one of {', '.join([*FUNCTIONS, *sorted(known)])}.",
        )
    return known[name]
