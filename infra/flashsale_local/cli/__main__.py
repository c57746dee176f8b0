"""Runs the command `flashsale` as `python -m flashsale_local.cli`."""

from flashsale_local.cli import main

main()
