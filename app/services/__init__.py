"""The documented import paths of the service: re-exports, nothing else."""
