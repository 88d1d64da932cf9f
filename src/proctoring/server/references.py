"""Learns candidates' faces and voices from what clients send, one at a time."""

from __future__ import annotations

import asyncio
import base64

from proctoring.audio.networks import AudioModels
from proctoring.audio.speaker_reference import SpeakerReference, analyse_reference, decode_reference
from proctoring.errors import BadPhotoError, BadVoiceError
from proctoring.vision.identity.reference import FaceReference
from proctoring.vision.identity.reference_photo import embed_photo
from proctoring.vision.networks import VisionModels


class ReferenceLearning:
    """Runs one request at a time on a thread: each takes a core for up to some seconds."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)

    async def face(self, models: VisionModels, photo: str) -> FaceReference:
        """The embedding of the face in a picture.

        Args:
            models: what detects and embeds.
            photo: a JPEG or PNG, in base64.

        Raises:
            BadPhotoError: it shows no face that can be compared.
            ModelUnavailableError: faces are not compared here.
        """
        async with self._turn:
            return await asyncio.to_thread(_face, models, photo)

    async def voice(self, models: AudioModels, recording: str) -> SpeakerReference:
        """The embeddings of the voice in a sound file.

        Args:
            models: what detects and embeds.
            recording: the file, in base64.

        Raises:
            BadVoiceError: it cannot be decoded, or no single voice can be learned from it.
            ModelUnavailableError: speakers are not told apart here.
        """
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
