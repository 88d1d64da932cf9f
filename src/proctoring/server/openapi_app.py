"""The application with its OpenAPI document put right."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

JSON = "application/json"


class OpenApiApp(FastAPI):
    """FastAPI, which describes errors in the form of the path's good answer, be it a picture."""

    def openapi(self) -> dict[str, Any]:
        """The document; errors are JSON on every path."""
        if self.openapi_schema is None:
            document = super().openapi()
            for path in document["paths"].values():
                for operation in path.values():
                    for status, answer in operation["responses"].items():
                        content = answer.get("content", {})
                        if status >= "400" and content:
                            schema = next(iter(content.values()))
                            answer["content"] = {JSON: content.get(JSON, schema)}
        return super().openapi()
