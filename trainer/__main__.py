"""The command line of the trainer: ``python -m trainer RECIPE [--publish URL]``.

Without ``--publish`` nothing is written: the recipe is trained, and its metrics and its digest are printed. An error is
one line that begins with ``error:``, and the exit codes are those of ``model-bucket`` (`registry.cli.ending`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from registry.cli.ending import WRONG_CALL, run_to_end
from registry.errors import InputError, RegistryError
from trainer.recipes import known_recipes, open_recipe

ALIAS = "stable"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code."""
    options = _parser().parse_args(argv)
    return run_to_end(lambda: _run(options), report=lambda error: print(f"error: {_one_line(error)}", file=sys.stderr))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_CALL, f"error: {message} (see python -m trainer --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m trainer",
        description="Train a recipe, and publish what comes out of it.",
        epilog="Exit codes: 0 done, 1 the registry or its content is at fault, 2 the call is wrong, 3 conflict, "
        "4 the store cannot be reached.",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("recipe", nargs="?", metavar="RECIPE", help="what to train; --list names the recipes")
    what.add_argument("--list", action="store_true", help="list the recipes")
    what.add_argument("--demo", metavar="URL", help="publish what is missing of the example registry")
    parser.add_argument("--publish", metavar="URL", help="publish to this registry; without it nothing is written")
    parser.add_argument("--model", metavar="NAME", help="publish as this model instead of the recipe's own")
    parser.add_argument("--version", metavar="V", help="publish as this version instead of the recipe's own")
    parser.add_argument("--promote", action="store_true", help=f"put the alias {ALIAS!r} on it as well")
    parser.add_argument("--jobs", metavar="N", type=int, default=1, help="threads that fit a forest; -1: one a core")
    return parser


def _run(options: argparse.Namespace) -> int:
    if not options.publish and (options.model or options.version or options.promote):
        raise InputError("--model, --version and --promote need --publish")
    if options.publish and not options.recipe:
        raise InputError("--publish needs a RECIPE")
    if options.jobs == 0:
        raise InputError("--jobs is a number of threads, or -1 for one a core, not 0")
    if options.list:
        _list()
    elif options.demo:
        _demo(options.demo, options.jobs)
    else:
        _train(options)
    return 0


def _list() -> None:
    for name in known_recipes():
        recipe = open_recipe(name)
        print(f"{name:14} {recipe.model + ' ' + recipe.version:14} {recipe.summary}")


def _demo(url: str, jobs: int) -> None:
    from registry.stores import open_store
    from trainer.demo import publish_demo

    for step in publish_demo(open_store(url), jobs=jobs):
        how = f"published ({_shown(step.metrics)})" if step.created else "is there already"
        print(f"{step.model} {step.version} {how}{f'; {ALIAS} is on it now' if step.promoted else ''}", flush=True)


def _train(options: argparse.Namespace) -> None:
    open_recipe(options.recipe)
    if options.publish:
        from registry.stores import open_store

        open_store(options.publish)  # a URL that cannot be right is refused before anything is trained
    from registry.registry import Registry
    from trainer.training import train

    trained = train(options.recipe, jobs=options.jobs)
    print(f"{trained.name}: trained on {trained.data.n_rows} rows of {trained.data.name} in {trained.training_s:.2f} s")
    print(f"held-out metrics: {_shown(trained.metrics)}", flush=True)
    if not options.publish:
        print(f"sha256: {trained.digest()}")
        return
    published = trained.publish(
        Registry(options.publish),
        model=options.model,
        version=options.version,
        alias=ALIAS if options.promote else None,
    )
    print(f"sha256: {published.sha256}")
    how = "published as" if published.created else "was published before as"
    print(f"{how} {published.model} {published.version}, revision {published.revision}: {published.url}")
    if options.promote:
        print(f"{ALIAS} is on {published.version}")


def _shown(metrics: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in metrics.items())


def _one_line(error: RegistryError) -> str:
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
