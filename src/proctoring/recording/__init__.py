"""A recorded video through the same pipeline as live sessions; its report, and a copy drawn on."""
