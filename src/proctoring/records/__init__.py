"""Records of sittings in a database: events, incidents, evidence, signals, decisions, consents."""
