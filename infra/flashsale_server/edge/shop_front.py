"""The shop front: one static page for all sales, and its files, from the folder web/.

Browsers may keep them and ask each time whether they have changed (304). So a deployment reaches
buyers at once, without a build step that would put digests into names. On AWS without containers
they come from S3 and CloudFront (`infra/aws/edge.yaml`), never from a function.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from flashsale.domain.model import PRODUCT_ID
from flashsale.http.dependencies import Injected
from flashsale_server.edge.shop_addresses import shop_addresses

# infra/aws/edge.yaml has the same policy.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
CACHE = {"cache-control": "no-cache"}
# In the checkout, and /srv/web in the image.
FOLDER = Path(__file__).parents[3] / "web"
_PAGE = "shop.html"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class _File:
    def __init__(self, path: Path, media_type: str) -> None:
        self.content = path.read_bytes()
        self.media_type = media_type
        digest = hashlib.sha256(self.content).hexdigest()
        self.headers = {**CACHE, "content-security-policy": POLICY, "etag": f'"{digest[:32]}"'}


def pages(env: Mapping[str, str]) -> APIRouter:
    """Return the routes of the page.

    Raises:
        ConfigError: see `shop_addresses`.

    """
    addresses = shop_addresses(env)
    router = APIRouter()

    @router.get("/shop/files/settings.json", include_in_schema=False)
    async def shop_settings(services: Injected) -> Response:
        """Return what the page must know of this deployment."""
        return JSONResponse({"auth": services.settings.auth, **addresses}, headers=CACHE)

    router.add_api_route("/shop/files/{name}", shop_file, include_in_schema=False)
    router.add_api_route("/shop/{product_id}", shop_page, include_in_schema=False)
    return router


async def shop_file(name: str, request: Request) -> Response:
    """Return a script, a style sheet or a picture of the page."""
    file = _files().get(name)
    if file is None:
        raise HTTPException(404, "Not Found")
    return _answer(file, request)


async def shop_page(product_id: str, request: Request) -> Response:
    """Return the page. It asks the API for the sale, and says so where there is none."""
    if not re.fullmatch(PRODUCT_ID, product_id):  # not even the API will know such a product
        return Response(_page().content, 404, _page().headers, _page().media_type)
    return _answer(_page(), request)


@cache
def _files() -> dict[str, _File]:
    """Read all files, so that no name that a client chooses becomes a path."""
    known = [path for path in FOLDER.iterdir() if path.suffix in _TYPES]
    return {path.name: _File(path, _TYPES[path.suffix]) for path in known}


@cache
def _page() -> _File:
    return _File(FOLDER / _PAGE, "text/html")


def _answer(file: _File, request: Request) -> Response:
    listed = request.headers.get("if-none-match", "").split(",")
    # A proxy that compresses an answer marks its version as a weak one.
    if file.headers["etag"] in {tag.strip().removeprefix("W/") for tag in listed}:
        return Response(None, 304, file.headers)
    return Response(file.content, 200, file.headers, file.media_type)
