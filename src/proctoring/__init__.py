"""Real-time proctoring of exams and interviews: video and audio in, incidents and alerts out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name: str) -> object:
        """Load attributes when first used: ``importlib.metadata`` alone takes 70 ms to import."""
        if name != "__version__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("proctoring-ai")
        except PackageNotFoundError:  # a source tree that is not installed
            return "0"
