"""Real-time proctoring of exams and interviews: video and audio in, incidents and alerts out.

Recordings are analysed by :func:`analyse`, whose models and codecs ``proctoring-ai[server]``
installs. Nothing is imported before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proctoring.judgement import Policy, load_policy
    from proctoring.recording.analysis import analyse
    from proctoring.recording.models import RecordingModels, load_models
    from proctoring.recording.report import Report

    __version__: str
else:
    _MODULES = {
        "Policy": "proctoring.judgement",
        "load_policy": "proctoring.judgement",
        "analyse": "proctoring.recording.analysis",
        "RecordingModels": "proctoring.recording.models",
        "load_models": "proctoring.recording.models",
        "Report": "proctoring.recording.report",
    }

    def __getattr__(name: str) -> object:
        """Import what is used when it is first used."""
        if name == "__version__":
            return _version()
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = globals()[name] = getattr(import_module(_MODULES[name]), name)
        return found

    def _version() -> str:
        from importlib.metadata import PackageNotFoundError, version  # 70 ms

        try:
            return version("proctoring-ai")
        except PackageNotFoundError:  # a source tree that is not installed
            return "0"


__all__ = [
    "Policy",
    "RecordingModels",
    "Report",
    "__version__",
    "analyse",
    "load_models",
    "load_policy",
]
