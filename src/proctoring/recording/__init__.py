"""Analysis of recordings with the pipeline of live sessions: report and annotated copy."""
