"""Fetches models with a display of their progress."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console

from proctoring.cli.loading_display import loading_display
from proctoring.errors import ModelUnavailableError
from proctoring.models.store import ModelStore


def fetch_with_bars(
    store: ModelStore, names: Iterable[str], console: Console
) -> dict[str, ModelUnavailableError]:
    """Fetch absent models with progress bars.

    Returns:
        The models that cannot be fetched, and why.

    Raises:
        SettingsError: the models folder cannot be written.
    """
    with loading_display(console) as (progress, _):
        return store.fetch_all(names, progress)
