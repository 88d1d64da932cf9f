"""The report of a sitting, as HTML and PDF with the same content."""
