"""Each active service has its declared container; an inactive one has none that runs."""

from __future__ import annotations

import json

import pytest

from tasks.declared.environment import CONTEXT_VARIABLE
from tasks.declared.stack import MODELS_FOLDER, OLLAMA_PORT, Service
from tasks.words.digests import short
from tests.verify.conftest import Note
from tests.verify.look import Look

RESTART = "unless-stopped"


def test_engine_answers(look: Look, note: Note) -> None:
    result = look.run(f"{look.docker} version --format '{{{{json .Server}}}}'")
    assert result.succeeded, f"the engine does not answer: {result.stderr.strip()}"
    note(f"Docker {json.loads(result.stdout)['Version']}")


def test_container_runs(look: Look, service: Service, note: Note) -> None:
    state = look.container(service)["State"]
    assert state["Status"] == "running", (
        f"{look.stack.container_name(service)} is {state['Status']}"
        f" (exit status {state['ExitCode']}){': ' if state['Error'] else ''}{state['Error']}"
    )
    note(look.stack.container_name(service))


def test_container_is_stopped(look: Look, inactive: Service, note: Note) -> None:
    name = look.stack.container_name(inactive)
    found = look.inspect("container", name)
    assert found is None or not found["State"]["Running"], (
        f"{name} runs, and active = false asks that it does not"
    )
    note(f"{name} is {found['State']['Status'] if found else 'not there'}")


def test_image_is_the_declared_one(look: Look, service: Service, note: Note) -> None:
    """The declared name, or the proven digest: the same image may come from another mirror."""
    container = look.container(service)
    declared = str(look.stack.image_reference(service))
    image = look.inspect("image", container["Image"])
    names = image["RepoTags"] or [] if image else [container["Config"]["Image"]]
    proven = look.proven(service).get("image", {})
    is_proven = proven.get("reference") == service.image and proven["digest"] in _digests(image)
    assert declared in names or is_proven, (
        f"runs {' '.join(names) or container['Config']['Image'] + ' (untagged since)'},"
        f" declared is {declared}"
    )
    note(declared)


def test_image_is_the_proven_one(look: Look, service: Service, note: Note) -> None:
    proven = look.proven(service).get("image", {})
    if proven.get("reference") != service.image:
        pytest.skip("no digest was proven yet")
    digests = _digests(look.inspect("image", look.container(service)["Image"]))
    assert proven["digest"] in digests, (
        f"stack.lock holds {short(proven['digest'])}, the container's image is"
        f" {' '.join(short(digest) for digest in digests) or 'without a digest'}"
    )
    note(short(proven["digest"]))


def _digests(image: dict[str, list[str]] | None) -> list[str]:
    return [text.partition("@")[2] for text in (image or {}).get("RepoDigests") or ()]


def test_port_is_published_as_declared(look: Look, service: Service, note: Note) -> None:
    published = look.container(service)["NetworkSettings"]["Ports"] or {}
    actual = sorted(
        f"{at['HostIp'] or '0.0.0.0'}:{at['HostPort']} for {inner}"
        for inner, bindings in published.items()
        for at in bindings or ()
    )
    declared = f"{service.bind}:{service.port} for {OLLAMA_PORT}/tcp"
    assert actual == [declared], (
        f"published is {', '.join(actual) or 'nothing'}; declared is {declared}"
    )
    note(f"{service.bind}:{service.port}")


def test_server_answers(look: Look, service: Service, note: Note) -> None:
    value, error = look.ask(service, "/api/version")
    assert value is not None, error
    note(f"{service.url}: Ollama {value['version']}")


def test_context_is_the_declared_one(look: Look, service: Service, note: Note) -> None:
    pairs = look.container(service)["Config"]["Env"] or []
    environment = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    actual = environment.get(CONTEXT_VARIABLE, "not set")
    assert actual == str(service.context), (
        f"{CONTEXT_VARIABLE} is {actual}; declared is {service.context}"
    )
    note(actual)


def test_volume_holds_the_models(look: Look, service: Service, note: Note) -> None:
    volume = look.stack.container_name(service)
    mounts = look.container(service)["Mounts"]
    actual = [m.get("Name") or m["Source"] for m in mounts if m["Destination"] == MODELS_FOLDER]
    assert actual == [volume], (
        f"{MODELS_FOLDER} is {actual[0] if actual else 'in the container itself'};"
        f" declared is the volume {volume}"
    )
    note(volume)


def test_restart_policy_survives_a_reboot(look: Look, service: Service, note: Note) -> None:
    actual = look.container(service)["HostConfig"]["RestartPolicy"]["Name"] or "no"
    assert actual == RESTART, f"the restart policy is {actual}; it should be {RESTART}"
    note(actual)


def test_container_has_the_gpu_that_is_declared(look: Look, service: Service, note: Note) -> None:
    requests = look.container(service)["HostConfig"].get("DeviceRequests") or []
    kinds = {kind for r in requests for group in r.get("Capabilities") or () for kind in group}
    has_gpu = "gpu" in kinds or any(r.get("Driver") == "cdi" for r in requests)
    assert has_gpu or service.gpu != "required", 'gpu = "required", and the container has none'
    assert not has_gpu or service.gpu != "off", 'gpu = "off", and the container has one'
    note(f'gpu = "{service.gpu}": {"all GPUs" if has_gpu else "CPU only"}')
