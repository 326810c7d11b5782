"""The engine's answers. Shapes as Docker 20.10 gave them; the CDI devices are invented."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.docker_engine.observed import ObservedEngine
from tests.unit.tasks.said import answered

INFO = {
    "LiveRestoreEnabled": True,
    "Runtimes": {"runc": {}, "nvidia": {}},
    "RegistryConfig": {
        "InsecureRegistryCIDRs": ["127.0.0.0/8"],
        "IndexConfigs": {"docker.io": {"Secure": True}, "mirror.lan:5000": {"Secure": False}},
    },
    "DiscoveredDevices": [{"Source": "cdi", "ID": "nvidia.com/gpu=0"}, {"Source": "x", "ID": "y"}],
    "HttpProxy": "",
    "Swarm": {"LocalNodeState": "active"},
}
CONTAINERS = [
    {"Names": ["/theirs"], "Labels": {}},
    {"Names": ["/ollama-qwen"], "Labels": {"ollama-stack.stack": "ollama-"}},
    {"Id": "a" * 64, "Labels": None},
]


def answer(path: str, body: object) -> str:
    return f"{answered({f'http://docker{path}': body})}\n"


def lines(text: bytes = b'{"debug": true}') -> list[str]:
    api = answer("/version", {"Version": "20.10.24"}) + answer("/info", INFO)
    api += answer("/containers/json", CONTAINERS)
    content = base64.b64encode(text).decode()
    return f"##daemon.json\nexists=yes\ncontent={content}\n##api\n{api}".splitlines()


def test_everything() -> None:
    engine = ObservedEngine.from_lines(lines())
    assert engine.version == "20.10.24"
    assert engine.daemon_json == '{"debug": true}'
    assert engine.insecure_registries == ("127.0.0.0/8", "mirror.lan:5000")
    assert engine.is_in_swarm
    assert engine.keeps_containers and engine.runtimes == ("nvidia", "runc")
    assert engine.cdi_devices == ("nvidia.com/gpu=0",)
    assert engine.foreign("ollama-") == ("a" * 12, "theirs")
    assert "ollama-qwen" in engine.foreign("second-")


def test_files_that_are_no_text() -> None:
    assert ObservedEngine.from_lines(lines(b"\xff\xfe")).daemon_json_error
    unreadable = ObservedEngine.from_lines(["##daemon.json", "exists=yes"])
    assert unreadable.daemon_json is None and unreadable.daemon_json_error
    nowhere = ["##daemon.json", "exists=yes", "wrong=it is a folder"]
    assert ObservedEngine.from_lines(nowhere).daemon_json_error == "it is a folder"
    assert ObservedEngine.from_lines([]) == ObservedEngine()
    assert ObservedEngine.from_lines(lines(b"")).daemon_json == ""


@given(st.binary())
def test_any_bytes_are_text_or_named(data: bytes) -> None:
    engine = ObservedEngine.from_lines(lines(data))
    assert (engine.daemon_json is None) == bool(engine.daemon_json_error)


ODD = {
    "/info": [5, [1], {**INFO, "DiscoveredDevices": 5}, {**INFO, "Runtimes": ["x"]}],
    "/containers/json": [5, {}, [5], [{"Names": [1]}], [{"Labels": [1]}]],
}


@pytest.mark.parametrize(("path", "body"), [(path, one) for path in ODD for one in ODD[path]])
def test_attack_17_what_cannot_be_read_hides_what_runs(path: str, body: object) -> None:
    """So that nobody restarts the engine under it; what else was told is known."""
    told = {"/version": {"Version": "20.10.24"}, "/info": INFO, "/containers/json": CONTAINERS}
    api = "".join(answer(*pair) for pair in {**told, path: body}.items())
    engine = ObservedEngine.from_lines(["##api", *api.splitlines()])
    assert engine.hides_containers
    assert engine.version == "20.10.24"
