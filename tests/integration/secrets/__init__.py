"""No output or answer contains a secret, and no answer shows internals.

All functions, the ASGI edge and the command run in separate processes, with recognisable secrets,
on real stores with passwords, during one failure after another.
"""
