"""Which weights, from where, verified; loaded into a runtime."""
