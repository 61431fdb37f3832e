"""verify, gc, pull: looking after what lies in the bucket."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from registry import Registry
from registry.pull import pull
from registry.stores import open_store
from tests.cli.conftest import Cli, Ran, run, run_on_terminal


def artifact(folder: Path, version: str) -> Path:
    (file,) = (folder / "iris" / "versions" / version).glob("*.skops")
    return file


def test_verify_reads_everything(cli: Cli, registry: Registry) -> None:
    """All models when none is named, with what was looked at."""
    ran = cli("verify")
    assert ran.code == 0
    assert [line.split(",")[0] for line in ran.out.splitlines()] == ["iris: 6 objects", "linear3: 3 objects"]
    document = cli("verify", "linear3", "--json").json
    assert document["sound"] is True
    assert [finding["place"] for finding in document["findings"]] == [
        "linear3 manifest",
        "linear3 1.0 record",
        "linear3 1.0 skops",
    ]


def test_verify_names_the_object_that_was_changed(cli: Cli, folder: Path) -> None:
    """One flipped byte is found, everything else is looked at all the same, and the exit code is 1."""
    file = artifact(folder, "1.0.0")
    data = bytearray(file.read_bytes())
    data[100] ^= 1
    file.write_bytes(data)
    ran = cli("verify")
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert lines[0].endswith("1 problem")
    assert lines[1].startswith(f"  iris 1.0.0 skops: {file.as_uri()}: SHA-256 is ")
    assert lines[2].endswith("sound")
    document = cli("verify", "--json").json
    assert document["sound"] is False
    assert [finding["place"] for finding in document["findings"] if finding["problem"]] == ["iris 1.0.0 skops"]


def test_verify_of_an_unknown_model_is_a_wrong_call(cli: Cli, folder: Path) -> None:
    """Nothing to look at is not the same as nothing wrong."""
    assert cli("verify", "roses").code == 2


def test_gc_shows_first_and_deletes_when_told(cli: Cli, folder: Path) -> None:
    """What nothing reaches is listed; --delete removes it, and nothing else."""
    before = sorted(folder.rglob("*.*"))
    orphan = folder / "iris" / "versions" / "2.0.0" / "0123456789abcdef.skops"
    orphan.parent.mkdir()
    orphan.write_bytes(b"half a publication")
    assert cli("gc", "--min-age", "0s").out.endswith("1 object, 18 B that nothing reaches: --delete deletes them\n")
    assert orphan.exists()
    document = cli("gc", "iris", "--min-age", "0s", "--delete", "--json").json
    assert [item["path"] for item in document["objects"]] == ["iris/versions/2.0.0/0123456789abcdef.skops"]
    assert sorted(folder.rglob("*.*")) == before
    assert cli("gc", "--min-age", "0s").out == "nothing to collect\n"


@pytest.mark.parametrize(("age", "found"), [("90m", 1), ("2h", 1), ("1.5d", 0), ("0s", 1)])
def test_gc_leaves_younger_objects_alone(cli: Cli, folder: Path, age: str, found: int) -> None:
    """A publication may be under way: only what is older than the age counts."""
    orphan = folder / "iris" / "versions" / "2.0.0" / "0123456789abcdef.skops"
    orphan.parent.mkdir()
    orphan.write_bytes(b"x")
    three_hours_ago = orphan.stat().st_mtime - 3 * 3600
    os.utime(orphan, (three_hours_ago, three_hours_ago))
    assert len(cli("gc", "--min-age", age, "--json").json["objects"]) == found


def test_gc_collects_a_first_publication_that_broke_off(cli: Cli, folder: Path) -> None:
    """A model that has objects and no manifest yet can be cleaned up as well."""
    orphan = folder / "wine" / "versions" / "1.0.0" / "0123456789abcdef.skops"
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"x")
    assert cli("gc", "wine", "--min-age", "0s", "--delete").code == 0
    assert not orphan.exists()
    assert cli("gc", "wine").code == 2


def test_pull_makes_a_registry_that_every_verb_works_on(
    cli: Cli, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pulled version is the default, verifies clean, and can be promoted and rolled back."""
    registry.promote("iris", "1.1.0", alias="canary")
    monkeypatch.chdir(tmp_path)
    document = cli("pull", "iris", "stable", "pulled", "--json").json
    url = (tmp_path / "pulled").as_uri()
    assert (document["version"], document["registry"]) == ("1.0.0", url)
    pulled = Registry(url)
    assert pulled.manifest("iris").default == "1.0.0"
    assert pulled.manifest("iris").aliases == {"stable": "1.0.0"}
    assert cli("verify", "--registry", url).code == 0
    assert cli("promote", "iris", "1.0.0", "--alias", "prod", "--registry", url).code == 0
    assert cli("verify", "--registry", url).code == 0


