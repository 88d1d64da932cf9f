"""Is it still the same person? Pixels and landmarks in, distances of faces out, no rules."""
