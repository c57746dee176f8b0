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
from loadtest.spike.outcome import figures, findings
from loadtest.spike.sale import Spike, hold
from loadtest.spike.view import result_table

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
        int, typer.Option(envvar="STOCK", min=0, help="Units of the new product.")
    ] = 5000,
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
    scale = SCALES[edge] if scale is None else scale
    title = f"V{generation} on {edge}, profile {profile} × {scale:g}"
    errors.print(title + (", as usual on this edge" if scale == SCALES[edge] else ""))
    asked = Spike(generation, edge, profile, scale, stock, product, p95_ms, error_rate, max_vus)
    result = with_services(target, lambda services: hold(target, services, asked, LOCAL))
    if as_json:
        print_json({**asdict(asked), "product": result.after.product_id, **figures(result)})
    else:
        console.print(result_table(title, result))
        show_table(books_table([result.after]))
    found = findings(result)
    for finding in found:
        errors.print(f"[red]✗[/] {finding}")
    if found:
        raise typer.Exit(1)
    errors.print("[green]✓[/] The service level and the books were kept.")


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(spike)
    run_command_line(app, tell_what_runs)
