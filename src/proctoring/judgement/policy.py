"""A policy: what counts as suspicious in one exam, validated before it is used.

Policies are TOML files. What a file leaves out is the contract's default, what it says and this
module does not know is refused with the path to it. A policy never changes once made;
accommodations for one candidate make a new one.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from proctoring.errors import BadPolicyError
from proctoring.incidents import LABELS
from proctoring.judgement.asking import (
    LEAST_LIMIT_TO_CALIBRATE,
    Calibration,
    Challenge,
    Enrolment,
)
from proctoring.judgement.rules import CONTRACT, Rule

MAX_POLICY_BYTES = 256_000
"""A policy file larger than this is refused unread."""

Degrees = Annotated[float, Field(gt=0, le=180, allow_inf_nan=False)]
Score = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Screen(BaseModel):
    """How far the screen reaches from the middle of the candidate's gaze, in degrees.

    Looking further than this is looking away. Raising a side alarms less and misses more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    left: Degrees = 14.0
    """14 degrees separated every labelled glance to the side from the centre."""
    right: Degrees = 14.0
    up: Degrees = 12.0
    """Up and down, 12 is where the rule of the lids (``vision/gaze.py``) holds as measured."""
    down: Degrees = 12.0


class Head(BaseModel):
    """How far the head may turn from its neutral pose, in degrees, on each side."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    left: Degrees = 15.0
    right: Degrees = 15.0
    up: Degrees = 15.0
    down: Degrees = 18.0


class DetectorScores(BaseModel):
    """Minimum scores for one named object detector: scores of two networks do not compare."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    phone_score: Score | None = None
    person_score: Score | None = None


class Objects(BaseModel):
    """From which score on a detection counts. Raising one alarms less and misses more.

    A detector reports only what reaches its own measured threshold, so 0 means just that; a policy
    can ask for more, not for less.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    phone_score: Score = 0.0
    person_score: Score = 0.0
    detectors: dict[str, DetectorScores] = Field(default_factory=dict)
    """Catalogue name of a detector to its own minimum scores."""
    background: Score = 0.5
    """Somebody whose face, or whole width, is below this share of the largest person's is in the
    background. Raising it takes more people for passers-by."""
    passing: float = Field(default=5.0, ge=0, le=600, allow_inf_nan=False)
    """Seconds that somebody in the background may take to pass; who stays longer counts like anybody
    else. Raising it alarms less, and later on helpers far behind. 0: everybody counts at once."""
    look_valid: float = Field(default=5.0, ge=0, le=60)
    """Seconds for which the number of persons seen in one look stands between two looks."""

    def minimum_phone_score(self, detector: str) -> float:
        """The score from which on a phone of this detector counts."""
        own = self.detectors.get(detector)
        return self.phone_score if own is None or own.phone_score is None else own.phone_score

    def minimum_person_score(self, detector: str) -> float:
        """The score from which on a person of this detector counts."""
        own = self.detectors.get(detector)
        return self.person_score if own is None or own.person_score is None else own.person_score


Phrase = Annotated[str, Field(min_length=2, max_length=100, pattern=r"\w")]


class Sound(BaseModel):
    """What counts of what is heard."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    other_voice: Score = 0.5
    """How sure it must be that a voice is not the candidate's. Raising it alarms less and misses
    voices that resemble the candidate's."""
    overlap: float = Field(default=0.3, ge=0, le=10, allow_inf_nan=False)
    """Seconds of two voices at once, within a look of about a second, that count as overlap."""
    speech: Score = 0.3
    """Share of half a second that must be speech to count as speaking."""
    phrases: tuple[Phrase, ...] = Field(default=(), max_length=200)
    """Phrases that raise ``audio.phrase`` when they are said ("hey siri"): case and punctuation do
    not matter. They need ``transcription``."""
    speakers: Literal["local", "deepgram"] = "local"
    """Who tells voices apart: our own networks, or Deepgram with its words. Ours stand in while
    Deepgram gives nothing."""


