"""Is the face before the camera a living one? Pixels and landmarks in, scores and cues out, no rules."""
