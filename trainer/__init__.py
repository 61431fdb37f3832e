"""Recipes: data to a fitted estimator to a published version.

Example:
    python -m trainer --list
    python -m trainer iris-forest --publish file:///srv/models --promote

A recipe is one file in `trainer.recipes`. Training is deterministic: the same recipe gives the same digest in every
process, whatever the number of jobs. Nothing heavy is imported before something is trained.
"""
