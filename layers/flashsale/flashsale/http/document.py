"""The OpenAPI document, corrected where FastAPI describes errors that this API does not answer."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from flashsale.http.errors import PROBLEM_PATHS

# FastAPI's own 422. `errors` answers another body.
_NOT_OURS = "HTTPValidationError"


class DocumentedAPI(FastAPI):
    """A FastAPI application whose document names the errors that it answers, and no others."""

    def openapi(self) -> dict[str, Any]:
        """Return the document, which is made when a client first asks for it."""
        if not self.openapi_schema:
            document = super().openapi()
            for path, operation in _operations(document):
                _correct(path, operation["responses"])
            schemas = document.get("components", {}).get("schemas", {})
            for name in (_NOT_OURS, "ValidationError"):
                schemas.pop(name, None)
        assert self.openapi_schema
        return self.openapi_schema


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            yield path, operation


def _correct(path: str, responses: dict[str, Any]) -> None:
    if _NOT_OURS in str(responses.get("422")):
        del responses["422"]
    if path.startswith(PROBLEM_PATHS):
        for status, response in responses.items():
            if status >= "400":
                content = response["content"]
                content["application/problem+json"] = content.pop("application/json")
