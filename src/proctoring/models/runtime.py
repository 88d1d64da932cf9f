"""The one place that knows the inference runtime: a file of weights in, a callable network out."""
