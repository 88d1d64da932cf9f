"""``uvicorn app.main:app``: the service for those who bring their own server."""

from proctoring.server.app import create_app

app = create_app()
