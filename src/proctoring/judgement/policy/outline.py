"""Which keys a TOML document sets on which lines, found without parsing it.

The parser of the standard library needs time and memory that grow with the square of a dotted key's
parts, and recurses into nested arrays and tables. This scan is linear and refuses such documents first.
"""

from __future__ import annotations

import re

from proctoring.errors import BadPolicyError

MAX_DEPTH = 8
"""Parts of a dotted key with its table, and levels of nested arrays and tables. A policy has four:
``incidents."gaze.left".persist.hits``."""

MAX_KEY_LENGTH = 100
"""Characters of one part of a key; those of a policy have up to 40."""

Path = tuple[str, ...]
"""The parts of a key, from the root of the document."""

# Every alternative ends somewhere in any text, so that the scan never goes back: an unclosed string
# ends with its line, an unclosed multi-line one with the document. Two quotes may precede a closing three.
_TOKEN = re.compile(
    r'(?P<multi>"""(?:\\.?|[^\\])*?(?:"{3,5}+|\Z)|\'\'\'.*?(?:\'{3,5}+|\Z))'
    r'|(?P<string>"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"?|\'[^\'\n]*+\'?)'
    r"|(?P<comment>\#[^\n]*+)"
    r"|(?P<bare>[\w\-]++)"
    r"|(?P<mark>[\[\]{}=,\n])",
    re.DOTALL,
)


def outline(text: str, source: str) -> dict[Path, int]:
    """The line, from 1, on which each key and table first stands. Ignores what is not TOML.

    Args:
        text: the document.
        source: names it in errors.

    Raises:
        BadPolicyError: a key is too long, or nested too deeply.
    """
    lines: dict[Path, int] = {}
    line = 1
    table: Path = ()
    key: list[str] = []
    opened: list[tuple[str, Path]] = []
    """Open brackets of the value, each with the key that its inner keys stand below."""
    in_key, in_header = True, False

    def check(depth: int) -> None:
        if depth > MAX_DEPTH:
            raise BadPolicyError(f"{source}: line {line}: nested deeper than {MAX_DEPTH} levels")

    def note(path: Path) -> None:
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], line)

    for token in _TOKEN.finditer(text):
        kind, found = token.lastgroup, token.group()
        if kind == "multi":
            line += found.count("\n")
        elif kind in ("bare", "string") and in_key:
            part = found.strip("\"'") if kind == "string" else found
            if len(part) > MAX_KEY_LENGTH:
                raise BadPolicyError(
                    f"{source}: line {line}: a key has at most {MAX_KEY_LENGTH} characters"
                )
            key.append(part)
            check(len(opened[-1][1] if opened else table) + len(key))
        elif kind == "mark" and found == "\n":
            line += 1
            if not opened:
                key, in_key, in_header = [], True, False
        elif kind == "mark" and in_key and not in_header and found == "=":
            path = (*(opened[-1][1] if opened else table), *key)
            note(path)
            key, in_key = list(path), False
        elif kind == "mark" and in_key and not opened and found == "[":
            table, in_header = (), True
        elif kind == "mark" and in_header and found == "]":
            table, in_key = tuple(key), False
            note(table)
        elif found in ("[", "{"):
            opened.append((found, tuple(key)))
            check(len(opened))
            in_key, key = found == "{", [] if found == "{" else key
        elif found in ("]", "}") and opened:
            key, in_key = list(opened.pop()[1]), False
        elif found == "," and opened:
            in_key = opened[-1][0] == "{"
            key = [] if in_key else key
    return lines
