#!/bin/sh
# Serve on port 8000, as `uv run run.py` does. On macOS, where libraries that a package manager
# installed are not found by themselves, with the path to them set.
set -eu
cd "$(dirname "$0")"

if [ "$(uname -s)" = Darwin ]; then
  for folder in /opt/homebrew/lib /usr/local/lib; do
    if [ -d "$folder" ]; then
      DYLD_FALLBACK_LIBRARY_PATH="$folder${DYLD_FALLBACK_LIBRARY_PATH:+:$DYLD_FALLBACK_LIBRARY_PATH}"
    fi
  done
  export DYLD_FALLBACK_LIBRARY_PATH
fi

exec uv run run.py "$@"
