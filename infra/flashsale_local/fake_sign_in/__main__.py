"""Serve the sign-in on loopback: `python -m flashsale_local.fake_sign_in`.

Variables: FLASHSALE_SIGN_IN_PORT, TOKEN_SECRET, and SHOP_ORIGINS (separated by blanks).
"""

import os

import uvicorn

from flashsale_local.fake_sign_in.app import create_app

if __name__ == "__main__":
    uvicorn.run(
        create_app(os.environ["TOKEN_SECRET"], os.environ["SHOP_ORIGINS"].split()),
        host="127.0.0.1",
        port=int(os.environ["FLASHSALE_SIGN_IN_PORT"]),
        log_level="warning",
    )
