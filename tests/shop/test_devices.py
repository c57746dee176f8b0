"""One buyer with two devices, or with two tabs, is one buyer."""

from playwright.async_api import expect

from tests.shop.shop import ROOM, in_an_hour


async def test_two_devices_have_one_place(shop):
    product_id, _ = await shop.occupied()
    phone = await shop.visit(product_id)
    await phone.join()
    await phone.page.locator("#place").wait_for()
    desk = await shop.visit(product_id, user=phone.user)

    await desk.join()

    await expect(desk.page.locator("#place")).to_have_text(
        await phone.page.locator("#place").inner_text()
    )
    one, other = await phone.remembered(), await desk.remembered()
    assert (one["arrival"], one["epoch"]) == (other["arrival"], other["epoch"])


async def test_two_devices_have_one_turn(shop):
    product_id = await shop.sale(room=ROOM, hold=3600)
    phone = await shop.visit(product_id)
    await phone.join()
    await phone.sees("turn")
    desk = await shop.visit(product_id, user=phone.user)
    await desk.join()
    await desk.sees("turn")
    assert (await phone.remembered())["until"] == (await desk.remembered())["until"]

    await phone.buy()
    await phone.sees("reserved")
    await desk.buy()

    await desk.sees("lapsed")
    assert await shop.taken(product_id) == 1


async def test_the_address_of_an_order_is_its_receipt_elsewhere(shop):
    product_id = await shop.sale()
    phone = await shop.visit(product_id)
    await phone.buy()
    await phone.sees("paid")
    order = (await phone.remembered())["order"]
    assert phone.page.url.endswith(f"/shop/{product_id}#order={order.replace(':', '%3A')}")

    desk = await shop.visit(product_id, user=phone.user, fragment=phone.page.url[-len(order) - 9 :])
    await desk.page.get_by_label("Your user id").wait_for()
    await desk.sign_in()

    await desk.sees("paid")
    await expect(desk.page.locator("#order")).to_have_text(order)


async def test_two_tabs_follow_each_other(shop):
    product_id = await shop.sale(room=ROOM, hold=3600)
    one = await shop.visit(product_id)
    await one.join()
    await one.sees("turn")
    page = await one.page.context.new_page()
    shop.complaints.watch(page)
    other = type(one)(shop, page, product_id, one.user)
    await page.goto(f"{shop.url}/shop/{product_id}")
    await other.sees("turn")

    await one.buy()

    await other.sees("reserved")
    await other.press("Cancel the order")
    await one.sees("cancelled")
    await other.press("Join again")
    await one.sees("turn")
    assert await shop.taken(product_id) == 0


async def test_a_tab_follows_a_ticket_of_another_one(shop):
    product_id = await shop.sale(room=ROOM, starts_at=in_an_hour())
    one = await shop.visit(product_id)
    await one.sign_in()
    page = await one.page.context.new_page()
    await page.goto(f"{shop.url}/shop/{product_id}")
    await page.get_by_role("button", name="Join the queue").wait_for()

    await one.press("Join the queue")

    await page.get_by_role("heading", name="You are in").wait_for()
