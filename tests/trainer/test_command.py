"""python -m trainer: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from registry import Registry
from registry.cli import main as model_bucket
from registry.errors import UnknownModelError
from tests.trainer.conftest import ROOT, Demo
from trainer.__main__ import main

HEAVY = {"numpy", "scipy", "sklearn", "skops", "joblib", "typer", "google.cloud.storage"}


def imported(*arguments: str) -> set[str]:
    """Run the trainer in a process of its own, and return which heavy modules it imported."""
    program = (
        "import sys\nfrom trainer.__main__ import main\n"
        f"assert main({list(arguments)!r}) == 0\n"
        f"print(*({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    return set(ended.stderr.split())


def test_without_publish_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run prints the metrics and the digest."""
    assert main(["linear3"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert re.fullmatch(r"linear3: trained on 300 rows of linear3 in \d+\.\d\d s", lines[0])
    assert lines[1].startswith("held-out metrics: r2 0.999")
    assert re.fullmatch(r"sha256: [0-9a-f]{64}", lines[2])
    assert (len(lines), err) == (3, "")


def test_publish_says_where_it_lies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As the recipe's model and version, without an alias; a second time nothing changes."""
    url = (tmp_path / "registry").as_uri()
    assert main(["linear3", "--publish", url]) == 0
    assert f"published as linear3 1.0, revision 1: {url}/linear3/versions/1.0/" in capsys.readouterr().out
    assert Registry(url).manifest("linear3").aliases == {}
    assert main(["linear3", "--publish", url]) == 0
    assert "was published before as linear3 1.0, revision 1: " in capsys.readouterr().out


def test_publish_under_another_name_and_promote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--model and --version name it, --promote puts stable on it in the same revision."""
    url = (tmp_path / "registry").as_uri()
    assert main(["linear3", "--publish", url, "--model", "sums", "--version", "2.0", "--promote"]) == 0
    assert capsys.readouterr().out.endswith("stable is on 2.0\n")
    manifest = Registry(url).manifest("sums")
    assert (manifest.revision, dict(manifest.aliases)) == (1, {"stable": "2.0"})
    with pytest.raises(UnknownModelError):
        Registry(url).manifest("linear3")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["roses"], "there is no recipe 'roses' (known: digits-forest, iris-forest, iris-logistic, linear3)"),
        (["linear3", "--publish", "ftp://x"], "cannot open the registry 'ftp://x'"),
        (["linear3", "--publish", "memory://", "--version", "latest"], "'latest' cannot name a version"),
        (["linear3", "--promote"], "--model, --version and --promote need --publish"),
        (["--list", "--publish", "memory://"], "--publish needs a RECIPE"),
        (["linear3", "--jobs", "0"], "--jobs is a number of threads, or -1 for one a core, not 0"),
    ],
)
def test_a_wrong_call_is_one_line_and_2(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed on the standard output but what was done before."""
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["--nope"], ["linear3", "--list"], ["linear3", "--jobs", "two"]])
def test_usage_errors_are_one_line_and_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With where help can be found."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert err.endswith(" (see python -m trainer --help)\n")
    assert err.count("\n") == 1


def test_other_content_under_a_published_version_is_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A published version never changes; the message says what differs."""
    url = (tmp_path / "registry").as_uri()
    assert main(["linear3", "--publish", url, "--model", "iris", "--version", "1.0.0"]) == 0
    assert main(["iris-logistic", "--publish", url]) == 3
    assert "error: version '1.0.0' of model 'iris' is published with other content (" in capsys.readouterr().err


def test_a_broken_manifest_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The registry is at fault, and the place is named."""
    manifest = tmp_path / "linear3" / "manifest.json"
    manifest.parent.mkdir()
    manifest.write_text("{")
    assert main(["linear3", "--publish", tmp_path.as_uri()]) == 1
    assert f"error: {manifest.as_uri()}.line 1 column" in capsys.readouterr().err
    assert main(["--demo", tmp_path.as_uri()]) == 1


def test_a_store_that_cannot_be_reached_is_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("")
    assert main(["--demo", f"{tmp_path.as_uri()}/file/registry"]) == 4
    assert capsys.readouterr().err.startswith("error: ")


def test_the_list_imports_nothing_heavy() -> None:
    """Recipes are listed without scikit-learn."""
    assert imported("--list") == set()


