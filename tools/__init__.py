"""Commands for people who work on the repository; nothing of it is installed."""
