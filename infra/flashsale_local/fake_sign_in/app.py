"""The page that asks for a user id, and sends the buyer back to the shop with a token.

The token is in the fragment of the address, which browsers send to no server. The `state` goes back
as it came, so that the shop's page knows its own request again.
"""

import random
import re
from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import parse_qsl, urldefrag

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from flashsale.domain.model import USER_ID
from flashsale_local.deployment.sign_in import mint
from flashsale_local.plain_page import is_of_another_site, is_on_this_machine, plain_page

TITLE = "sign in as a made-up user"
# Minutes for which a token is valid.
MINUTES = 60
# Made-up users whom the field proposes: u-00001, u-00002, …
PROPOSED = 500
_STATE = r"[A-Za-z0-9_-]{1,128}"
_FORM = """\
<p>Everybody can be anybody here: this page exists on local stacks only.</p>
{error}
<form method="post" action="sign-in">
<input type="hidden" name="return" value="{back}">
<input type="hidden" name="state" value="{state}">
<label for="user">Your user id</label>
<input id="user" name="user" value="{user}" maxlength="128" autocomplete="off" required autofocus>
<button>Continue</button>
</form>
"""


def create_app(secret: str, origins: Sequence[str]) -> Starlette:
    """Build the sign-in of a shop.

    Args:
        secret: signs the tokens.
        origins: those of the shop. Nobody is sent to another one.

    """
    sign_in = _SignIn(secret, origins)
    return Starlette(
        routes=[
            Route("/", sign_in.explain),
            Route("/sign-in", sign_in.show),
            Route("/sign-in", sign_in.send_back, methods=["POST"]),
        ],
        # Otherwise a page of another site could reach it by a host name of its own.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


class _SignIn:
    def __init__(self, secret: str, origins: Sequence[str]) -> None:
        self._secret, self._origins = secret, origins

    async def explain(self, _: Request) -> Response:
        return plain_page(TITLE, "<p>The page of a sale leads here.</p>")

    async def show(self, request: Request) -> Response:
        """Ask for a user id."""
        user = f"u-{random.randint(1, PROPOSED):05}"  # noqa: S311 - no secret
        return self._refused(request.query_params) or self._form(request.query_params, user)

    async def send_back(self, request: Request) -> Response:
        """Send the buyer back with a token."""
        if is_of_another_site(request):
            return _refuse("The form of another site", 403)
        fields = dict(parse_qsl((await request.body()).decode(errors="replace")))
        if refused := self._refused(fields):
            return refused
        user = fields.get("user", "").strip()
        if not re.fullmatch(USER_ID, user):
            error = "A user id has 1 to 128 letters, digits or signs, and no blank."
            return self._form(fields, user, error)
        token = mint(self._secret, user, admin=False, minutes=MINUTES)
        back = urldefrag(fields["return"]).url
        answer = RedirectResponse(f"{back}#token={token}&state={fields['state']}", 303)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _refused(self, fields: Mapping[str, str]) -> Response | None:
        back = fields.get("return", "")
        # The slash matters: http://127.0.0.1:8000@elsewhere begins with an origin, too.
        own = any(back.startswith(f"{origin}/") for origin in self._origins)
        if not own or not is_on_this_machine(back):
            return _refuse("return must be a page of the shop on this machine.")
        if not re.fullmatch(_STATE, fields.get("state", "")):
            return _refuse("state must have 1 to 128 letters, digits, or signs of _ -.")
        return None

    def _form(self, fields: Mapping[str, str], user: str, error: str = "") -> Response:
        body = _FORM.format(
            back=escape(fields["return"]),
            state=fields["state"],
            user=escape(user),
            error=f'<p role="alert" class="happened">{error}</p>' if error else "",
        )
        # A form may only lead, also by a redirect, to where the policy says.
        leads_to = " ".join(["'self'", *self._origins])
        return plain_page(TITLE, body, 422 if error else 200, forms_lead_to=leads_to)


def _refuse(reason: str, status: int = 400) -> Response:
    return plain_page(TITLE, f"<p>{escape(reason)}</p>", status)