def test_a_new_recipe_is_one_new_file(tmp_path: Path) -> None:
    """It is found by its name, listed, trained and published, and nothing else is edited."""
    for package in ("registry", "trainer"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    recipe = (tmp_path / "trainer" / "recipes" / "linear3.py").read_text()
    (tmp_path / "trainer" / "recipes" / "linear_again.py").write_text(recipe.replace('"linear3"', '"linear-again"'))
    ended = subprocess.run(
        [sys.executable, "-m", "trainer", "linear-again", "--publish", (tmp_path / "models").as_uri()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert "published as linear-again 1.0" in ended.stdout


def test_the_demo_publishes_the_example_registry(demo: Demo) -> None:
    """Four versions of three models, stable on the first of each."""
    registry = Registry(demo.first.as_uri())
    manifests = {model: registry.manifest(model) for model in registry.models()}
    assert {model: [*manifest.versions] for model, manifest in manifests.items()} == {
        "digits": ["1.0.0"],
        "iris": ["1.0.0", "1.1.0"],
        "linear3": ["1.0"],
    }
    assert {model: dict(manifest.aliases) for model, manifest in manifests.items()} == {
        "digits": {"stable": "1.0.0"},
        "iris": {"stable": "1.0.0"},
        "linear3": {"stable": "1.0"},
    }
    assert [line.split(" published")[0] for line in demo.printed.splitlines()] == [
        "iris 1.0.0",
        "iris 1.1.0",
        "linear3 1.0",
        "digits 1.0.0",
    ]


def test_a_second_demo_changes_nothing_and_imports_nothing_heavy(folder: Path) -> None:
    """What is published is looked up in the manifests: neither scikit-learn nor even numpy is needed for that."""
    before = {file: file.read_bytes() for file in folder.rglob("manifest.json")}
    assert imported("--demo", folder.as_uri()) == set()
    assert {file: file.read_bytes() for file in folder.rglob("manifest.json")} == before


def test_the_demo_leaves_a_promoted_alias_where_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a person promoted stays promoted."""
    registry = Registry(folder.as_uri())
    registry.promote("iris", "1.1.0")
    assert main(["--demo", folder.as_uri()]) == 0
    assert registry.manifest("iris").aliases == {"stable": "1.1.0"}
    assert capsys.readouterr().out.splitlines()[:2] == ["iris 1.0.0 is there already", "iris 1.1.0 is there already"]


def test_the_demo_restores_what_is_missing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model that is gone is published again, an alias that is gone is put back; a withdrawn version is left alone."""
    shutil.rmtree(folder / "linear3")
    registry = Registry(folder.as_uri())
    remove_alias(folder, "digits")
    remove_alias(folder, "iris")
    registry.withdraw("iris", "1.0.0")
    assert main(["--demo", folder.as_uri()]) == 0
    assert registry.manifest("linear3").aliases == {"stable": "1.0"}
    assert registry.manifest("digits").aliases == {"stable": "1.0.0"}
    assert registry.manifest("iris").aliases == {"stable": "1.1.0"}
    assert "digits 1.0.0 is there already; stable is on it now" in capsys.readouterr().out


def remove_alias(folder: Path, model: str) -> None:
    manifest = folder / model / "manifest.json"
    document = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**document, "aliases": {}}))


def test_the_example_manifests_apply_cleanly(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """manifests/ holds decisions about each model of the example registry, and a second time nothing changes."""
    monkeypatch.setenv("MODEL_REGISTRY", folder.as_uri())
    files = [str(ROOT / "manifests" / f"{model}.json") for model in ("iris", "linear3", "digits")]
    assert model_bucket(["apply", *files]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "iris: apply: canary: nothing -> 1.1.0 (revision 3)",
        "linear3: nothing to change (revision 1)",
        "digits: nothing to change (revision 1)",
    ]
    assert model_bucket(["apply", *files]) == 0
    assert model_bucket(["verify"]) == 0


def test_the_code_revision_is_that_of_our_own_repository(tmp_path: Path) -> None:
    """The commit, marked when files differ; nothing in a repository that does not track the trainer, or without git."""
    git = shutil.which("git")
    if git is None:
        pytest.skip("there is no git here")
    shutil.copytree(ROOT / "trainer", tmp_path / "trainer", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / ".gitignore").write_text("__pycache__/\n")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def revision(**changed: str) -> str:
        program = "from trainer.code_revision import code_revision; print(code_revision())"
        command = [sys.executable, "-c", program]
        ended = subprocess.run(
            command, cwd=tmp_path, env={**environ, **changed}, capture_output=True, text=True, timeout=30, check=True
        )
        return ended.stdout.strip()

    def run_git(*arguments: str) -> str:
        identity = ["-c", "user.name=ann", "-c", "user.email=ann@example.com"]
        command = [git, *identity, *arguments]
        ended = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True)
        return ended.stdout.strip()

    assert revision() == "None"
    run_git("init", "--quiet")
    assert revision() == "None"
    run_git("add", ".")
    run_git("commit", "--quiet", "--message", "trainer: begin")
    commit = run_git("rev-parse", "HEAD")
    assert revision() == commit
    with (tmp_path / "trainer" / "card.py").open("a") as file:
        file.write("\n")
    assert revision() == f"{commit}-dirty"
    assert revision(PATH=str(tmp_path)) == "None"
