"""Keys come from the environment or a ``.env`` file and never come out again."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from proctoring.errors import SettingsError
from proctoring.settings import Settings, read_settings

KEY = "d33pgram-k3y"


def test_keys_are_not_needed() -> None:
    assert read_settings().deepgram_key == ""


def test_a_key_from_the_environment_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", f" {KEY}\n")
    settings = read_settings()
    assert settings.deepgram_key == KEY
    assert KEY not in repr(settings) + str(settings) + settings.model_dump_json()


def test_a_key_from_a_file_beside_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"DEEPGRAM_API_KEY={KEY}\nPROCTORING_PORT=9000\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEEPGRAM_API_KEY")
    settings = Settings()
    assert (settings.deepgram_key, settings.port) == (KEY, 9000)


def test_the_example_file_names_every_key_and_holds_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    example = Path(__file__).parents[1] / ".env.example"
    lines = [line for line in example.read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if line] == ["DEEPGRAM_API_KEY=", "HF_TOKEN="]


def test_a_key_that_can_be_none_is_named_without_being_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", "two words")
    with pytest.raises(SettingsError) as refused:
        read_settings()
    assert refused.value.detail.startswith("DEEPGRAM_API_KEY: ")
    assert "two words" not in refused.value.detail


def test_deepgrams_address_must_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCTORING_DEEPGRAM_URL", "https://example.org")
    with pytest.raises(SettingsError, match="PROCTORING_DEEPGRAM_URL"):
        read_settings()


CHOSEN_HERE = {
    "models_folder": "the user's cache folder",
    "data_folder": "the user's data folder",
    "workers": "one per core",
}
"""Defaults that depend on the machine, as the table puts them."""


def shown(default: object) -> str:
    """A default as the table puts it."""
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if default is None or default in ("", ()):
        return "none"
    return f"{default:.10g}" if isinstance(default, float) else str(default).lower()


def test_the_table_has_every_setting_with_its_default() -> None:
    table = (Path(__file__).parents[1] / "docs" / "reference" / "settings.md").read_text()
    rows = dict(re.findall(r"^\| `([A-Z_0-9]+)` \| ([^|]+) \|", table, re.MULTILINE))
    assert rows == {
        str(field.validation_alias or f"PROCTORING_{name.upper()}"): (
            CHOSEN_HERE[name] if field.default_factory else shown(field.default)
        )
        for name, field in Settings.model_fields.items()
    }


def test_secrets_too_short_are_told_together_with_the_command_that_makes_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    short = "abc-too-short"
    monkeypatch.setenv("PROCTORING_TOKEN_SECRET", short)
    monkeypatch.setenv("PROCTORING_EVIDENCE_KEY", short)
    hooks = [
        {"url": "https://a.example", "secret": short},
        {"url": "https://b.example", "style": "livekit", "key": "k", "secret": short},
    ]
    monkeypatch.setenv("PROCTORING_WEBHOOKS", json.dumps(hooks))
    with pytest.raises(SettingsError) as error:
        read_settings()
    problems = error.value.detail.split("; ")
    assert len(problems) == 4
    assert all(problem.endswith("make one with openssl rand -base64 32") for problem in problems)
    for name in ("PROCTORING_TOKEN_SECRET", "PROCTORING_EVIDENCE_KEY", "PROCTORING_WEBHOOKS: 1"):
        assert name in error.value.detail
    assert short not in error.value.detail


def test_the_command_makes_what_every_secret_takes() -> None:
    made = base64.b64encode(bytes(32)).decode()
    hooks = [{"url": "https://a.example", "secret": made}]
    read_settings(token_secret=made, evidence_key=made, webhooks=hooks)


SERVERS = {
    "database": "postgresql+psycopg://user@host/name",
    "cluster_address": "http://10.0.0.7:8000",
    "cluster_secret": "x" * 32,
}


def test_a_cluster_needs_an_address_a_secret_and_postgresql() -> None:
    settings = read_settings(**SERVERS)
    assert settings.cluster_address == "http://10.0.0.7:8000"
    for name, reason in (
        ("database", "needs PROCTORING_DATABASE: PostgreSQL"),
        ("cluster_secret", "needs PROCTORING_CLUSTER_SECRET"),
    ):
        left = {key: value for key, value in SERVERS.items() if key != name}
        with pytest.raises(SettingsError, match=reason):
            read_settings(**left)
    assert read_settings(cluster_secret="x" * 32).cluster_address is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"cluster_address": "10.0.0.7:8000"},
        {"cluster_address": "http://10.0.0.7:8000/path"},
        {"cluster_address": "http://user@10.0.0.7"},
        {"cluster_secret": "short"},
    ],
)
def test_a_wrong_setting_of_a_cluster_is_named_without_its_secret(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=f"(?i){next(iter(wrong))}") as refused:
        read_settings(**SERVERS | wrong)
    assert "short" not in str(refused.value)
