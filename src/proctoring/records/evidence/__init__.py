"""Stores stills and clips by the digest of their content, encrypted if a key is configured."""
