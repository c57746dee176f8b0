"""The admin function: the HTTP API with which admins run the shop.

Its routes are in `flashsale/http/admin.py`, what they do in `usecases/admin.py`. Each request needs
a token with the scope flashsale/admin, also where buyers need none (AUTH=none).
"""

from flashsale.http.application import create_admin_app
from flashsale.http.gateway import lambda_handler

api = create_admin_app()
handler = lambda_handler(api)
