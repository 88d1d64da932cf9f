"""Identity: distances between the candidate's face and a reference; no policy and no decisions."""
