"""Stills and clips of incidents, as far as the policy asks for them."""
