"""The policies that sessions can be created with: the shipped ones, and an operator's from a folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from proctoring.errors import BadPolicyError
from proctoring.judgement.policy.loading import load_policy, read_policy, shipped_policies
from proctoring.judgement.policy.model import Policy
from proctoring.judgement.policy.validation import unknown_name

MAX_FILES = 200
"""Policies of a folder; further files are reported and not read."""


@dataclass(frozen=True, slots=True)
class Policies:
    """Policies by name."""

    known: dict[str, Policy]
    problems: tuple[str, ...] = field(default=())
    """Files of the folder that are not used, and why."""

    def __iter__(self) -> Iterator[Policy]:
        return iter(self.known.values())

    def get(self, name: str) -> Policy:
        """The policy of this name. Never opens files, so safe for names from clients.

        Raises:
            BadPolicyError: there is none; the message lists those that there are.
        """
        if name not in self.known:
            raise BadPolicyError(unknown_name("policy", name, tuple(self.known)))
        return self.known[name]

    def load(self, name_or_path: str | Path) -> Policy:
        """The policy of this name, or one from a file. Opens any path: only for operators.

        Raises:
            BadPolicyError: neither a name nor a file with a valid policy.
        """
        if isinstance(name_or_path, Path):
            return read_policy(name_or_path)
        path = Path(name_or_path)
        if name_or_path in self.known or (path.suffix != ".toml" and not path.exists()):
            return self.get(name_or_path)
        return read_policy(path)


def read_policies(folder: Path | None) -> Policies:
    """The shipped policies, and those of the folder's ``*.toml`` files under the names that they state.

    A file that cannot be used is a problem of its own and keeps no other from being used.
    """
    known = {name: load_policy(name) for name in shipped_policies()}
    if folder is None:
        return Policies(known)
    problems: list[str] = []
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ".toml")
    except OSError as error:
        return Policies(known, (f"{folder}: {error.strerror or error}",))
    if len(files) > MAX_FILES:
        problems.append(f"{folder}: {len(files)} policies, of which {MAX_FILES} are read")
    origins: dict[str, str] = {}
    for file in files[:MAX_FILES]:
        try:
            policy = read_policy(file)
        except BadPolicyError as error:
            problems.append(error.detail)
            continue
        if policy.name in known:
            other = origins.get(policy.name, "a shipped policy")
            problems.append(f"{file}: name: {policy.name!r} is the name of {other}, too")
            continue
        known[policy.name] = policy
        origins[policy.name] = file.name
    return Policies(known, tuple(problems))
