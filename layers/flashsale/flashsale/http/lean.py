"""Import FastAPI at a lower cost. Import this module before anything that imports FastAPI.

FastAPI describes each part of an OpenAPI document by a pydantic model, and pydantic builds the
validator of a model when its class is defined. This takes a fifth of the buy function's import, for
a document that no purchase needs. With `defer_build` pydantic builds a validator at its first use.
"""

import gc
import os

from pydantic import BaseModel

# There are no plugins of pydantic here. To look for one, it reads the metadata of every package.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

# The models that are defined from here on inherit this.
BaseModel.model_config["defer_build"] = True
# An import makes hardly any garbage, so looking for it only takes time.
gc.disable()

import fastapi  # noqa: E402, F401

gc.freeze()  # modules stay for good, so no collection needs to visit them
gc.enable()
del BaseModel.model_config["defer_build"]
