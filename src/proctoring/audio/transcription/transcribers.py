"""The transcription engines of one process: loaded, or their key checked, when first requested."""

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
INTERIM_PERIOD = 1.0
"""Seconds of new speech after which Moonshine transcribes an unfinished utterance again. Its publisher's
streaming at this interval takes 370 ms of CPU per second of speech on a 2-core AVX-512 machine; without
interim transcripts it is about 40 (``docs/benchmarks.md``)."""
_NOT_REQUESTED = "nobody has asked for it"


class Transcribers:
    """Opens a stream per session and knows which engines are available. Thread-safe.

    Args:
        store: source of Moonshine's weights.
        voice_activity: Silero, which delimits Moonshine's utterances.
        deepgram_key: empty: none is configured.
        deepgram: options of Deepgram.
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
            engine: Capability(
                f"transcription.{engine}", False, _NOT_REQUESTED, model, wanted=False
            )
            for engine, model in ((MOONSHINE, MOONSHINE_MODEL), (DEEPGRAM, self._deepgram.model))
        }

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """Availability of the engines, as far as known."""
        return tuple(self._found.values())

    def prepare(self, engines: Iterable[str]) -> None:
        """Load the requested engines and check Deepgram's key if there is one; logs each outcome. Blocks.

        Args:
            engines: requested at start.
        """
        requested = set(engines)
        if MOONSHINE in requested:
            try:
                self._load_moonshine()
                _log.info("transcription by Moonshine: on")
            except TranscriberUnavailableError as error:
                _log.warning("transcription by Moonshine: off: %s", error.detail)
        if self._key or DEEPGRAM in requested:
            trouble = check_key(self._key, self._deepgram)
            self.note(DEEPGRAM, trouble)
            if trouble:
                _log.warning("transcription by Deepgram: off: %s", trouble)
            else:
                _log.info("transcription by Deepgram: on, its key was accepted")

    def begin(self, engine: str, start: float, *, interim: bool) -> TranscriptionStream:
        """A session's stream, from media time ``start`` (seconds) on. Blocks while the engine loads.

        Raises:
            TranscriberUnavailableError: the engine is unavailable.
        """
        if engine == DEEPGRAM:
            stream = DeepgramStream(
                self._key, start=start, settings=replace(self._deepgram, interim=interim)
            )
            self._note_begun(DEEPGRAM)
            return stream
        moonshine, voice_activity = self._load_moonshine()
        settings = MoonshineSettings(interim_period=INTERIM_PERIOD if interim else 0.0)
        return MoonshineStream(moonshine, voice_activity, start=start, settings=settings)

    def note(self, engine: str, trouble: str) -> None:
        """Update an engine's availability. ``trouble``: why it fails; empty: it works."""
        self._found[engine] = replace(
            self._found[engine], available=not trouble, reason=trouble, wanted=True
        )

    def _note_begun(self, engine: str) -> None:
        # Whether it works is known after it has connected; until then the last state stays.
        if self._found[engine].reason == _NOT_REQUESTED:
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
