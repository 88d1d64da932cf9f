"""Remote transcription: Deepgram Nova-3 live, through the official SDK.

Needs ``pip install 'proctoring-ai[deepgram]'`` and an API key. All network I/O runs in threads of its
own; the session's thread only appends to a bounded queue and takes the transcripts that have arrived.
Audio that was sent but not covered by a final transcript when a connection broke is sent again over
the next one.

No message and no exception of the SDK is ever logged: messages may contain words, exceptions the key.
"""
