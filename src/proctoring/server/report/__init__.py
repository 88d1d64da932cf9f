"""A sitting's report, to print: HTML and PDF say the same."""
