"""The values of the registry: names, digests, manifests, records, decisions, and their JSON Schemas."""
