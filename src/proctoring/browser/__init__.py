"""What the candidate's browser reports about itself, to observations."""
