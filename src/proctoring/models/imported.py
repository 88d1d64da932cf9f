"""Importing a user's object detector: checked, copied into the models folder, with a manifest."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from proctoring.errors import ModelUnavailableError, SettingsError
from proctoring.models.catalogue import find_model
from proctoring.models.detector_files import inspect_detector
from proctoring.models.digest import sha256_of
from proctoring.models.manifest import write_manifest
from proctoring.models.model import Model, ModelFile

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


def import_detector(
    folder: Path,
    source: Path,
    name: str,
    *,
    classes: tuple[str, ...] = (),
    licence: str = "as its owner says",
    replace: bool = False,
) -> Model:
    """Check a YOLO11 or YOLOX export and copy it into the models folder.

    Args:
        folder: the models folder.
        source: an ONNX file, an OpenVINO .xml next to its .bin, or a folder with one of them.
        name: for the setting ``object_model``.
        classes: names of its classes, if the file does not contain them.
        licence: of the weights, for the manifest.
        replace: whether an imported model of that name may be replaced.

    Raises:
        ModelUnavailableError: the name or the file is not acceptable.
        SettingsError: the models folder is not writable.
    """
    if not _NAME.fullmatch(name):
        raise ModelUnavailableError(
            f"{name!r} will not do as a name: up to 64 of a-z, 0-9, '_', '-', '.'"
        )
    if find_model(name) is not None:
        raise ModelUnavailableError(f"{name} is the name of a model of the catalogue")
    target = folder / name
    if target.exists() and not replace:
        raise ModelUnavailableError(
            f"there is a model named {name} already (--replace replaces it)"
        )
    main = _main_file(source)
    described = inspect_detector(main, classes)
    paths = [main] if main.suffix == ".onnx" else [main, main.with_suffix(".bin")]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".import-", dir=folder) as scratch:
            staged = Path(scratch) / name
            staged.mkdir()
            files = []
            for path in paths:
                copy = staged / path.name
                shutil.copyfile(path, copy)
                files.append(ModelFile(path.name, copy.stat().st_size, (sha256_of(copy),)))
            model = Model(
                name=name,
                version=f"{described.width}x{described.height}",
                capability="objects",
                licence=licence,
                attribution="imported by the user",
                files=tuple(files),
                default=False,
                family=described.family,
                classes=described.classes,
            )
            write_manifest(staged, model)
            if target.exists():
                target.rename(Path(scratch) / "replaced")
            staged.rename(target)
    except OSError as error:
        raise SettingsError(
            f"{source} cannot be copied into the models folder {folder}: {error.strerror or error}"
        ) from error
    return model


def _main_file(source: Path) -> Path:
    """The .onnx or .xml file that ``source`` is or contains."""
    if source.is_dir():
        found = sorted([*source.glob("*.xml"), *source.glob("*.onnx")])
        if len(found) != 1:
            raise ModelUnavailableError(
                f"{source} holds {len(found)} .xml and .onnx files; wanted is one"
            )
        source = found[0]
    if not source.is_file():
        raise ModelUnavailableError(f"{source} is not there")
    if source.suffix not in {".onnx", ".xml"}:
        raise ModelUnavailableError(
            f"{source.name} is neither an ONNX file (.onnx) nor an OpenVINO one (.xml)"
        )
    if source.suffix == ".xml" and not source.with_suffix(".bin").is_file():
        raise ModelUnavailableError(
            f"{source.name} lacks its weights, {source.stem}.bin, beside it"
        )
    return source
