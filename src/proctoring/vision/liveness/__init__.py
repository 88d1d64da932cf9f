"""Liveness: scores and measurements of the candidate's face; no policy and no decisions."""
