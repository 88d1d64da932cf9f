"""Networks for recordings: what is loaded, and what cannot be analysed without."""

from __future__ import annotations

from pathlib import Path

import pytest

from proctoring.errors import ModelUnavailableError
from proctoring.models.store import ModelStore
from proctoring.recording.models import require_any_capability
from proctoring.vision.networks import VisionModels, load_vision_models


def test_without_any_network_a_recording_is_not_called_free_of_incidents(tmp_path: Path) -> None:
    blind = load_vision_models(ModelStore(tmp_path, catalogue=()), object_model="ssd_mobilenet_v2")
    with pytest.raises(ModelUnavailableError, match=r"no capability is available: .*face"):
        require_any_capability(blind.capabilities)


def test_one_capability_is_enough(vision_models: VisionModels) -> None:
    require_any_capability(vision_models.capabilities)
