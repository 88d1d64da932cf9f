"""From events to listeners and webhooks: numbering, writing, replay, fan-out."""
