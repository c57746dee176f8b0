"""The ASGI edge: the API in a container, which is cheaper than Lambda under sustained load."""

# A line begins with its time, by which `flashsale logs --order` sorts it.
LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"
