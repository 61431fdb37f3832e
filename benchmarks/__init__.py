"""Benchmarks: this project beside what people write today, in one run, on the same models."""
