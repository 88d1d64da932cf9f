"""The peer: the plain stack that people would build. For comparison only; the product never imports it."""
