"""Live sessions: their event loop and worker halves, sinks, evidence, and the pool that serves many fairly."""
