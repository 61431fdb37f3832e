"""docs/CLI.md: every command on the page does what it shows."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
import skops.io

from tests.cli.conftest import ROOT, Cli, Ran
from tests.docs_check import blocks
from trainer.recipes import open_recipe

PAGE = (ROOT / "docs" / "CLI.md").read_text(encoding="utf-8")
SHOW_CODE = ' || echo "exit code $?"'


def examples() -> list[tuple[str, str]]:
    """The commands of the page, each with what it is shown to answer."""
    parts = [part for body in blocks(PAGE, "console") for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]]
    return [(command, answer.rstrip()) for command, _, answer in (part.partition("\n") for part in parts)]


def call(cli: Cli, command: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a command as a shell would, and return what a person sees."""
    words = shlex.split(command.removesuffix(SHOW_CODE))
    while "=" in words[0]:
        monkeypatch.setenv(*words.pop(0).split("=", 1))
    assert words.pop(0) == "model-bucket"
    ran: Ran = cli(*words)
    if command.endswith(SHOW_CODE):
        return f"{ran.out}{ran.err}exit code {ran.code}"
    assert ran.code == 0, (command, ran.err)
    return ran.out.rstrip()


def test_every_command_on_the_page_does_what_it_shows(
    cli: Cli, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The examples run in the page's order on one registry; an ellipsis stands for anything."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("VISUAL", raising=False)
    shutil.copytree(ROOT / "manifests", tmp_path / "manifests")
    write_inputs(tmp_path)
    for command, shown in examples():
        answer = call(cli, command.replace("/tmp/model", f"{tmp_path}/model"), monkeypatch)
        pattern = ".*".join(re.escape(part) for part in shown.replace("/tmp/model", f"{tmp_path}/model").split("…"))
        assert re.fullmatch(pattern, answer, re.DOTALL), (command, answer)


def write_inputs(folder: Path) -> None:
    """Write the files that the page's example of publish names."""
    recipe = open_recipe("iris-logistic")
    dataset = recipe.load()
    estimator = recipe.build().set_params(logisticregression__C=10.0).fit(dataset.inputs, dataset.targets)
    skops.io.dump(estimator, folder / "iris.skops")
    names = ",".join(column.name for column in recipe.columns)
    rows = "\n".join(",".join(map(str, row)) for row in dataset.inputs.tolist())
    (folder / "iris.csv").write_text(f"{names}\n{rows}\n")


def test_the_page_has_the_help_of_every_verb(cli: Cli) -> None:
    """No verb is left out, and none stays that has gone."""
    listed = cli("--help").out.partition("Commands:\n")[2].partition("\n\n")[0]
    verbs = re.findall(r"^  (\w+) ", listed, re.MULTILINE)
    helps = [command for command, _ in examples() if command.endswith("--help")]
    assert sorted(helps) == sorted(["model-bucket --help", *(f"model-bucket {verb} --help" for verb in verbs)])
