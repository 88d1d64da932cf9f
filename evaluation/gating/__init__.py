"""Compares gated analysis (work follows change) with analysis of everything in every frame."""
