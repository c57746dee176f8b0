"""The ASGI edge: the buy function's API in a container, where sustained load is cheaper there."""
