"""Serving: from the environment to a loaded version, and from a request to an answer. Knows no web framework."""
