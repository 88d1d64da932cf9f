"""The transcribers of one process: loaded, or their key tried, when they are first asked for."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from threading import Lock

from proctoring.audio.transcription.deepgram.sdk import check_key
from proctoring.audio.transcription.deepgram.settings import DeepgramSettings
from proctoring.audio.transcription.deepgram.stream import DeepgramStream
from proctoring.audio.transcription.moonshine.network import NAME as MOONSHINE_MODEL
from proctoring.audio.transcription.moonshine.network import Moonshine, load_moonshine
from proctoring.audio.transcription.moonshine.stream import MoonshineSettings, MoonshineStream
from proctoring.audio.transcription.stream import TranscriptionStream
from proctoring.capabilities import Capability
from proctoring.errors import ModelUnavailableError, TranscriberUnavailableError
from proctoring.models.onnx_runtime import OnnxNetwork
from proctoring.models.store import ModelStore

_log = logging.getLogger(__name__)

MOONSHINE = "moonshine"
DEEPGRAM = "deepgram"
INTERIM = 1.0
"""Seconds of new speech after which Moonshine reads an unfinished utterance again: 370 ms of CPU
for each second of talk (read, reference machine) instead of about 40 (docs/benchmarks.md)."""
_NOT_ASKED = "nobody has asked for it"


class Transcribers:
    """Gives every session its stream, and knows what can be had. Safe from many threads.

    Args:
        store: has Moonshine's weights.
        voice_activity: Silero, by which Moonshine finds utterances.
        deepgram_key: empty: none was given.
        deepgram: how Deepgram is asked.
    """

    def __init__(
        self,
        store: ModelStore,
        voice_activity: OnnxNetwork | None,
        *,
        deepgram_key: str = "",
        deepgram: DeepgramSettings | None = None,
    ) -> None:
        self._store = store
        self._voice_activity = voice_activity
        self._key = deepgram_key
        self._deepgram = deepgram or DeepgramSettings()
        self._moonshine: Moonshine | None = None
        self._loading = Lock()
        self._found = {
            engine: Capability(f"transcription.{engine}", False, _NOT_ASKED, model, wanted=False)
            for engine, model in ((MOONSHINE, MOONSHINE_MODEL), (DEEPGRAM, self._deepgram.model))
        }

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What can be had, as far as it was tried."""
        return tuple(self._found.values())

    def prepare(self, wanted: Iterable[str]) -> None:
        """Load what is wanted from the start, and try Deepgram's key if there is one.

        Says each outcome in one line of the log. May take long.
        """
        engines = set(wanted)
        if MOONSHINE in engines:
            try:
                self._load_moonshine()
                _log.info("transcription by Moonshine: on")
            except TranscriberUnavailableError as error:
                _log.warning("transcription by Moonshine: off: %s", error.detail)
        if self._key or DEEPGRAM in engines:
            trouble = check_key(self._key, self._deepgram)
            self.note(DEEPGRAM, trouble)
            if trouble:
                _log.warning("transcription by Deepgram: off: %s", trouble)
            else:
                _log.info("transcription by Deepgram: on, its key was accepted")

    def begin(self, engine: str, start: float, *, interim: bool) -> TranscriptionStream:
        """A session's stream, from media time ``start`` on. The first may take long.

        Raises:
            TranscriberUnavailableError: it cannot be had.
        """
        if engine == DEEPGRAM:
            stream = DeepgramStream(
                self._key, start=start, settings=replace(self._deepgram, interim=interim)
            )
            self._note_begun(DEEPGRAM)
            return stream
        moonshine, voice_activity = self._load_moonshine()
        settings = MoonshineSettings(interim=INTERIM if interim else 0.0)
        return MoonshineStream(moonshine, voice_activity, start=start, settings=settings)

    def note(self, engine: str, trouble: str) -> None:
        """What a session found out about an engine; no ``trouble``: it works."""
        self._found[engine] = replace(
            self._found[engine], available=not trouble, reason=trouble, wanted=True
        )

    def _note_begun(self, engine: str) -> None:
        # Whether it works shows when it connects; until then what is known stays.
        if self._found[engine].reason == _NOT_ASKED:
            self.note(engine, "")

    def _load_moonshine(self) -> tuple[Moonshine, OnnxNetwork]:
        if self._voice_activity is None:
            self.note(MOONSHINE, "needs voice activity, which is off")
            raise TranscriberUnavailableError("needs voice activity, which is off")
        with self._loading:
            try:
                if self._moonshine is None:
                    self._moonshine = load_moonshine(self._store)
            except ModelUnavailableError as error:
                self.note(MOONSHINE, error.detail)
                raise TranscriberUnavailableError(error.detail) from error
            self.note(MOONSHINE, "")
            return self._moonshine, self._voice_activity
