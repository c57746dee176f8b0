"""The ASGI edge: the buy function's API in a container, where sustained load is cheaper there."""

# A line begins with its time, so that `flashsale logs --order` can put it in its place.
LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"
