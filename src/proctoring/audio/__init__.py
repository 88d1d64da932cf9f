"""Sound to observations: numpy and models, no rules."""
