"""Tests of the service as a process: how it starts, fails, waits, withstands and stops."""
