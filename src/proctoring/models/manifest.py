"""The manifest of an imported model: its catalogue entry, as ``model.json`` next to its files."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from proctoring.errors import ModelUnavailableError
from proctoring.models.model import Model

MANIFEST = "model.json"
_ADAPTER = TypeAdapter(Model)


def write_manifest(folder: Path, model: Model) -> None:
    """Write the manifest of an imported model into its folder."""
    (folder / MANIFEST).write_bytes(_ADAPTER.dump_json(model, indent=1))


def read_manifest(folder: Path) -> Model:
    """The manifest of an imported model.

    Raises:
        ModelUnavailableError: there is none, or it does not validate.
    """
    path = folder / MANIFEST
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise ModelUnavailableError(f"there is no model named {folder.name!r}") from error
    except (OSError, ValidationError) as error:
        raise ModelUnavailableError(f"{path} is no record of a model") from error
