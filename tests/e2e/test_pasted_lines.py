"""The shell lines of README and docs/api.md, pasted into bash: the ports are not the usual ones."""

import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from flashsale.http.webhook import PATH
from flashsale_local.paths import ROOT
from tests.e2e.conftest import FLASHSALE, drained, sweep_now

README = (ROOT / "README.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()


def lines_of(heading):
    """Return the first shell lines below a heading of docs/api.md."""
    (lines,) = re.findall(rf"^## {heading}$.*?```sh\n(.*?)```", API, re.DOTALL | re.MULTILINE)
    return lines


@pytest.fixture
async def paste(environment, new_product, deployed, tmp_path):
    """Return a function that runs lines in bash, on products that only this test uses."""
    products = {f"p-{n:02}": await new_product(100) for n in range(1, 6)}
    products["hold-01"] = await new_product(100, on_sale=False)
    # LocalStack tells functions apart by a header, which `flashsale env` asks the developer to add.
    headers = (f'header = "{name}: {value}"\n' for name, value in deployed.api.headers.items())
    (tmp_path / ".curlrc").write_text("".join(headers))

    def run(lines):
        for name, own in products.items():
            lines = lines.replace(name, own)
        lines = lines.replace(".venv/bin/flashsale", str(FLASHSALE))
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", lines],
            env={**environment, "CURL_HOME": str(tmp_path)},
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
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


async def test_the_lines_that_pay_end_in_a_refund(paste, deployed, provider):
    if deployed.webhook_endpoint.headers:
        pytest.skip("a request to the webhook needs a header here")
    lines = lines_of("Pay")
    # `flashsale env` knows only what the stack of this checkout saved.
    first, _, rest = lines.partition("\n")
    own = f"PROVIDER={deployed.provider_url} WEBHOOK={deployed.webhook_endpoint.url}{PATH}"

    with ThreadPoolExecutor() as pool:
        pasted = pool.submit(
            paste, f"{first}\n{own} WEBHOOK_SECRET={deployed.webhook_secret}\n{rest}"
        )
        while not wait([pasted], timeout=1).done:
            sweep_now(deployed)

    done = pasted.result()
    assert done.returncode == 0, done.stdout + done.stderr
    shown = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"')]
    statuses = [one["status"] for one in shown if "status" in one]
    assert statuses == ["RESERVED", "succeeded", "CONFIRMED", "EXPIRED"]
    (stock,) = [one for one in shown if "settled" in one]
    assert (stock["stock"], stock["held"], stock["settled"]) == (99, 0, 1)
    assert re.search(r"^\{\}200$", done.stdout, re.MULTILINE), "what the webhook answers"
    assert re.search(r"^bank-\d+: REFUNDED$", done.stdout, re.MULTILINE)
    await drained(deployed)
