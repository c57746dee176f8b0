"""The application of the ASGI edge, with the limits of tests. See `patience.patient`."""

from tests.helpers.patience import raise_limits

raise_limits()

from flashsale_server.edge.app import app  # noqa: E402, F401 - the limits come first
