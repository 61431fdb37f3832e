"""The bucket format: one module a rule of docs/FORMAT.md, each with tests that try to break it."""
