"""The page at the root: where a person who opens the API's address can go from there."""

import base64
import hashlib
import os
from functools import cache
from html import escape

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

_STYLE = """
:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5 }
body { max-width: 36rem; margin: 3rem auto; padding: 0 1rem }
"""
# Every address is relative, so the page also works below a prefix.
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>flashsale</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<h1>flashsale</h1>
<p>The API of a flash sale, five generations side by side.</p>
<ul>
<li><a href="docs">API documentation</a>, and <a href="openapi.json">the OpenAPI document</a></li>
<li><a href="api/products">Products</a> with their live stock</li>
<li><a href="health">Health</a> of the backing services</li>
{live_page}</ul>
</body>
</html>
"""
_LIVE_PAGE = '<li><a href="{url}">The live page</a> of this sale, while it runs</li>\n'

router = APIRouter()


@router.get("/", include_in_schema=False)
async def front_page() -> Response:
    """Return the page. It links to the live page if LIVE_PAGE_URL has its address."""
    url = os.environ.get("LIVE_PAGE_URL", "")
    # Any other scheme could run a script in a browser.
    is_web = url.startswith(("http://", "https://"))
    live_page = _LIVE_PAGE.format(url=escape(url)) if is_web else ""
    page = _PAGE.format(style=_STYLE, live_page=live_page)
    return HTMLResponse(page, headers={"content-security-policy": _policy()})


@cache
def _policy() -> str:
    style = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
