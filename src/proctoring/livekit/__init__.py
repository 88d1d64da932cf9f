"""Procturing and the LiveKit agent: a client of the server. LiveKit, no models."""
