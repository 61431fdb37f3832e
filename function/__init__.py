"""The Cloud Function host."""
