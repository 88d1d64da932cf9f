"""A sitting as files, made piece by piece: their size is no matter of memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import TypeAdapter

from proctoring.records.event_log import StoredEvent
from proctoring.records.reader import RecordReader
from proctoring.records.sitting_detail import SittingDetail

_EVENTS = 1000
"""Events read in one query."""

_ANY: TypeAdapter[Any] = TypeAdapter(Any)


def json_text(reader: RecordReader, detail: SittingDetail) -> Iterator[str]:
    """The JSON of a sitting with all incidents and events, in pieces."""
    yield '{"sitting": ' + _json(detail.sitting)
    yield ',\n"consents": ' + _json(detail.consents)
    yield ',\n"policy_toml": ' + json.dumps(detail.policy_toml)
    yield ',\n"incidents": '
    yield from _json_list(reader.incidents(detail.sitting.id))
    yield ',\n"events": '
    yield from _json_list(_events(reader, detail.sitting.id))
    yield "}\n"


def _events(reader: RecordReader, sitting_id: str) -> Iterator[StoredEvent]:
    after = 0
    while page := reader.events(sitting_id, after, _EVENTS):
        yield from page
        after = page[-1].seq


def _json_list(items: Iterable[Any]) -> Iterator[str]:
    mark = "["
    for item in items:
        yield mark + "\n" + _json(item)
        mark = ","
    yield "[]" if mark == "[" else "\n]"


def _json(value: Any) -> str:
    return _ANY.dump_json(value).decode()
