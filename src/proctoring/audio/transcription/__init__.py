"""Speech to words: one interface, a local transcriber and a remote one. Off unless asked for."""
