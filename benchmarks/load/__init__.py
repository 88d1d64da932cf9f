"""Load: many sessions through one real server process, and beside it what a plain stack would cost."""
