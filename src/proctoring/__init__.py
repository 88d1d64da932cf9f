"""Real-time proctoring: media in, observations, incidents, alerts out."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("proctoring-ai")
except PackageNotFoundError:  # run from a copy that nobody installed
    __version__ = "0"
