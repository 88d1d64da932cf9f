"""Serve on port 8000: ``uv run run.py``. Options are those of ``proctoring serve``."""

import sys

from proctoring.__main__ import main

if __name__ == "__main__":
    sys.argv[1:1] = ["serve"]
    main()
