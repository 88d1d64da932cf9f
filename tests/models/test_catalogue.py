from __future__ import annotations

import re
from pathlib import Path

import pytest

from proctoring.models.catalogue import CATALOGUE, find_model
from proctoring.models.model import Carrier, Model, PublisherUrl

NOTICE = Path(__file__).parents[2] / "NOTICE"
each_model = pytest.mark.parametrize("model", CATALOGUE, ids=lambda model: model.name)


@each_model
def test_notice_names_every_model_its_makers_and_its_licence(model: Model) -> None:
    notice = " ".join(NOTICE.read_text().split())

    assert f"{model.name}: {model.attribution} ({model.licence})" in notice


@each_model
def test_entries_are_complete(model: Model) -> None:
    assert model.files
    for file in model.files:
        assert file.sources
        assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in file.sha256)
        for source in file.sources:
            match source:
                case PublisherUrl():
                    assert source.url.startswith(("https://", "http://"))
                case Carrier():
                    assert re.fullmatch(r"\d+(\.\d+)+", source.version), "exact versions only"


def test_names_are_unique() -> None:
    assert len({model.name for model in CATALOGUE}) == len(CATALOGUE)


def test_nothing_with_copyleft_is_in_the_catalogue() -> None:
    assert {model.licence for model in CATALOGUE} <= {"Apache-2.0", "MIT", "CC0-1.0", "CC-BY-4.0"}


def test_a_model_is_found_by_its_name() -> None:
    assert find_model("ssd_mobilenet_v2") in CATALOGUE
    assert find_model("nothing") is None
