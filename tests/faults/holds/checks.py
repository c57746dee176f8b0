"""What must hold after each fault."""


async def laws_hold(shop):
    """Check that no store has lost a unit, whatever the other one knows of it."""
    snapshot = await shop.services.ledger.snapshot(shop.product_id, count_claims=True)
    assert snapshot.balanced, snapshot
    supply = await shop.services.products.get_supply(shop.product_id)
    assert supply.initial == supply.stock + supply.reserved + supply.confirmed, supply
    assert snapshot.stock <= supply.stock, "Redis sells no unit that PostgreSQL has not"


async def all_has_ended(shop, confirmed):
    """End all holds. Check the books, and that each payment is decided; return the payments."""
    for _ in range(2):  # a hold that PostgreSQL ended may be asked of only in the next turn
        await shop.time_passes()
        await shop.expire()
    await laws_hold(shop)
    stock, unsettled, held, _ = await shop.where()  # checks the books, too
    supply = await shop.services.products.get_supply(shop.product_id)
    assert (unsettled, held, supply.reserved) == (0, 0, 0)
    assert (supply.confirmed, stock) == (confirmed, supply.initial - confirmed)
    assert supply.stock == stock
    payments = await shop.payments()
    assert not [id_ for id_, (decision, _) in payments.items() if decision == "WAITING"]
    return payments
