"""Speed and scale: each command prints the figures that docs/benchmarks.md quotes."""
