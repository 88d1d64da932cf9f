"""What is kept: sittings, events, incidents, signals, decisions, consent; in SQLite or PostgreSQL."""
