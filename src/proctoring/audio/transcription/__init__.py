"""Transcription: one interface, a local engine and a remote one. Off unless a policy requests it."""
