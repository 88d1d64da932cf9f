"""Faults of a cluster of real server processes over a real PostgreSQL: what they cost, and that no event is
lost, doubled or told differently. ``python -m benchmarks.failover``; the end-to-end tests use the same."""
