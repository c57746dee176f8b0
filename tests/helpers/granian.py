"""Options of granian, the server of the ASGI edge."""

from granian.cli import cli


def accepted_by_granian(name: str, value: str) -> bool:
    """Return whether granian has an option of this variable; it raises if it is out of range."""
    (option,) = [one for one in cli.params if f"GRANIAN_{one.name}".upper() == name]
    return option.type.convert(value, option, None) is not None
