"""The FastAPI host."""
