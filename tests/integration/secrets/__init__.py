"""No secret is in what is written or answered, and no answer shows how the inside is made.

All functions, the ASGI edge and the command run in processes of their own, with recognisable
secrets, on real stores that want passwords, while one thing after another goes wrong.
"""
