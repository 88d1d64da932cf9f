"""Real-time proctoring: media in, observations, incidents, alerts out."""
