"""The page that shows the OpenAPI document to people: Swagger UI, without any other host.

Its files come from the package fastapi-swagger. The package is never imported, and its files are
read when a client first asks for the page, so they cost a cold start nothing.
"""

import base64
import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PACKAGE = "fastapi_swagger"
_STYLE, _BUNDLE, _START = "swagger-ui.css", "swagger-ui-bundle.js", "start.js"
_TYPES = {".css": "text/css", ".js": "text/javascript"}
# The page's own script. It is a file, because the policy allows no script in the page.
_START_SCRIPT = b"""\
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
"""
# Every address is relative, so the page also works below a prefix.
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>flashsale: API documentation</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{style.address}" integrity="{style.integrity}">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript. <a href="openapi.json">The document itself</a> does not.\
</noscript>
<script src="{bundle.address}" integrity="{bundle.integrity}"></script>
<script src="{start.address}" integrity="{start.integrity}"></script>
</body>
</html>
"""

router = APIRouter()


class _File:
    # No dataclass, because making one is a part of each cold start.
    def __init__(self, name: str, content: bytes) -> None:
        digest = hashlib.sha384(content).digest()
        self.name = name
        self.content = content
        # It names the content, so that browsers may keep the file for good.
        self.address = f"docs/{digest.hex()[:16]}/{name}"
        self.integrity = f"sha384-{base64.b64encode(digest).decode()}"


@cache
def _files() -> dict[str, _File]:
    """Return the files of the page by address.

    Raises:
        ModuleNotFoundError: the package is not installed beside this application.

    """
    spec = find_spec(_PACKAGE)  # this runs none of its code
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{_PACKAGE} is missing: install functions/buy/requirements.txt.")
    folder = Path(spec.origin).parent / "resources"
    files = [_File(name, (folder / name).read_bytes()) for name in (_STYLE, _BUNDLE)]
    return {file.address: file for file in (*files, _File(_START, _START_SCRIPT))}


@cache
def _page() -> str:
    style, bundle, start = _files().values()
    return _PAGE.format(style=style, bundle=bundle, start=start)


@router.get("/docs", include_in_schema=False)
async def docs() -> Response:
    """Return Swagger UI. It finds the document by a relative address, also below a prefix."""
    return HTMLResponse(_page(), headers={"content-security-policy": _POLICY})


@router.get("/docs/{digest}/{name}", include_in_schema=False)
async def docs_file(request: Request) -> Response:
    """Return one of the page's files. An address with another digest is another version's."""
    # Parameters of this function would cost each cold start their validators.
    file = _files().get("docs/{digest}/{name}".format(**request.path_params))
    if file is None:
        raise HTTPException(404, "Not Found")
    return Response(
        file.content,
        media_type=_TYPES[Path(file.name).suffix],
        headers={"cache-control": "public, max-age=31536000, immutable"},
    )
