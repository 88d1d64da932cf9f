"""Where stills and clips are kept: sealed if a key is given, by the digest of their content."""
