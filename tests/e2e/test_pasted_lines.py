"""The shell lines of README and docs/api.md, pasted into bash: the ports are not the usual ones."""

import hashlib
import json
import re
import shlex
import subprocess

import pytest

from flashsale.http.webhook import PATH
from flashsale_local.paths import ROOT
from tests.e2e.conftest import FLASHSALE, drained

README = (ROOT / "README.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()


def lines_of(heading):
    """Return the first shell lines below a heading of docs/api.md."""
    (lines,) = re.findall(rf"^## {heading}$.*?```sh\n(.*?)```", API, re.DOTALL | re.MULTILINE)
    return lines


# Times that are comfortable for a person, and short for a machine that stalls.
LONGER = {"+ 15": "+ 40", "--admission 10": "--admission 20", "--hold 20": "--hold 40"}


@pytest.fixture
async def paste(environment, new_product, deployed, tmp_path):
    """Return a function that runs lines in bash, on products that only this test uses."""
    products = {f"p-{n:02}": await new_product(100) for n in range(1, 6)}
    for name in ("hold-01", "room-01"):
        products[name] = await new_product(100, on_sale=False)
    # LocalStack tells functions apart by a header, which `flashsale env` asks the developer to add.
    headers = (f'header = "{name}: {value}"\n' for name, value in deployed.api.headers.items())
    (tmp_path / ".curlrc").write_text("".join(headers))

    def run(lines):
        for given, own in (products | LONGER).items():
            lines = lines.replace(given, own)
        lines = lines.replace(".venv/bin/flashsale", str(FLASHSALE))
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", lines],
            env={**environment, "CURL_HOME": str(tmp_path)},
            cwd=ROOT, capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip

    return run


async def test_the_lines_of_readme_buy_and_show_the_order(paste, deployed):
    (lines,) = re.findall(r"```sh\n(eval.*?)```", README, re.DOTALL)

    done = paste(lines)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("HTTP/1.1 202")
    claim, order, stock = map(json.loads, done.stdout.splitlines()[-3:])
    assert (claim["status"], claim["remaining"]) == ("PENDING", 99)
    assert order["orderId"] == claim["orderId"]
    assert order["status"] in ("PENDING", "CONFIRMED")
    assert (stock["stock"], stock["unsettled"] + stock["settled"]) == (99, 1)
    await drained(deployed)


async def test_the_examples_of_the_api_page_work(paste, deployed):
    lines = lines_of("Examples")

    done = paste(lines)

    assert done.returncode == 0, done.stderr
    shown = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    health, product, v4, v5, stock, v2 = shown
    assert health["status"] == "ok"
    assert product["stock"] == 100
    assert v4["message"] == "Order accepted for processing"
    assert (v5["status"], v5["remaining"], stock["stock"]) == ("PENDING", 98, 98)
    assert v2["placedOrder"]["status"] == "CONFIRMED"
    await drained(deployed)


async def test_the_lines_that_pay_end_in_a_refund(paste, deployed, provider, asgi_url):
    # `flashsale env` knows only what the stack of this checkout saved. The web workers end holds.
    webhook = deployed.webhook_endpoint
    # On LocalStack the webhook needs a header, and $API at the ASGI edge none. The lines do not
    # quote $WEBHOOK.
    needed = [f"-H {name}:{value}" for name, value in webhook.headers.items()]
    own = {
        "API": asgi_url,
        "PROVIDER": deployed.provider_url,
        "WEBHOOK": " ".join([f"{webhook.url}{PATH}", *needed]),
        "WEBHOOK_SECRET": deployed.webhook_secret,
        "CURL_HOME": "/nonexistent",
    }
    first, _, rest = lines_of("Pay").partition("\n")
    exports = "; ".join(f"export {name}={shlex.quote(value)}" for name, value in own.items())

    done = paste(f"{first}\n{exports}\n{rest}")

    assert done.returncode == 0, done.stdout + done.stderr
    shown = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"')]
    statuses = [one["status"] for one in shown if "status" in one]
    assert statuses == ["RESERVED", "succeeded", "CONFIRMED", "EXPIRED"]
    (stock,) = [one for one in shown if "settled" in one]
    # The row is EXPIRED a moment before its unit is on sale again.
    assert (stock["stock"] + stock["held"], stock["settled"]) == (99, 1)
    assert re.search(r"^\{\}200$", done.stdout, re.MULTILINE), "what the webhook answers"
    assert re.search(r"^bank-\d+: REFUNDED$", done.stdout, re.MULTILINE)
    await drained(deployed)


async def test_the_lines_of_the_waiting_room_join_wait_buy_and_lapse(paste, deployed):
    done = paste(lines_of("Waiting room"))

    assert done.returncode == 0, done.stdout + done.stderr
    shown = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"')]
    codes = [one.get("code") or one.get("state") or one.get("status") for one in shown]
    codes = [code for code in codes if code]
    assert codes == [
        "prequeue", "open", "admission_required", "PENDING", "admission_required", "place_lapsed",
        "place_lapsed",
    ]  # fmt: skip
    prequeue, opened = (one for one in shown if "state" in one)
    assert "seed" not in prequeue
    assert hashlib.sha256(bytes.fromhex(opened["seed"])).hexdigest() == prequeue["commitment"]
    arrival, status = (line for line in done.stdout.splitlines() if line.isdecimal())
    assert (arrival, status) == ("0", "204"), done.stdout
    await drained(deployed)
