"""Where one process stores events, observations and evidence: a database, or memory alone."""
