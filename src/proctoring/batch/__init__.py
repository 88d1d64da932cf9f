"""Analysis of many recordings by worker processes, on this machine or in a Ray cluster."""
