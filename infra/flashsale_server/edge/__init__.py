"""The ASGI edge: the API in a container, which is cheaper than Lambda under sustained load."""
