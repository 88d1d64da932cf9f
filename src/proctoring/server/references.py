"""Learns candidates' faces and voices from what clients send, one at a time."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable

from proctoring.audio.networks import AudioModels
from proctoring.audio.speaker_reference import SpeakerReference, analyse_reference, decode_reference
from proctoring.errors import BadPhotoError, BadVoiceError
from proctoring.session.loaded_models import Models
from proctoring.vision.identity.reference import FaceReference
from proctoring.vision.identity.reference_photo import embed_photo
from proctoring.vision.networks import VisionModels


class ReferenceLearning:
    """Runs one request at a time on a thread: each takes a core for up to some seconds.

    Args:
        models: what detects and embeds; raises ``NotReadyError`` while there is nothing.
    """

    def __init__(self, models: Callable[[], Models]) -> None:
        self._models = models
        self._turn = asyncio.Semaphore(1)

    async def face(self, photo: str) -> FaceReference:
        """The embedding of the face in a picture.

        Args:
            photo: a JPEG or PNG, in base64.

        Raises:
            BadPhotoError: it shows no face that can be compared.
            ModelUnavailableError, NotReadyError: faces are not compared here, or not now.
        """
        models = self._models().vision
        async with self._turn:
            return await asyncio.to_thread(_face, models, photo)

    async def voice(self, recording: str) -> SpeakerReference:
        """The embeddings of the voice in a sound file.

        Args:
            recording: the file, in base64.

        Raises:
            BadVoiceError: it cannot be decoded, or no single voice can be learned from it.
            ModelUnavailableError, NotReadyError: speakers are not told apart here, or not now.
        """
        models = self._models().audio
        async with self._turn:
            return await asyncio.to_thread(_voice, models, recording)


def _face(models: VisionModels, photo: str) -> FaceReference:
    try:
        data = base64.b64decode(photo, validate=True)
    except ValueError as error:
        raise BadPhotoError("reference_photo is not base64") from error
    return embed_photo(models, data)


def _voice(models: AudioModels, recording: str) -> SpeakerReference:
    try:
        data = base64.b64decode(recording, validate=True)
    except ValueError as error:
        raise BadVoiceError("reference_voice is not base64") from error
    return analyse_reference(models, decode_reference(data))
