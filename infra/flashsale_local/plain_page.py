"""Frame of small pages that are made on this machine: no script, and one style, named by its hash.

They are readable at 360 px, follow the system's dark mode, and work by keyboard.
"""

import base64
import hashlib
import re
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 46rem; padding: 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid; padding: .3rem .6rem .3rem 0; text-align: left; }
dl { display: grid; gap: .2rem 1rem; grid-template-columns: max-content 1fr; }
dd { margin: 0; overflow-wrap: anywhere; }
form { margin: 0; }
form.choice { display: grid; gap: .2rem 1rem; grid-template-columns: 1fr; margin: .8rem 0; }
button, input { border: 1px solid; border-radius: .4rem; font: inherit; min-height: 2.75rem; }
button { cursor: pointer; padding: 0 1rem; }
input { box-sizing: border-box; display: block; margin: .3rem 0 .8rem; padding: 0 .6rem;
  width: 100%; }
:focus-visible { outline: 3px solid; outline-offset: 2px; }
.happened { border-left: .3rem solid; padding-left: .8rem; }
@media (min-width: 32rem) { form.choice { align-items: center; grid-template-columns: 12rem 1fr; } }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>flashsale: {title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
<h1>{heading}</h1>
{body}
</main>
</body>
</html>
"""
# Only addresses on this machine. A name before @, or a backslash, would lead a browser elsewhere.
_LOOPBACK = r"https?://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?(?:[/?#][!-\[\]-~]*)?"


def plain_page(
    title: str, body: str, status: int = 200, *, forms_lead_to: str = "'self'"
) -> HTMLResponse:
    """Return a page; `body` is HTML.

    Args:
        forms_lead_to: where its forms may lead, also by a redirect: sources of the policy.

    """
    content = _PAGE.format(
        title=escape(title),
        heading=escape(title[:1].upper() + title[1:]),
        style=STYLE,
        body=body,
    )
    headers = {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; "
        f"img-src data:; form-action {forms_lead_to}; base-uri 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        # A form of the page itself is told by its Origin, which another policy would leave out.
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(content, status, headers)


def is_on_this_machine(url: str) -> bool:
    """Return whether a browser that follows this URL stays on this machine."""
    return re.fullmatch(_LOOPBACK, url) is not None


def is_of_another_site(request: Request) -> bool:
    """Return whether a page of another site sent this form. Programs send no Origin."""
    origin = request.headers.get("origin")
    return origin not in (None, f"{request.url.scheme}://{request.url.netloc}")
