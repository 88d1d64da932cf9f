"""Online speaker diarization: segmentation of the last ten seconds, then embeddings per speaker.

Embedding a sliding window directly fails on real conversation, because windows straddle speaker
turns. Each step therefore runs the segmentation network on the last ten seconds first and embeds
only frames in which exactly one speaker is active (as diart and pyannote do). Speaker indices of
the segmentation are local to one window; local speakers are matched from window to window by their
overlap in time, so that a speaker who was identified once is not embedded again every second.
"""
