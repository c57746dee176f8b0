"""A model of what measured costs mean on AWS: rates, limits, USD. `flashsale model` prints it.

Nothing here was measured on AWS: see docs/scaling.md for what that means.
"""
