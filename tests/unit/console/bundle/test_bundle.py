"""A bundle: its declaration without secrets, its file whole or not there."""

from __future__ import annotations

import tarfile
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.bundle.declaration import settings, stack_toml, with_known_keys
from console.bundle.parts import Part
from console.bundle.place import NotThere, Place
from console.bundle.unparsed import without_values
from console.bundle.write import files, save, target
from tasks.records.scrub import MASK, Scrubber
from tests.unit.foreign import WORST, assert_literal, assert_only_shown

SECRET = "wonderland-4711"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "stack.toml"
    monkeypatch.setenv("STACK_FILE", str(path))
    return path


# No word of a declaration ends so: Hypothesis also tries the words that it finds in the code.
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=6).map(
    "{}§".format
)


@given(TEXTS)
def test_of_a_file_that_is_no_toml_only_names_stay(secret: str) -> None:
    lines = ["[models.qwen]", f"port = {secret}", f"# {secret}", f"X = {secret}", f"[{secret}]"]
    wanted = ["[models.qwen]", f"port = {MASK}", MASK, MASK, MASK, ""]
    assert without_values("\n".join(lines)) == "\n".join(wanted)
    # A line of a value that goes over several.
    assert without_values(f"{secret}=") == f"{MASK}\n"


def test_the_values_of_settings_that_do_not_exist_are_left_out() -> None:
    values = {"gpu": "off", "pin": SECRET, "models": {"qwen": {"port": 1, "enviroment": {"A": 1}}}}
    assert with_known_keys(values) == {
        "gpu": "off",
        "pin": MASK,
        "models": {"qwen": {"port": 1, "enviroment": MASK}},
    }
    assert with_known_keys({"models": {"qwen": SECRET}}) == {"models": {"qwen": MASK}}


@pytest.mark.parametrize(
    "text",
    [
        f'https_proxy = "http://ada:{SECRET}@proxy:1"\n',
        f'image_mirror = "ada:{SECRET}@mirror:5000"\n',
        f'model_registry = "ada:{SECRET}@mirror:5000"\n',
        f'docker_apt_url = "https://ada:{SECRET}@mirror/docker"\n',
        f'[models.qwen.environment]\nX = "{SECRET}"\n',
        f'[models.qwen]\nenvironment = "X={SECRET}"\n',
        f'[models.qwen]\nenvironment = ["X={SECRET}"]\n',
        f'[models.qwen.enviroment]\nX = "{SECRET}"\n',
        f'models = {{qwen = {{environment = {{X = "{SECRET}"}}}}}} # {SECRET}\n',
        f'[models.qwen.environment]\nX = """\n{SECRET}\n"""\n',
        f'HF_TOKEN = "{SECRET}"\n',
        f'[models.qwen.environment]\nX = "{SECRET}\n',
        f'"{SECRET}"\n',
        f"[models.qwen.environment]\nX == {SECRET}\n",
    ],
)
def test_no_shape_of_a_secret_in_stack_toml_stays(file: Path, text: str) -> None:
    file.write_text(text)
    place = Place.here()
    # The engine of whoever runs this test has nothing to do with it.
    place.merged.values["docker_socket"] = "/nowhere/docker.sock"
    told = f"{stack_toml(place)}{settings(place)}{place.scrubber.text(place.fault)}"
    assert SECRET not in told
    assert MASK in told


@pytest.mark.parametrize(
    "line",
    [
        f'X = "{SECRET}"',
        f"X = '{SECRET}' # mine",
        f"X = {SECRET}",
        f"# {SECRET}",
        f"{SECRET}",
        f'https_proxy = "http://ada:{SECRET}@proxy:1"',
        f'X = """a\n{SECRET}\n"""',
        f'image_mirror = "ada:{SECRET}@mirror:5000"',
        f'environment = {{X = "{SECRET}"}}',
    ],
)
def test_what_may_be_a_secret_of_a_file_that_is_no_toml_is_removed_everywhere(
    file: Path, line: str
) -> None:
    file.write_text(f"gpu == off\n[models.qwen.environment]\n{line}\n")
    place = Place.here()
    place.merged.values["docker_socket"] = "/nowhere/docker.sock"
    told = place.scrubber.text(f"it said {SECRET} twice: {SECRET}; qwen2.5-coder:7b")
    assert SECRET not in told
    assert "qwen2.5-coder:7b" in told


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "FTP_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_the_password_of_a_proxy_of_the_environment_is_removed_everywhere(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str, scheme: str
) -> None:
    file.write_text("")
    monkeypatch.setenv(name, f"{scheme}ada:{SECRET}@proxy:1")
    place = Place.here()
    place.merged.values["docker_socket"] = "/nowhere/docker.sock"
    assert SECRET not in place.scrubber.text(f"it said {SECRET}")


def test_every_setting_names_where_its_value_is_from(file: Path) -> None:
    file.write_text('keep_alive = "1h"\n[models.qwen]\nport = 12000\n')
    found = settings(Place.here())["settings"]
    assert found["models.qwen.port"] == {"value": 12000, "from": str(file)}
    assert found["models.qwen.keep_alive"] == {"value": "1h", "from": str(file)}
    assert found["models.qwen.context"]["from"] == "group_data/all.py"
    assert found["gpu"]["from"] == "group_data/all.py"


def test_a_file_that_is_not_there_says_so(file: Path) -> None:
    with pytest.raises(NotThere, match="there is no"):
        stack_toml(Place.here())


def test_a_part_that_cannot_be_had_is_a_file_that_says_so(file: Path) -> None:
    def missing() -> dict[str, str]:
        raise NotThere("Docker is down")

    def broken() -> dict[str, str]:
        raise ValueError(f"HF_TOKEN={SECRET}")

    file.write_text("")
    place = Place.here()
    place.merged.values["docker_socket"] = "/nowhere/docker.sock"
    made = dict(files(place, [Part("a", "", missing), Part("b.txt", "", broken)]))
    assert made == {
        "a.not-there.txt": "Docker is down\n",
        "b.txt.not-there.txt": f"ValueError: HF_TOKEN={MASK}\n",
    }


def test_the_archive_is_its_owners_alone_and_never_replaces_another(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    save(path, {"a/b.txt": "ä"})
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as archive:
        (member,) = archive.getmembers()
        content = archive.extractfile(member)
        assert member.name == "x/a/b.txt" and content is not None
        assert content.read().decode() == "ä"
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        save(path, {"c.txt": ""})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path], "nothing half-written is left"


def test_a_bundle_that_could_not_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("")
    for name in ("there", "no-folder/x.tar.gz"):
        with pytest.raises(click.UsageError):
            target(str(tmp_path / name))
    assert target("").name.startswith("ollama-stack-doctor-2")


def test_attack_13_nothing_in_a_bundle_drives_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "b.tar.gz"
    save(path, {f"containers/{WORST}.log": WORST})
    with tarfile.open(path) as archive:
        (name,) = archive.getnames()
        (member,) = archive.getmembers()
        content = archive.extractfile(member)
        assert content is not None
        text = content.read().decode()
    assert_only_shown(name + text)
    assert_literal(text)


def test_an_escape_in_the_middle_hides_no_secret_from_the_scrubber(file: Path) -> None:
    place = Place()
    place.__dict__["scrubber"] = Scrubber(frozenset({SECRET}))
    assert SECRET not in place.scrubbed(f"{SECRET[:4]}\x1b[1m{SECRET[4:]}")
