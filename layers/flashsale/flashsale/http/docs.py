"""The page that shows the OpenAPI document to people."""

from fastapi import APIRouter, Response
from fastapi.openapi.docs import get_swagger_ui_html

# Swagger UI is loaded from a CDN, and a line in the page starts it.
_POLICY = (
    "default-src 'none'; script-src https://cdn.jsdelivr.net 'unsafe-inline'; "
    "style-src https://cdn.jsdelivr.net 'unsafe-inline'; connect-src 'self'; "
    "img-src https://fastapi.tiangolo.com data:; frame-ancestors 'none'"
)

router = APIRouter()


@router.get("/docs", include_in_schema=False)
async def docs() -> Response:
    """Return Swagger UI. It finds the document by a relative address, also below a prefix."""
    page = get_swagger_ui_html(openapi_url="openapi.json", title="flashsale")
    page.headers["content-security-policy"] = _POLICY
    return page
