"""Local transcription: Moonshine tiny-en (English)."""
