"""Tests that both hosts, as real processes, give the same answers to the same requests."""
