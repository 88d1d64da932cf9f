"""Accuracy on labelled data: each command prints the figures that docs/accuracy.md quotes."""
