"""web/draw.js in a real browser: it gives the same places as domain/draw.py."""

import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flashsale_local.paths import ROOT

VECTORS = json.loads((ROOT / "tests" / "helpers" / "draw_vectors.json").read_text())
EMPTY = b'<!doctype html><link rel="icon" href="data:,">'
IMPORT = "const draw = await import('/draw.js');"
PLACES = f"""async ([seed, drawn, numbers]) => {{
    {IMPORT}
    return Promise.all(numbers.map((number) => draw.placeOf(number, drawn, seed)));
}}"""
COMMITMENT = f"async (seed) => {{ {IMPORT} return draw.commitment(seed); }}"


class Handler(SimpleHTTPRequestHandler):
    def do_GET(self):
        """Serve an empty page at /, where a module can be imported."""
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(EMPTY)))
        self.end_headers()
        self.wfile.write(EMPTY)

    def log_message(self, *_):
        """Write nothing."""


@pytest.fixture(scope="module")
def web():
    """Serve the folder web."""
    handler = partial(Handler, directory=str(ROOT / "web"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
async def page(visit, web):
    return await visit(web)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["drawn"]))
async def test_a_browser_computes_the_same_places(page, vector):
    """tests/unit/test_draw.py holds the same examples against Python."""
    numbers = [int(number) for number in vector["places"]]

    places = await page.evaluate(PLACES, [vector["seed"], vector["drawn"], numbers])

    assert places == list(vector["places"].values())


async def test_a_browser_computes_the_same_commitments(page):
    for vector in VECTORS:
        assert await page.evaluate(COMMITMENT, vector["seed"]) == vector["commitment"]
        assert await page.evaluate(COMMITMENT, vector["seed"].upper()) == vector["commitment"]


@pytest.mark.parametrize("seed", ["", "00" * 31, "00" * 33, "zz" * 32])
async def test_what_is_no_seed_gives_no_place(page, seed):
    told = "draw.placeOf(0, 5, seed).then(String, (error) => error.message)"

    answer = await page.evaluate(f"async (seed) => {{ {IMPORT} return {told}; }}", seed)

    assert answer == "a seed has 64 hexadecimal digits"
