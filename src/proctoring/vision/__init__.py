"""From frames to observations: pixels, networks and measurements; no policy and no decisions."""
