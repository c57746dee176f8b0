"""Commands that control sales, cancel orders and record refunds. The audit has each."""

import logging
import re
from collections.abc import Sequence
from typing import Annotated

import typer

from flashsale.postgres_store.audit import Action
from flashsale.usecases import admin
from flashsale_local.console import console, errors, show
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.sale.control import (
    KEY,
    TEXT,
    Act,
    Acted,
    Operator,
    act_on_sales,
    cancel_orders,
    new_key,
    open_sales,
    record_refunds,
)

MOST_UNITS = 1_000_000

Products = Annotated[list[str], typer.Argument(help="Product ids.")]
Who = Annotated[
    str | None, typer.Option("--as", help="Who acts, for the audit. By default your user name.")
]
Reason = Annotated[str, typer.Option(help="Why, for the audit.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask, for scripts.")]


def pause(
    products: Annotated[list[str] | None, typer.Argument(help="Product ids.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All sales that are open.")] = False,  # noqa: FBT002
    reason: Reason = "",
    as_: Who = None,
) -> None:
    """Stop sales now, for a while. Nothing is lost, and `flashsale resume` undoes it.

    Purchases that were accepted become orders. It works while PostgreSQL is down, too. Then Redis
    keeps the record, and the sweep writes it to the audit when PostgreSQL is back.

    Example: [bold]flashsale pause --all --reason "wrong price"[/]
    """
    target = Target.load(LOCAL)
    if bool(products) == all_:
        raise Problem(
            "No products were named, or both products and --all.",
            "Run `flashsale pause p-01 p-02`, or `flashsale pause --all`.",
        )
    operator, ids = Operator.of(as_), products or with_services(target, open_sales)
    if not ids:
        console.print("No sale is open.")
        return
    logging.getLogger("flashsale.usecases.pauses").setLevel(logging.ERROR)  # this command says it
    actions = [operator.action("pause", id_, _why(reason), new_key()) for id_ in _each(ids)]
    acted = _act(target, actions, admin.pause_sale)
    if any(one.unrecorded for one in acted.outcomes):
        show(
            "PostgreSQL is down, so the record is in Redis. The sweep or `flashsale audit` writes "
            "it to the audit when PostgreSQL is back."
        )
    if paused := [one.target for one in acted.outcomes if one.changed]:
        show(f"To undo this: flashsale resume {' '.join(paused)}")
    _end(acted)


def resume(products: Products, reason: Reason = "", as_: Who = None) -> None:
    """Resume paused sales with the units that are left.

    Example: [bold]flashsale resume p-01 p-02[/]
    """
    target, operator = Target.load(LOCAL), Operator.of(as_)
    actions = [operator.action("resume", id_, _why(reason), new_key()) for id_ in _each(products)]
    acted = _act(target, actions, admin.resume_sale)
    _end(acted)


def end(
    products: Products,
    reason: Reason = "",
    as_: Who = None,
    yes: Yes = False,  # noqa: FBT002
) -> None:
    """End sales for good. Purchases that were accepted become orders. It asks first.

    When an ended sale is drained, `flashsale open` can sell what is left as a new sale.

    Example: [bold]flashsale end p-01 --reason "sold elsewhere"[/]
    """
    target, operator = Target.load(LOCAL), Operator.of(as_)
    actions = [operator.action("end", id_, _why(reason), new_key()) for id_ in _each(products)]
    _ask(f"End for good: {' '.join(_each(products))}?", yes=yes)
    acted = _act(target, actions, admin.end_sale)
    _end(acted)


def restock(
    product: Annotated[str, typer.Argument(help="A product id.")],
    units: Annotated[int, typer.Argument(min=1, max=MOST_UNITS, help="Units to add.")],
    key: Annotated[
        str, typer.Option(help="The key of an earlier call, to repeat it. By default a new one.")
    ] = "",
    as_: Who = None,
) -> None:
    """Add units to a product, and to its sale if there is one.

    The key is printed first. After a failure, repeat the command with it: no unit is added twice.

    Example: [bold]flashsale restock p-01 100 --key delivery-17[/]
    """
    target, operator = Target.load(LOCAL), Operator.of(as_)
    key = key or new_key()
    if not re.fullmatch(KEY, key):
        raise Problem(f"{key!r} is no key.", "Use up to 128 characters without blanks and commas.")
    by = f" --as {as_}" if as_ else ""
    show(f"To repeat this: flashsale restock {product} {units} --key {key}{by}", errors)
    # The arguments of the admin API, because the same key must mean the same action.
    action = operator.action("restock", product, {"units": units}, key)
    acted = with_services(
        target,
        lambda services: act_on_sales(
            services, [action], lambda s, a: admin.restock(s, a, units), supply=True
        ),
    )
    _show(acted)
    _end(acted)


def cancel(
    orders: Annotated[list[str], typer.Argument(help="Order ids.")],
    reason: Annotated[str, typer.Option(help="Why. Admins read it; buyers read a general one.")],
    as_: Who = None,
    yes: Yes = False,  # noqa: FBT002
) -> None:
    """Cancel orders, even CONFIRMED ones, and put their units on sale again. It asks first.

    An order of V4 that is still in the queue cannot be cancelled yet. The payment of an order that
    was paid is to be refunded: see `flashsale payments --due`.

    Example: [bold]flashsale cancel p-01:1795885921239-0 --reason "broken in transit"[/]
    """
    target, operator = Target.load(LOCAL), Operator.of(as_)
    if not reason:
        raise Problem("A cancelled order needs a reason.", "Say why: `--reason TEXT`.")
    why = _why(reason)
    actions = [operator.action("cancel", id_, why, new_key()) for id_ in _each(orders)]
    _ask(f"Cancel {' '.join(_each(orders))}?", yes=yes)
    acted = with_services(target, lambda services: cancel_orders(services, actions, reason))
    _show(acted)
    _end(acted)


def refunded(
    payments: Annotated[list[str], typer.Argument(help="Payment ids.")], as_: Who = None
) -> None:
    """Record that payments were refunded at the provider. It moves no money itself.

    Only a payment that is REFUND_DUE becomes REFUNDED. See `flashsale payments --due`.

    Example: [bold]flashsale refunded pi_3Q5x7Y[/]
    """
    target, operator = Target.load(LOCAL), Operator.of(as_)
    actions = [operator.action("refunded", id_, {}, new_key()) for id_ in _each(payments)]
    acted = with_services(target, lambda services: record_refunds(services, actions))
    _show(acted)
    _end(acted)


def _act(target: Target, actions: Sequence[Action], act: Act) -> Acted:
    acted = with_services(target, lambda services: act_on_sales(services, actions, act))
    _show(acted)
    return acted


def _show(acted: Acted) -> None:
    for one in acted.outcomes:
        show(f"{one.target}: {one.line}")


def _end(acted: Acted) -> None:
    if acted.error:
        raise acted.error
    if not all(one.done for one in acted.outcomes):
        raise typer.Exit(1)


def _each(ids: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(ids))


def _why(reason: str) -> dict[str, object]:
    if reason and not re.fullmatch(TEXT, reason):
        raise Problem(
            "The reason is too long, or has a line break.", "Use up to 200 characters in one line."
        )
    return {"reason": reason} if reason else {}


def _ask(question: str, *, yes: bool) -> None:
    if not yes:
        show(question, errors)
        typer.confirm("Continue?", abort=True, err=True)
