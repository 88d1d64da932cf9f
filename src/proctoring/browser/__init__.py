"""Reports of the candidate's browser about itself, to observations."""
