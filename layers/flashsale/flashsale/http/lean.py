"""Import FastAPI at a lower cost. Import this module before anything that imports FastAPI.

Three things in it are a fifth of the buy function's import, and no purchase needs them:

- FastAPI's models of an OpenAPI document,
- the API of OpenTelemetry, which this API switches off in FastAPI, and which redis-py looks for,
- the code of the annotations of pydantic-core's many TypedDicts.

While the packages are imported, stand-ins take their place. The real modules are imported when a
client first asks for the document, or when other code imports them. What was imported before this
module stays as it is.
"""

import gc
import os
import sys
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Self

import typing_extensions

# There are no plugins of pydantic here. To look for one, it reads the metadata of every package.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

STAND_INS = (
    "fastapi.openapi.models",
    "fastapi.openapi.utils",
    "opentelemetry",
    "opentelemetry._logs",
    "opentelemetry.context",
    "opentelemetry.metrics",
    "opentelemetry.propagators",
    "opentelemetry.propagators.textmap",
    "opentelemetry.trace",
)


class _Unused:
    """The base of the classes that FastAPI names in annotations and in defaults."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __class_getitem__(cls, _: Any) -> type[Self]:
        return cls


class _StandIn(ModuleType):
    """A module that has a class under every name."""

    def __getattr__(self, name: str) -> type[_Unused]:
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (_Unused,), {})
        setattr(self, name, made)
        return made


def _get_openapi(**description: Any) -> dict[str, Any]:
    """Make the OpenAPI document, by the real modules."""
    from fastapi.openapi.utils import get_openapi  # noqa: PLC0415 - see above

    return get_openapi(**description)


def _no_request(*_: Any) -> None:
    """Answer FastAPI that no request is observed by OpenTelemetry."""


@contextmanager
def _stand_ins() -> Iterator[None]:
    """Let modules that were not imported yet be stand-ins."""
    made = {name: _StandIn(name) for name in STAND_INS if name.partition(".")[0] not in sys.modules}
    for name, module in made.items():
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent in made:
            setattr(made[parent], child, module)
    if made:
        made["fastapi.openapi.utils"].get_openapi = _get_openapi  # type: ignore[attr-defined]
    if "opentelemetry.context" in made:
        made["opentelemetry.context"].get_value = _no_request  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for name in made:
            del sys.modules[name]


class _Plain:
    """The base of a class with annotations that nothing reads."""

    def __init_subclass__(cls, *, total: bool = True) -> None: ...

    def __new__(cls, **fields: Any) -> Any:
        return fields  # what a TypedDict makes, too


@contextmanager
def _plain_typed_dicts() -> Iterator[None]:
    """Let a TypedDict be a plain class. Otherwise it compiles each of its annotations."""
    saved = typing.TypedDict, typing_extensions.TypedDict
    typing.TypedDict = typing_extensions.TypedDict = _Plain  # type: ignore[assignment]
    try:
        yield
    finally:
        typing.TypedDict, typing_extensions.TypedDict = saved


@contextmanager
def _without(package: str) -> Iterator[None]:
    """Let a package that was not imported yet be missing."""
    if package in sys.modules:
        yield
        return
    # Its import raises ImportError then.
    sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[package]


# An import makes hardly any garbage, so looking for it only takes time.
gc.disable()
with _plain_typed_dicts():
    import pydantic_core  # noqa: F401
with _stand_ins():
    import fastapi  # noqa: F401
with _without("opentelemetry"):
    import redis.asyncio  # noqa: F401 - it would look for OpenTelemetry's metrics
gc.freeze()  # modules stay for good, so no collection needs to visit them
gc.enable()
