"""`make spike`: run a flash sale's load by k6 on the running stack, and then show the books."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from flashsale_local.command_line import run_command_line
from flashsale_local.console import console, errors, print_json, show_table
from flashsale_local.deployment.sign_in import refuse_tokens
from flashsale_local.deployment.target import Edge, Target, with_services
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.sale.books_table import books_table
from flashsale_local.stack.asgi import start_asgi_edge
from flashsale_local.stack.left_running import tell_what_runs
from loadtest.profiles import PROFILES
from loadtest.spike import room_outcome
from loadtest.spike.outcome import figures, findings
from loadtest.spike.room import RoomSpike, hold_with_room
from loadtest.spike.sale import Spike, hold
from loadtest.spike.view import result_table, room_table

# The emulator runs a process for each execution environment, which a laptop cannot scale.
SCALES = {Edge.ASGI: 1.0, Edge.LAMBDA: 0.1}


def spike(
    generation: Annotated[int, typer.Option(envvar="GEN", min=1, max=5)] = 5,
    edge: Annotated[Edge, typer.Option(envvar="EDGE")] = Edge.ASGI,
    profile: Annotated[
        str, typer.Option(envvar="PROFILE", help="A profile of profiles.json.")
    ] = "spike",
    scale: Annotated[
        float | None,
        typer.Option(
            envvar="SCALE", min=0, help="Multiplies the rates. Default: 1, on lambda 0.1."
        ),
    ] = None,
    stock: Annotated[
        int | None,
        typer.Option(
            envvar="STOCK", min=0, help="Units of the new product. Default: 5000, in a room 60."
        ),
    ] = None,
    product: Annotated[
        str, typer.Option(envvar="PRODUCT", help="Sell this product instead of a new one.")
    ] = "",
    p95_ms: Annotated[
        float, typer.Option(envvar="P95_MS", help="Service level: p95 of accepted purchases in ms.")
    ] = 1000.0,
    error_rate: Annotated[
        float, typer.Option(envvar="ERROR_RATE", help="Service level: share of failed purchases.")
    ] = 0.01,
    max_vus: Annotated[
        int,
        typer.Option(envvar="MAX_VUS", min=1, help="Maximum of buyers that wait at the same time."),
    ] = 2000,
    room: Annotated[  # noqa: FBT002
        bool, typer.Option(envvar="ROOM", help="Sell from behind a waiting room.")
    ] = False,
    buyers: Annotated[
        int, typer.Option(envvar="BUYERS", min=1, max=2000, help="Buyers in the room.")
    ] = 300,
    per_minute: Annotated[
        int, typer.Option(envvar="PER_MINUTE", min=1, help="Calls a minute, at most.")
    ] = 300,
    max_inside: Annotated[
        int, typer.Option(envvar="MAX_INSIDE", min=1, help="Buyers inside at once, at most.")
    ] = 10,
    no_shows: Annotated[
        float,
        typer.Option(envvar="NO_SHOWS", min=0, max=1, help="Share of the called who never come."),
    ] = 0.3,
    as_json: Annotated[  # noqa: FBT002
        bool, typer.Option("--json", envvar="JSON", help="Print JSON, for scripts.")
    ] = False,
) -> None:
    """Run a sale under k6's load.

    The exit status is 1 if the service level was missed, if the books are wrong, or if k6 could not
    send the load of the profile.
    """
    if profile not in (known := json.loads(PROFILES.read_text())):
        raise Problem(f"There is no profile {profile!r}.", f"Use one of {', '.join(known)}.")
    target = Target.load(LOCAL)
    refuse_tokens(target.auth, "a spike")
    if edge is Edge.ASGI and edge not in target.edges:
        target = start_asgi_edge(target)
    if room:
        _hold_with_room(
            target,
            RoomSpike(
                edge, buyers, 60 if stock is None else stock, per_minute, max_inside, no_shows
            ),
            as_json=as_json,
        )
        return
    scale = SCALES[edge] if scale is None else scale
    title = f"V{generation} on {edge}, profile {profile} × {scale:g}"
    errors.print(title + (", as usual on this edge" if scale == SCALES[edge] else ""))
    units = 5000 if stock is None else stock
    asked = Spike(generation, edge, profile, scale, units, product, p95_ms, error_rate, max_vus)
    result = with_services(target, lambda services: hold(target, services, asked, LOCAL))
    if as_json:
        print_json({**asdict(asked), "product": result.after.product_id, **figures(result)})
    else:
        console.print(result_table(title, result))
        show_table(books_table([result.after]))
    _judge(findings(result), "The service level and the books were kept.")


def _hold_with_room(target: Target, asked: RoomSpike, *, as_json: bool) -> None:
    """Run a sale behind a waiting room."""
    result = with_services(target, lambda services: hold_with_room(target, services, asked, LOCAL))
    if as_json:
        product_id = result.after.product_id
        print_json({**asdict(asked), "product": product_id, **room_outcome.figures(result)})
    else:
        console.print(room_table(result))
        show_table(books_table([result.after]))
    _judge(room_outcome.findings(result), "The room and the books held.")


def _judge(found: list[str], kept: str) -> None:
    for finding in found:
        errors.print(f"[red]✗[/] {finding}")
    if found:
        raise typer.Exit(1)
    errors.print(f"[green]✓[/] {kept}")


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(spike)
    run_command_line(app, tell_what_runs)
