"""Imports FastAPI for less. Whoever needs FastAPI early imports this module first.

FastAPI describes every part of an OpenAPI document by a pydantic model, and pydantic builds the
validator of a model when its class is made: a fifth of the buy function's import, for a document
that no purchase asks for. Told to defer, pydantic builds a validator when it is first used.
"""

import gc
import os

from pydantic import BaseModel

# Nothing here is a plugin of pydantic; to look for one it reads the metadata of every package.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

# The models that are defined from here on take this over from their base.
BaseModel.model_config["defer_build"] = True
# Of what an import makes nearly nothing becomes garbage: looking for it only takes time.
gc.disable()

import fastapi  # noqa: E402, F401

gc.freeze()  # it stays for good, so no collection need walk it
gc.enable()
del BaseModel.model_config["defer_build"]
