"""The page of a payment at the fake provider: its buttons, and what the shop makes of each."""

import re
import time

import pytest

from flashsale.provider.events import paid
from flashsale.provider.signature import verify
from flashsale.usecases import provider_ends
from tests.helpers.fake_provider import WEBHOOK_SECRET, WebhookReceiver, fake_provider
from tests.helpers.support import eventually
from tests.integration.held_shop import PRICE

SHOP = "http://127.0.0.1:8000/shop/p-01#order=p-01:1-0"
# What the shop must not be led to: another machine, in one of its disguises.
ELSEWHERE = [
    "https://shop.example/",
    "//shop.example/",
    "http://127.0.0.1@shop.example/",
    "http://shop.example\\@127.0.0.1/",
    "http://127.0.0.1.shop.example/",
    "http://localhost:80x/",
    "javascript:alert(1)//127.0.0.1/",
    "http://127.0.0.1/\nX-Header: 1",
]


@pytest.fixture
def receiver():
    receiver = WebhookReceiver()
    yield receiver
    receiver.close()


@pytest.fixture
def fake(receiver):
    # Late payments and slow webhooks come in a quarter of a second.
    with fake_provider(receiver.receiver, seconds=2) as fake:
        yield fake


@pytest.fixture
async def order(shop):
    return await shop.reserve()


@pytest.fixture
async def payment_id(shop, order):
    return await shop.begin(order)


@pytest.fixture
def tell(shop, receiver):
    """Return a function that waits for so many webhooks, and applies what they tell of."""

    async def tell(count):
        eventually(lambda: len(receiver.received) == count)
        for _, headers, body in receiver.received:
            verify(headers["Stripe-Signature"], body, [WEBHOOK_SECRET], time.time())
            if payment := paid(body):
                await shop.pay_as_told(payment)

    return tell


def text_of(fake, payment_id, **more):
    answer = fake.get("/pay", params={"payment": payment_id, **more})
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_a_payment_is_made_and_the_page_leads_back(fake, shop, order, payment_id, tell):
    answer = fake.press(payment_id, "pay", SHOP)
    await tell(1)

    assert answer.status_code == 303
    shown = fake.get(answer.headers["location"]).text
    assert f'<a href="{SHOP}">Back to the shop</a>' in shown
    assert "Paid: 7.50 EUR." in shown
    assert "<button" not in shown
    assert await shop.status(order) == "CONFIRMED"


async def test_a_declined_payment_can_be_made_again(fake, shop, order, payment_id, tell, receiver):
    fake.press(payment_id, "decline")
    await tell(1)

    intent = fake.intents()[payment_id]
    assert (intent["status"], intent["amount_received"]) == ("requires_payment_method", 0)
    assert "Your card was declined." in text_of(fake, payment_id)
    assert b'"type": "payment_intent.payment_failed"' in receiver.received[0][2]
    assert await shop.status(order) == "RESERVED"

    fake.press(payment_id, "pay")
    await tell(2)
    assert "declined" not in text_of(fake, payment_id)
    assert await shop.status(order) == "CONFIRMED"


async def test_a_payment_twice_confirms_once_and_is_refunded_once(
    fake, shop, order, payment_id, tell
):
    fake.press(payment_id, "twice")
    await tell(2)

    ((other,),) = await shop.values(
        "SELECT id FROM payments WHERE order_id = %s AND decision = 'REFUND_DUE'", order.id
    )
    assert await shop.status(order) == "CONFIRMED"
    assert (await shop.decision(other))[1] == "paid twice"
    await provider_ends.refund_payments(shop.services)
    intents = fake.intents()
    mine = [one for one in intents.values() if one["metadata"]["order_id"] == order.id]
    assert (len(mine), sum(one["refunds"] for one in mine)) == (2, 1)
    assert f"pay?payment={other}" in text_of(fake, next(i["id"] for i in mine if i["id"] != other))


async def test_a_wrong_amount_does_not_pay_the_order(fake, shop, order, payment_id, tell):
    fake.press(payment_id, "wrong")
    await tell(1)

    assert "Paid: 7.49 EUR." in text_of(fake, payment_id)
    assert await shop.decision(payment_id) == ("REFUND_DUE", "wrong amount")
    assert await shop.status(order) == "RESERVED"


async def test_a_late_payment_is_in_progress_and_then_succeeds(fake, payment_id, receiver):
    fake.press(payment_id, "late")

    seen = [fake.intents()[payment_id]["status"]]
    eventually(lambda: receiver.received)
    seen.append(fake.intents()[payment_id]["status"])
    assert seen == ["processing", "succeeded"]


async def test_a_payment_in_progress_offers_nothing_and_is_not_cancelled(fake, payment_id):
    fake.pay(payment_id, processing=3600)

    shown = text_of(fake, payment_id)
    assert "in progress" in shown
    assert "<button" not in shown
    # A page that was shown before has its buttons still.
    assert fake.press(payment_id, "pay").status_code == 303
    assert fake.intents()[payment_id]["status"] == "processing"


async def test_a_slow_webhook_comes_after_its_payment(fake, payment_id, receiver):
    fake.press(payment_id, "slow")

    (webhook,) = fake.intents()[payment_id]["webhooks"]
    assert (fake.intents()[payment_id]["status"], webhook["answers"]) == ("succeeded", [])
    eventually(lambda: receiver.received)


@pytest.mark.parametrize("back", ELSEWHERE)
async def test_the_page_leads_to_no_other_machine(fake, payment_id, back):
    shown = fake.get("/pay", params={"payment": payment_id, "return": back})
    done = fake.press(payment_id, "pay", back)

    assert (shown.status_code, done.status_code) == (400, 400)
    assert fake.intents()[payment_id]["status"] == "requires_payment_method"


@pytest.mark.parametrize("origin", ["https://shop.example", "null", "http://127.0.0.1:1"])
async def test_a_form_of_another_site_pays_nothing(fake, payment_id, origin):
    one = fake.press(payment_id, "pay", Origin=origin)
    other = fake.get("/")  # the list has a form, too

    assert one.status_code == 403
    assert other.status_code == 200
    assert fake.press_pay(payment_id, Origin=origin).status_code == 403
    assert fake.intents()[payment_id]["status"] == "requires_payment_method"
    assert fake.press(payment_id, "pay", Origin=fake.url).status_code == 303


async def test_the_page_interprets_nothing_that_it_is_given(fake):
    intent = await fake.stripe().create('<b>"&:1-0', PRICE, "EUR")
    back = 'http://localhost/"><script>'

    shown = text_of(fake, intent.id, **{"return": back})

    assert "<b>" not in shown
    assert "<script" not in shown
    assert 'href="http://localhost/&quot;&gt;&lt;script&gt;"' in shown


@pytest.mark.parametrize("path", ["/", "/pay?payment=pi_none"])
async def test_the_policy_allows_one_style_and_no_script(fake, path):
    answer = fake.get(path)

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert re.search(r"style-src 'sha256-[\w+/]+=*'", policy)
    assert "<style>" in answer.text
    assert "style=" not in answer.text


async def test_an_unknown_payment_or_action_changes_nothing(fake, payment_id):
    assert fake.get("/pay?payment=pi_none").status_code == 404
    assert fake.press("pi_none", "pay").status_code == 404
    assert fake.press(payment_id, "steal").status_code == 400
    assert fake.intents()[payment_id]["status"] == "requires_payment_method"


async def test_the_list_leads_to_each_payment(fake, payment_id):
    assert f'<a href="pay?payment={payment_id}">' in fake.get("/").text
