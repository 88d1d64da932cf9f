"""The stages of a session's analysis: each reads the context of a frame and returns a part of its observation."""
