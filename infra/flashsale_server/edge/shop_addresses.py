"""Where buyers of the shop front sign in and pay.

Apart from the routes, because the check before the start needs no web framework.
"""

from collections.abc import Mapping

from flashsale.variables import encrypted_url


def shop_addresses(env: Mapping[str, str]) -> dict[str, str | None]:
    """Return SHOP_SIGN_IN_URL and SHOP_PAY_URL as the page names them; None if one is not set.

    Raises:
        ConfigError: one is neither an https URL nor an http URL of this machine. The page leads
            buyers there, so any other scheme could run a script.

    """
    return {
        "signIn": encrypted_url(env, "SHOP_SIGN_IN_URL") or None,
        "pay": encrypted_url(env, "SHOP_PAY_URL") or None,
    }
