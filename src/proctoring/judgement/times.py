"""Comparison of media times."""

from __future__ import annotations

TOLERANCE = 1e-6
"""Seconds by which media times may differ from exact values: they are sums of floats, and 21 frames
at intervals of 0.1 s must count as 2.0 s."""
