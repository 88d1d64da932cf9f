"""Write the pages of ``docs/reference`` that the code knows: ``python -m tools.reference``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tools.reference_pages.asyncapi import asyncapi_page
from tools.reference_pages.commands import commands_page
from tools.reference_pages.errors import errors_page
from tools.reference_pages.incidents import incidents_page
from tools.reference_pages.policy_settings import policy_settings_page
from tools.reference_pages.rest import rest_page
from tools.reference_pages.settings import settings_page
from tools.scale import scale_page

FOLDER = Path(__file__).parents[1] / "docs" / "reference"

PAGES: dict[str, Callable[[], str]] = {
    "asyncapi.md": asyncapi_page,
    "commands.md": commands_page,
    "errors.md": errors_page,
    "incidents.md": incidents_page,
    "policy-settings.md": policy_settings_page,
    "rest.md": rest_page,
    "scale-plan.md": scale_page,
    "settings.md": settings_page,
}
"""File name to the function that makes its text."""


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
