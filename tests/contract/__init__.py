"""Contracts that every implementation keeps; they are discovered, so a new one is tested unedited."""
