"""What is written beside an imported model: the catalogue entry that it would be."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from proctoring.errors import ModelUnavailableError
from proctoring.models.model import Model

RECORD = "model.json"
_RECORDS = TypeAdapter(Model)


def write_record(folder: Path, model: Model) -> None:
    """Write the record of an imported model into its folder."""
    (folder / RECORD).write_bytes(_RECORDS.dump_json(model, indent=1))


def read_record(folder: Path) -> Model:
    """The record of an imported model.

    Raises:
        ModelUnavailableError: there is none, or it does not make sense.
    """
    path = folder / RECORD
    try:
        return _RECORDS.validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise ModelUnavailableError(f"there is no model named {folder.name!r}") from error
    except (OSError, ValidationError) as error:
        raise ModelUnavailableError(f"{path} is no record of a model") from error