def test_pulling_another_version_keeps_the_first(cli: Cli, registry: Registry, tmp_path: Path) -> None:
    """The target gains a version in a revision of its own; what it serves stays as it is."""
    url = (tmp_path / "pulled").as_uri()
    cli("pull", "iris", "1.0.0", url)
    cli("pull", "iris", "1.1.0", url)
    manifest = Registry(url).manifest("iris")
    assert sorted(manifest.versions) == ["1.0.0", "1.1.0"]
    assert (manifest.default, dict(manifest.aliases)) == ("1.0.0", {"stable": "1.0.0"})
    assert cli("verify", "--registry", url).code == 0
    cli("pull", "iris", "1.1.0", url)
    assert Registry(url).manifest("iris") == manifest


def test_pulling_into_the_registry_itself_is_refused(cli: Cli, registry: Registry, folder: Path) -> None:
    """Nothing is changed."""
    ran = cli("pull", "iris", "1.1.0", folder)
    assert ran.code == 2
    assert registry.manifest("iris").revision == 2


def test_a_store_of_ones_own_in_memory_is_not_the_registry_itself(registry: Registry) -> None:
    """Two unnamed memory stores share a URL and nothing else."""
    first, second = open_store("memory://"), open_store("memory://")
    pull(registry.store, "iris", "stable", first)
    assert pull(first, "iris", "stable", second).version == "1.0.0"


def test_pull_writes_no_manifest_for_damaged_bytes(cli: Cli, folder: Path, tmp_path: Path) -> None:
    """What does not match the manifest is not passed on."""
    artifact(folder, "1.0.0").write_bytes(b"other bytes")
    assert cli("pull", "iris", "1.0.0", tmp_path / "pulled").code == 1
    assert not (tmp_path / "pulled" / "iris" / "manifest.json").exists()


def test_progress_is_shown_on_a_terminal_only(folder: Path) -> None:
    """The standard output is the same with and without; the bar is on the standard error, when that is a terminal."""
    shown = run_on_terminal("verify", "iris")
    quiet = run("verify", "iris")
    assert shown.out.startswith("iris: 6 objects")
    assert "verifying" in shown.err
    assert quiet == Ran(code=0, out=shown.out, err="")


def test_pulling_leaves_what_the_target_withdrew_withdrawn(cli: Cli, registry: Registry, tmp_path: Path) -> None:
    """What the target decided is the target's."""
    url = (tmp_path / "pulled").as_uri()
    cli("pull", "iris", "1.0.0", url)
    cli("pull", "iris", "1.1.0", url)
    Registry(url).withdraw("iris", "1.1.0")
    assert cli("pull", "iris", "1.1.0", url).code == 0
    assert Registry(url).manifest("iris").versions["1.1.0"].state == "withdrawn"


def test_a_path_that_leads_back_to_the_registry_is_the_registry(cli: Cli, registry: Registry, folder: Path) -> None:
    """However it is written."""
    assert cli("pull", "iris", "1.1.0", f"{folder}/iris/..").code == 2
    assert registry.manifest("iris").default == "stable"


def test_gc_of_all_models_passes_over_what_is_no_model(cli: Cli, registry: Registry, folder: Path) -> None:
    """A folder of something else beside the models is left alone, and so is a model with a broken manifest."""
    (folder / "logs").mkdir()
    (folder / "logs" / "a.txt").write_text("a")
    assert cli("gc").code == 0
    (folder / "iris" / "manifest.json").write_text("{")
    ran = cli("gc", "--json")
    assert (ran.code, len(ran.json["problems"])) == (1, 1)
