"""What the page restores when it ends, what it does not show, and while it is busy."""

import asyncio

import boto3
from playwright.async_api import expect

from tests.monitor.conftest import served

MARKED = "button => button.getAttribute('aria-disabled') === 'true'"

# Milliseconds. Stopping PostgreSQL first opens a product for each generation.
LONG = 120_000


async def test_ending_the_page_starts_postgresql_again(stack, asgi_url, visit):
    with served(stack) as address:
        page = await visit(address)
        await page.get_by_role("button", name="Stop PostgreSQL").click()
        stopped = "PostgreSQL is stopped"
        await expect(page.get_by_role("log")).to_contain_text(stopped, timeout=LONG)
        await page.close()

    assert stack.supervisor.info()["postgres"]["statename"] == "RUNNING"
    log = stack.directory / "logs" / f"monitor-{address.rpartition(':')[2]}.log"
    assert "PostgreSQL was stopped from the page. It is running again." in log.read_text()


async def test_a_note_counts_messages_that_are_not_shown(page, deployed):
    sqs, parking = boto3.client("sqs"), deployed.queues["parking"]
    sqs.purge_queue(QueueUrl=parking)
    for _ in range(21):
        sqs.send_message(QueueUrl=parking, MessageBody="poison")

    await expect(page.get_by_text("The first 20 of 21 messages in parking")).to_be_visible()

    sqs.purge_queue(QueueUrl=parking)


async def test_every_button_is_marked_disabled_while_an_action_runs(page):
    redrive = page.get_by_role("button", name="Redrive dlq to orders")
    await expect(redrive).to_have_attribute("aria-disabled", "false")
    # A spike is over in two seconds, so the page itself has to watch.
    marked = asyncio.create_task(
        page.wait_for_function(MARKED, arg=await redrive.element_handle(), polling="raf")
    )

    await page.get_by_role("button", name="Spike through V5 ASGI:").click()

    await marked
    await expect(redrive).to_have_attribute("aria-disabled", "false", timeout=LONG)