class Transcription(BaseModel):
    """Whether speech becomes words, and who may read them."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    engine: Literal["off", "moonshine", "deepgram"] = "off"
    """``moonshine`` runs here; ``deepgram`` sends the sound to Deepgram and needs a key."""
    tell: bool = False
    """``True``: listeners get the words. ``False``: only phrases that ``sound`` names are noticed."""
    interim: bool = False
    """``True``: listeners get unfinished words too, which may still change."""


class Camera(BaseModel):
    """From where on a picture cannot be judged by; measured levels are in ``vision/camera.py``."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    dark: float = Field(default=25.0, ge=0, le=255)
    """Mean grey level below which it is too dark. Raising it reports dim rooms too."""
    burnt: Score = 0.6
    """Share of the picture that is burnt white, from which on it is too bright."""
    covered_structure: float = Field(default=2.5, ge=0, le=20)
    """Structure below which a picture without fine detail shows nothing at all. Raising it calls
    what is far out of focus covered."""
    blurred_detail: float = Field(default=1.1, ge=0, le=20)
    """Detail below which the picture is out of focus. Raising it reports soft cameras too."""
    frozen: float = Field(default=0.6, ge=0.4, le=60, allow_inf_nan=False)
    """Seconds of one and the same picture from which the camera counts as frozen. Raising it passes
    over cameras that stutter in bad light."""


class LivenessLimits(BaseModel):
    """From where on the signs of life are too few. Raising one alarms more and misses less."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    score: Score = 0.3
    """The networks' mean below which a face is an attack: 1 of 56 living clips was ever below."""
    unblinking_score: Score = 0.5
    """The same for eyes that did not blink in 20 s or more."""
    depth: float = Field(default=0.001, ge=0, le=1)
    """Parallax of a turning face, in eye distances per degree, below which it is a flat sheet:
    sheets measured .0003 to .0012, heads .0012 and more. 0: never."""
    sway: float = Field(default=0.01, ge=0, le=1)
    """Travel of the head within 10 s, in eye distances, below which it is a still picture: a man
    told to hold his head still measured .045, a still picture with a camera's noise .007. 0: never."""
    framed: float = Field(default=0.6, gt=0, le=1)
    """Share of the looks in which a phone or screen surrounds the face."""
    sure_score: Score = 0.7
    """Networks that are at least so sure of a living face outweigh a frame around it, and halve the
    limit of ``depth``."""
    unchanged: float = Field(default=10.0, ge=1, le=3600)
    """Seconds for which a session may begin with one and the same picture. One that stops later is
    a frozen camera."""


class IdentityLimits(BaseModel):
    """From where on a face is another person's."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    distance: float = Field(default=0.42, gt=0, le=2, allow_inf_nan=False)
    """Between the candidate's face and the reference. Raising it alarms less and misses people who
    look alike. The network's usual 0.6 took two thirds of impostors for the candidate."""
    looks: int = Field(default=3, ge=1, le=5)
    """Looks that must be averaged before anything is said. Raising it alarms less, and later."""
    store_reference: bool = False
    """Whether the reference's embedding, biometric data, may be kept with the session's records."""


class EvidenceWanted(BaseModel):
    """What is kept of the media of an incident. By default nothing is.

    Kinds are named one by one (``object.phone``), by family (``gaze.*``), or all at once (``*``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    stills: tuple[str, ...] = Field(default=(), max_length=100)
    """Kinds of which the picture is kept that made the incident start."""
    clips: tuple[str, ...] = Field(default=(), max_length=100)
    """Kinds of which a clip is kept. Any kind here means that the last seconds of every session
    are held in memory."""
    before: float = Field(default=5.0, ge=0, le=30)
    """Seconds of the clip before the moment from which on the incident's condition held."""
    after: float = Field(default=5.0, ge=0, le=30)
    """Seconds of the clip after the moment at which the incident was told."""
    sound: bool = False
    """Whether clips have the sound too."""
    blur_bystanders: bool = True
    """Whether everybody but the candidate is made unrecognisable."""
    most: int = Field(default=100, ge=0, le=10_000)
    """Pieces of evidence kept of one session; of what comes after, nothing is."""

    @field_validator("stills", "clips")
    @classmethod
    def _known(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        for kind in kinds:
            if not any(_names(kind, known) for known in LABELS):
                raise ValueError(_unknown("evidence", kind, ("*", *LABELS)))
        return kinds

    def wants_still(self, kind: str) -> bool:
        """Whether a picture is to be kept of an incident of this kind."""
        return any(_names(wanted, kind) for wanted in self.stills)

    def wants_clip(self, kind: str) -> bool:
        """Whether a clip is to be kept of an incident of this kind."""
        return any(_names(wanted, kind) for wanted in self.clips)


def _names(pattern: str, kind: str) -> bool:
    """Whether ``pattern`` is the kind, its family (``gaze.*``) or everything (``*``)."""
    return pattern in ("*", kind) or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))


