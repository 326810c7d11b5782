"""The fake engine does what Docker does: asked by Docker's own SDK, held to recorded answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import APIError, ImageNotFound, NotFound

from tests.fake import content
from tests.fake.host import FakeHost
from tests.unit.fake.conftest import NAME

RECORDED = Path(__file__).parents[1] / "tasks/containers/recorded/engine-20.10.txt"


def recorded(path: str) -> Any:
    """Return the recorded answer whose URL ends so."""
    bodies = re.findall(r"^(.+)\n\n#200 (\S+)$", RECORDED.read_text(), re.MULTILINE)
    return next(json.loads(body) for body, url in bodies if re.search(path, url))


def differing(fake: Any, real: Any, where: str = "") -> list[str]:
    """Return the fields whose kind is another one than in the real answer; null fits all."""
    if fake is None or real is None:
        return []
    if type(fake) is not type(real):
        return [where]
    if not isinstance(fake, dict) or where.endswith(("Labels", "Ports", "Config.Env")):
        return []
    shared = [key for key in fake if key in real]
    unknown = [f"{where}.{key}: unknown" for key in fake if key not in real]
    return unknown + [d for k in shared for d in differing(fake[k], real[k], f"{where}.{k}")]


def test_a_container_is_shown_as_docker_shows_it(container: Any) -> None:
    real = recorded("/containers/recorded-qwen/json")
    shown = container.attrs
    assert [d for d in differing(shown, real) if not d.startswith(".NetworkSettings")] == []
    order = [key for key in real if key in shown]
    assert [key for key in shown if key in real] == order


def test_a_list_is_shown_as_docker_shows_it(client: docker.DockerClient, container: Any) -> None:
    real = recorded(r"/containers/json\?all=1$")[0]
    (shown,) = client.api.containers(all=True)
    assert [d for d in differing(shown, real) if not d.startswith(".NetworkSettings")] == []


def test_an_image_is_shown_as_docker_shows_it(client: docker.DockerClient, image: str) -> None:
    assert differing(client.api.inspect_image(image), recorded("/images/.*/json$")) == []


def test_what_the_engine_says_of_itself(client: docker.DockerClient) -> None:
    assert client.ping()
    assert client.version()["Version"].startswith("20.10")
    assert client.info()["Swarm"]["LocalNodeState"] == "inactive"
    assert [network.name for network in client.networks.list()] == ["bridge"]


def test_a_name_is_taken_once(client: docker.DockerClient, container: Any, image: str) -> None:
    with pytest.raises(APIError) as refused:
        client.containers.create(image, name=NAME)
    assert refused.value.status_code == 409
    assert container.id in refused.value.explanation
    other = client.containers.create(image, name="other")
    with pytest.raises(APIError, match="already in use"):
        other.rename(NAME)
    other.rename("another")
    assert client.containers.get("another").id == other.id


def test_a_container_is_found_by_name_id_and_label(
    client: docker.DockerClient, container: Any
) -> None:
    assert client.containers.get(container.id[:12]).name == NAME
    labelled = client.containers.list(filters={"label": "ollama-stack.stack=ollama-"})
    assert [one.id for one in labelled] == [container.id]
    assert client.containers.list(filters={"label": "ollama-stack.stack=other-"}) == []
    with pytest.raises(NotFound):
        client.containers.get("ollama-mistral")


def test_start_and_stop(client: docker.DockerClient, container: Any) -> None:
    container.stop()
    container.reload()
    assert container.status == "exited"
    assert client.containers.list() == []
    assert [one.id for one in client.containers.list(all=True)] == [container.id]
    container.stop()
    container.start()
    container.start()
    container.reload()
    assert container.status == "running"


def test_a_running_one_is_removed_by_force_only(
    client: docker.DockerClient, container: Any
) -> None:
    with pytest.raises(APIError, match="cannot remove a running container"):
        container.remove()
    container.remove(force=True)
    assert client.containers.list(all=True) == []
    assert [volume.name for volume in client.volumes.list()] == [NAME]


def test_pause_and_unpause(container: Any) -> None:
    container.pause()
    container.reload()
    assert container.status == "paused"
    with pytest.raises(APIError, match="is not running"):
        container.pause()
    container.unpause()
    container.reload()
    assert container.status == "running"


def test_a_port_is_published_once(
    client: docker.DockerClient, container: Any, image: str, port: int
) -> None:
    second = client.containers.create(
        image, name="second", ports={"11434/tcp": ("127.0.0.1", port)}
    )
    with pytest.raises(APIError, match="port is already allocated"):
        second.start()
    second.reload()
    assert second.status == "created"
    container.stop()
    second.start()


def test_what_does_not_serve_ends(client: docker.DockerClient, host: FakeHost) -> None:
    host.registry.put("ollama/ollama", "bad", content.image("bad", "exits"))
    repository = f"{host.registry_name}/ollama/ollama"
    client.images.pull(repository, tag="bad")
    made = client.containers.create(f"{repository}:bad", name="bad")
    made.start()
    made.reload()
    assert (made.status, made.attrs["State"]["ExitCode"]) == ("exited", 1)
    assert b"does not serve" in made.logs()


def test_logs_and_commands(container: Any, host: FakeHost) -> None:
    assert b"Listening on" in container.logs(tail=1)
    host.engine.outputs["ollama", "ls"] = ("NAME\n", 3)
    assert container.exec_run(["ollama", "ls"]) == (3, b"NAME\n")


def test_an_image_is_found_by_tag_id_and_digest(client: docker.DockerClient, image: str) -> None:
    found = client.images.get(image)
    (digest,) = found.attrs["RepoDigests"]
    assert client.images.get(found.id).id == found.id
    assert client.images.get(digest).id == found.id
    with pytest.raises(ImageNotFound):
        client.images.get("ollama/ollama:0.24.0")


def test_what_a_registry_does_not_have_is_not_pulled(
    client: docker.DockerClient, host: FakeHost
) -> None:
    with pytest.raises(NotFound, match="manifest unknown"):
        client.images.pull(f"{host.registry_name}/ollama/ollama", tag="none")


def test_the_last_tag_takes_the_image_along(client: docker.DockerClient, image: str) -> None:
    found = client.images.get(image)
    repository = image.rpartition(":")[0]
    assert found.tag(repository, "second")
    client.images.remove(image)
    found.reload()
    assert found.tags == [f"{repository}:second"]
    assert found.attrs["RepoDigests"]
    client.images.remove(f"{repository}:second")
    assert client.images.list() == []


def test_the_last_tag_of_a_used_image_stays(
    client: docker.DockerClient, container: Any, image: str
) -> None:
    with pytest.raises(APIError) as refused:
        client.images.remove(image)
    assert refused.value.status_code == 409


def test_a_pull_by_digest_gives_no_tag(client: docker.DockerClient, host: FakeHost) -> None:
    digest = host.registry.tags["ollama/ollama", "0.24.0"]
    repository = f"{host.registry_name}/ollama/ollama"
    client.api.pull(repository, tag=digest)
    found = client.images.get(f"{repository}@{digest}")
    assert (found.tags, found.attrs["RepoDigests"]) == ([], [f"{repository}@{digest}"])


def test_a_tag_moves(client: docker.DockerClient, host: FakeHost, image: str) -> None:
    before = client.images.get(image)
    host.registry.put("ollama/ollama", "0.24.0", content.image("0.24.0", build=2))
    repository, _, tag = image.rpartition(":")
    client.images.pull(repository, tag=tag)
    before.reload()
    assert before.tags == []
    assert client.images.get(image).id != before.id


def test_a_filter_names_images_by_pattern(client: docker.DockerClient, image: str) -> None:
    repository = image.rpartition(":")[0]
    client.images.get(image).tag(repository, "ollama-qwen-next")
    named = client.api.images(filters={"reference": ["*/*/*:ollama-*"]})
    assert [one["RepoTags"] for one in named] == [[f"{repository}:ollama-qwen-next"]]
    assert client.api.images(filters={"reference": ["*:ollama-*"]}) == []


def test_a_volume_has_a_folder(client: docker.DockerClient, container: Any) -> None:
    volume = client.volumes.get(NAME)
    assert Path(volume.attrs["Mountpoint"]).is_dir()
    with pytest.raises(APIError, match="volume is in use"):
        volume.remove()
    container.remove(force=True)
    volume.remove()
    assert not Path(volume.attrs["Mountpoint"]).exists()
    assert client.volumes.create("made", labels={"a": "b"}).attrs["Labels"] == {"a": "b"}


def test_every_request_is_written_down(client: docker.DockerClient, host: FakeHost) -> None:
    host.record.clear()
    client.ping()
    (request,) = host.requests("engine", "GET", "/_ping")
    assert request.path == "/_ping"
