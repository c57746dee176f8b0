"""The command `flashsale room`: show the waiting room of a product, and control it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import typer

from flashsale.domain.model import Declined
from flashsale.domain.rooms import RoomView
from flashsale.services import Services
from flashsale.usecases import admin
from flashsale.usecases.rooms import read_room
from flashsale_local.cli.options import AsJson
from flashsale_local.console import number, print_json, show
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.sale.control import Operator, new_key

Who = Annotated[
    str | None, typer.Option("--as", help="Who acts, for the audit. By default your user name.")
]

_WHY_NOT = {
    Declined.NO_ROOM: "it has no waiting room",
    Declined.NEEDS_REBUILD: "Redis has lost the room; see `flashsale rebuild`",
}


class RoomAction(StrEnum):
    """What an operator does to a room."""

    PAUSE = "pause"
    RESUME = "resume"
    RATE = "rate"


def room(
    product: Annotated[str, typer.Argument(help="A product id.")],
    action: Annotated[RoomAction | None, typer.Argument(help="By default only look.")] = None,
    calls: Annotated[
        int | None, typer.Argument(min=1, max=1_000_000, help="Calls a minute, for `rate`.")
    ] = None,
    as_: Who = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show the waiting room of a product, stop its calls or go on, or set their highest rate.

    While a room is paused nobody is called, and everybody keeps their place. Who is inside can buy.
    The rate is lower than the highest one while orders are late. The audit has each action.

    Example: [bold]flashsale room p-01 rate 300[/]
    """
    if (action is RoomAction.RATE) != (calls is not None):
        raise Problem(
            "Only `rate` takes a number, and it needs one.",
            f"Run `flashsale room {product} rate 300`.",
        )
    target, operator = Target.load(LOCAL), Operator.of(as_)

    async def act(services: Services) -> Declined | RoomView | None:
        if action:
            arguments: Mapping[str, object] = {"maxRate": calls} if calls else {}
            asked = operator.action(f"room {action}", product, arguments, new_key())
            paused = None if calls else action is RoomAction.PAUSE
            declined = await admin.change_room(services, asked, paused=paused, max_rate=calls)
            if declined:
                return declined
        return await read_room(services, product)

    found = with_services(target, act)
    if isinstance(found, RoomView):
        if as_json:
            print_json(_described(product, found))
        else:
            _show(product, found)
        return
    why = _WHY_NOT[found or Declined.NO_ROOM]
    show(f"{product}: nothing was done: {why}" if action else f"{product}: {why}")
    raise typer.Exit(1)


def _show(product_id: str, view: RoomView) -> None:
    queue, door = view.queue, view.door
    show(f"{product_id}: room {queue.epoch} ({queue.mode}), {view.state}")
    show(f"  {number(view.waiting)} wait, {number(door.serving)} of {number(queue.issued)} called")
    show(f"  {number(door.inside)} inside, {number(door.max_inside)} at most")
    show(f"  {door.rate * 60:,.0f} calls a minute, {door.max_rate * 60:,.0f} at most; {door.why}")


def _described(product_id: str, view: RoomView) -> dict[str, object]:
    queue, door = view.queue, view.door
    return {
        "product": product_id,
        "epoch": queue.epoch,
        "mode": queue.mode,
        "state": view.state,
        "issued": queue.issued,
        "serving": door.serving,
        "waiting": view.waiting,
        "inside": door.inside,
        "max_inside": door.max_inside,
        "rate": round(door.rate * 60, 1),
        "max_rate": round(door.max_rate * 60, 1),
        "why": door.why,
    }
