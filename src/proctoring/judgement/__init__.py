"""Observations to incidents, by policy: pure, no I/O, no numpy, no clock."""
