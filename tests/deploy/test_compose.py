"""``deploy/compose``: every part that is named exists, and every variable is a setting."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr
from tests.deploy.haproxy import CONFIGURATION
from tests.waiting import TIMEOUT

from proctoring.settings import Settings

COMPOSE = CONFIGURATION.parents[1] / "compose"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((COMPOSE / "compose.yaml").read_text())[
    "services"
]
WHOLE = yaml.safe_load((COMPOSE / "compose.yaml").read_text())


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_names_exists(name: str) -> None:
    service = SERVICES[name]
    assert set(service.get("secrets", [])) <= set(WHOLE["secrets"])
    assert set(service.get("networks", [])) <= set(WHOLE["networks"])
    assert set(service.get("depends_on", [])) <= set(SERVICES)
    for volume in service.get("volumes", []):
        source = volume.partition(":")[0]
        assert source in WHOLE["volumes"] or (COMPOSE / source).is_file()
    if "build" in service:
        context = (COMPOSE / service["build"]["context"]).resolve()
        assert (context / service["build"]["dockerfile"]).is_file()


def test_every_variable_of_a_server_is_a_setting() -> None:
    server = SERVICES["proctoring"]
    named = set(server["environment"]) | set(re.findall(r"PROCTORING_\w+", server["command"][2]))
    known = {f"PROCTORING_{name.upper()}" for name in Settings.model_fields}
    # Those of several servers on one database.
    cluster = {"PROCTORING_CLUSTER_ADDRESS", "PROCTORING_CLUSTER_SECRET"}
    assert named - known - cluster == {"FORWARDED_ALLOW_IPS"}


def test_secrets_are_made_once(tmp_path: Path) -> None:
    script = tmp_path / "secrets.sh"
    script.write_bytes((COMPOSE / "secrets.sh").read_bytes())
    made = []
    for _ in range(2):
        subprocess.run(["sh", script], check=True, capture_output=True, timeout=TIMEOUT)
        made.append({path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()})
    assert made[0] == made[1]
    assert set(made[0]) == set(WHOLE["secrets"])
    secrets = {name: SecretStr(text.strip()) for name, text in made[0].items()}
    Settings(token_secret=secrets["token"], evidence_key=secrets["evidence"])
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
