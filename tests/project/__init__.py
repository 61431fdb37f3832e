"""Tests of the repository itself: what may stand in it, its locks and its metadata."""
