"""Tests of the inference core: from the environment to a loaded version, and from a request to an answer."""