class Records(BaseModel):
    """What is kept of a session, and for how long: pictures and sound are not in it (``evidence``)."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    keep_days: float = Field(default=180.0, gt=0, le=36_500, allow_inf_nan=False)
    """Days after a session's end for which it is kept; then it is erased, and only that remains."""
    signals: bool = True
    """Whether what was observed, in numbers, is kept: to be plotted, and judged again later."""
    signal_days: float = Field(default=90.0, gt=0, le=36_500, allow_inf_nan=False)
    """Days for which these numbers are kept."""
    transcripts: bool = False
    """Whether words that were said are kept with them. ``False``: judging again hears no phrases."""


class Policy(BaseModel):
    """Everything judgement goes by. Equal policies judge equally."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str = Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    description: str = Field(default="", max_length=2000)
    gaze_confidence: Score = 0.2
    """Gaze that is read with less confidence than this counts as not readable."""
    one_alert_per_side: bool = False
    """``True``: when gaze and head leave to the same side, only the one that starts first alerts;
    the other is recorded. ``False``: each alerts, as the contract's table has it."""
    update_every: float = Field(default=30.0, ge=1, le=3600)
    """Seconds between two reports about an incident that goes on."""
    screen: Screen = Screen()
    head: Head = Head()
    objects: Objects = Objects()
    sound: Sound = Sound()
    transcription: Transcription = Transcription()
    camera: Camera = Camera()
    liveness: LivenessLimits = LivenessLimits()
    enrolment: Enrolment = Enrolment()
    identity: IdentityLimits = IdentityLimits()
    evidence: EvidenceWanted = EvidenceWanted()
    calibration: Calibration = Calibration()
    challenge: Challenge = Challenge()
    records: Records = Records()
    incidents: dict[str, Rule]

    @model_validator(mode="after")
    def _time_to_calibrate(self) -> Self:
        if self.calibration.required and not self.calibration.attempts:
            raise ValueError("calibration.required needs calibration.attempts")
        if self.calibration.required and self.enrolment.limit < LEAST_LIMIT_TO_CALIBRATE:
            raise ValueError(
                f"calibration.required needs an enrolment.limit of {LEAST_LIMIT_TO_CALIBRATE:.0f}"
            )
        return self

    @model_validator(mode="after")
    def _words_where_they_are_needed(self) -> Self:
        engine = self.transcription.engine
        if self.sound.phrases and engine == "off":
            raise ValueError("sound.phrases are never heard while transcription.engine is off")
        if self.sound.speakers == "deepgram" and engine != "deepgram":
            raise ValueError('sound.speakers "deepgram" needs transcription.engine "deepgram"')
        return self

    def with_accommodations(self, accommodations: Mapping[str, Any]) -> Policy:
        """This policy changed for one candidate.

        Args:
            accommodations: kind of incident or section (``screen``, ``liveness``, ...) to the
                settings that differ, as in ``{"gaze.left": {"persist": 5}, "screen": {"down": 30}}``.

        Raises:
            BadPolicyError: naming the path of what is unknown or impossible.
        """
        settings = self.model_dump(mode="json", exclude_none=True)
        for key, changes in accommodations.items():
            if key in settings["incidents"]:
                target = settings["incidents"]
            elif key in _SECTIONS:
                target = settings
            else:
                raise BadPolicyError(_unknown("accommodations", key, _ACCOMMODATED))
            if not isinstance(changes, Mapping):
                raise BadPolicyError(f"accommodations: {key}: expected a table of settings")
            target[key] = {**target[key], **changes}
        return _validated(settings, "accommodations")

    def unattended(self) -> Policy:
        """This policy for a recording, whose candidate cannot be asked for anything any more."""
        return self.model_copy(
            update={
                "calibration": self.calibration.model_copy(update={"required": False}),
                "challenge": self.challenge.model_copy(update={"enabled": False}),
            }
        )

    def to_toml(self) -> str:
        """The whole policy, defaults included, as a file that ``parse_policy`` reads."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


_ASKING = ("enrolment", "calibration", "challenge")
_SECTIONS = (
    "screen",
    "head",
    "objects",
    "liveness",
    "identity",
    "sound",
    "transcription",
    "camera",
    *_ASKING,
    "records",
)
_ACCOMMODATED = (*_SECTIONS, *LABELS)
_MAX_LISTED = 24


def parse_policy(text: str, source: str = "policy") -> Policy:
    """Read a policy from TOML; ``source`` names it in errors.

    Raises:
        BadPolicyError: not TOML, or something in it is unknown or impossible.
    """
    try:
        settings = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadPolicyError(f"{source}: not TOML: {error}") from error
    given = settings.get("incidents", {})
    if not isinstance(given, dict):
        raise BadPolicyError(f"{source}: incidents: expected a table of kinds")
    for kind, rule in given.items():
        if kind not in CONTRACT:
            raise BadPolicyError(_unknown(f"{source}: incidents", kind, tuple(CONTRACT)))
        if not isinstance(rule, dict):
            raise BadPolicyError(f"{source}: incidents: {kind}: expected a table of settings")
    rules = {kind: {**default, **given.get(kind, {})} for kind, default in CONTRACT.items()}
    return _validated({**settings, "incidents": rules}, source)


def shipped_policies() -> tuple[str, ...]:
    """Names of the policies that come with the package."""
    folder = resources.files("proctoring.judgement") / "policies"
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml")))


def shipped_policy(name: str) -> Policy:
    """A policy that comes with the package, by name alone: safe for names from outside.

    Raises:
        BadPolicyError: there is none of that name.
    """
    if name not in shipped_policies():
        raise BadPolicyError(_unknown("policy", name, shipped_policies()))
    file = resources.files("proctoring.judgement") / "policies" / f"{name}.toml"
    return parse_policy(file.read_text(encoding="utf-8"), name)


def read_policy(path: Path) -> Policy:
    """A policy from a file.

    Raises:
        BadPolicyError: the file cannot be read, is too large or does not validate.
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
    """A shipped policy by its name, or one from a file. For operators: opens what it is given.

    Raises:
        BadPolicyError: neither a shipped name nor a file that holds a policy.
    """
    if isinstance(name_or_path, str) and name_or_path in shipped_policies():
        return shipped_policy(name_or_path)
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.exists():
        return shipped_policy(str(name_or_path))  # raises, and names those there are
    return read_policy(path)


def _validated(settings: Mapping[str, Any], source: str) -> Policy:
    try:
        return Policy.model_validate(settings)
    except ValidationError as error:
        problems = [_problem(found["loc"], found["msg"]) for found in error.errors()]
        raise BadPolicyError(f"{source}: " + "; ".join(dict.fromkeys(problems))) from error


def _problem(location: tuple[int | str, ...], message: str) -> str:
    """One problem as "incidents.gaze.left.persist: must be ..."."""
    # "(seconds)" and "(looks)" are ways to write one setting, no settings themselves.
    path = [str(part) for part in location if not str(part).startswith("(")]
    message = message.replace("Extra inputs are not permitted", "unknown setting")
    return ": ".join(filter(None, (".".join(path), message.removeprefix("Value error, "))))


def _unknown(where: str, name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    listed = ", ".join(known[:_MAX_LISTED]) + (", ..." if len(known) > _MAX_LISTED else "")
    hint = f"did you mean {close[0]!r}?" if close else f"known are {listed}"
    return f"{where}: unknown {name[:100]!r}; {hint}"
