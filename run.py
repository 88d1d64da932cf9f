"""Serve on port 8000: ``uv run run.py``."""

from proctoring.cli import main

if __name__ == "__main__":
    main()
