"""Loads policies from TOML: shipped ones by name, others from files."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path

from proctoring.errors import BadPolicyError
from proctoring.judgement.policy.defaults import DEFAULT_RULES
from proctoring.judgement.policy.model import Policy, validate_policy
from proctoring.judgement.policy.outline import Path as Keys
from proctoring.judgement.policy.outline import outline
from proctoring.judgement.policy.validation import MAX_DETAIL, unknown_name, with_lines

MAX_POLICY_BYTES = 64 << 10
"""Larger policies are rejected without being parsed. With every setting, one has 8 kB."""


def parse_policy(text: str, source: str = "policy") -> Policy:
    """Parse a policy from TOML; ``source`` names it in errors.

    Raises:
        BadPolicyError: too large, not TOML, or a setting is unknown or invalid; the message has its path.
    """
    if len(text.encode(errors="replace")) > MAX_POLICY_BYTES:
        raise BadPolicyError(f"{source}: larger than {MAX_POLICY_BYTES} bytes: not a policy")
    lines = outline(text, source)
    try:
        settings = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadPolicyError(f"{source}: {_toml_problem(str(error))}") from error
    except ValueError as error:
        raise BadPolicyError(f"{source}: not TOML: a number of too many digits") from error
    given = settings.get("incidents", {})
    if not isinstance(given, dict):
        where = ("incidents",)
        raise with_lines([(where, "incidents: expected a table of kinds")], source, lines)
    problems: list[tuple[Keys, str]] = []
    rules = dict(DEFAULT_RULES)
    for kind, rule in given.items():
        path = ("incidents", kind)
        if kind not in DEFAULT_RULES:
            problems.append((path, unknown_name("incidents", kind, tuple(DEFAULT_RULES))))
        elif not isinstance(rule, dict):
            problems.append((path, f"incidents: {kind}: expected a table of settings"))
        else:
            rules[kind] = {**DEFAULT_RULES[kind], **rule}
    policy = validate_policy({**settings, "incidents": rules}, source, lines, problems)
    if problems:
        raise with_lines(problems, source, lines)
    return policy


def _toml_problem(message: str) -> str:
    """The parser's message with its line in front: "line 2: not TOML: Invalid value (column 5)"."""
    found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", message, re.DOTALL)
    if found is None:
        return f"not TOML: {message[:MAX_DETAIL]}"
    return f"line {found[2]}: not TOML: {found[1][:MAX_DETAIL]} (column {found[3]})"


def shipped_policies() -> tuple[str, ...]:
    """Names of the policies shipped with the package."""
    folder = resources.files("proctoring.judgement") / "policies"
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml")))


def shipped_policy(name: str) -> Policy:
    """A shipped policy. Never opens other files, so safe for names from clients.

    Raises:
        BadPolicyError: there is no shipped policy of that name.
    """
    if name not in shipped_policies():
        raise BadPolicyError(unknown_name("policy", name, shipped_policies()))
    file = resources.files("proctoring.judgement") / "policies" / f"{name}.toml"
    return parse_policy(file.read_text(encoding="utf-8"), name)


def read_policy(path: Path) -> Policy:
    """Load a policy from a file.

    Raises:
        BadPolicyError: the file cannot be read, is too large or is not a valid policy.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_POLICY_BYTES + 1)
        if len(data) > MAX_POLICY_BYTES:
            raise BadPolicyError(f"{path}: larger than {MAX_POLICY_BYTES} bytes: not a policy")
        text = data.decode("utf-8")
    except OSError as error:
        raise BadPolicyError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise BadPolicyError(f"{path}: not UTF-8 text") from error
    return parse_policy(text, str(path))


def load_policy(name_or_path: str | Path) -> Policy:
    """A shipped policy by name, or a policy from a file. Opens any path: only for operators.

    Raises:
        BadPolicyError: neither the name of a shipped policy nor a file with a valid policy.
    """
    if isinstance(name_or_path, str) and name_or_path in shipped_policies():
        return shipped_policy(name_or_path)
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.exists():
        return shipped_policy(str(name_or_path))  # raises with the known names
    return read_policy(path)
