"""The verbs, against each other."""
