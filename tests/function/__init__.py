"""Tests of the Cloud Function as a process, run as the platform runs it."""
