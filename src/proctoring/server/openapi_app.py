"""A FastAPI application with a corrected OpenAPI document."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

JSON = "application/json"


class OpenApiApp(FastAPI):
    """Describes errors as JSON. FastAPI describes them with the media type of the route's answer."""

    def openapi(self) -> dict[str, Any]:
        """The document."""
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
