"""From incident to listener: ordered events, replay, fan-out."""
