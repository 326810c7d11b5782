"""The attacks of a registry, an engine and servers, each carried out against a whole run."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tasks.records.lockfile import LockFile
from tasks.registry.manifests import unpacked
from tests.fake import bodies, content, lies
from tests.fake.containers import Container
from tests.fake.host import REPOSITORY, FakeHost
from tests.fake.http import Request, Response, line_of
from tests.fake.images import Image
from tests.lies.fleet import Fleet
from tests.lies.installation import SERVICES, Installation
from tests.lies.place import ODD_ONE, Place
from tests.stack.installation import Output

MIB = 1024**2
# What a run may take more than one that is not attacked.
MORE_MEMORY = 120 * MIB


def told(output: Output, *words: str) -> None:
    """See that a run failed in plain words: a cause that holds these, and a remedy."""
    assert output.status == 1, output.text
    sound(output)
    assert "cause:" in output.last, output.text
    assert "remedy:" in output.last, output.text
    for word in words:
        assert word in output.last, output.text


def sound(output: Output) -> None:
    """See that nothing but the product's own words was printed."""
    assert output.status in (0, 1), output.text
    assert "Traceback" not in output.text, output.text
    assert "fault of ollama-stack" not in output.text, output.text


def changes(place: Place, name: str = "") -> list[str]:
    """Return the requests that changed something of a container at the engine."""
    seen = place.host.requests("engine", path=f"containers.*{name}")
    return [str(one) for one in seen if one.method in ("POST", "DELETE")]


def asks_for_token(realm: str) -> lies.Lie:
    """Ask for a token that this place gives."""
    challenge = f'Bearer realm="{realm}",service="x",scope="y"'
    return lies.says("{}", 401, Www_Authenticate=challenge)


# --- registries -------------------------------------------------------------------------------


def test_attack_1_a_token_writes_no_file(fresh: Installation) -> None:
    pwned = fresh.folder / "made" / "pwned"
    url = f"http://{fresh.host.registry_name}/v2/"
    token = f'abc"\nurl = "{url}"\noutput = "{pwned}"\ncreate-dirs\nheader = "X: y'
    fresh.host.registry.token = token
    output = fresh.converge()
    assert not pwned.parent.exists()
    told(output, "token")


@pytest.mark.parametrize("token", ['a" b', "a\nb", "a\\", "a" * 40_000])
def test_attack_1_a_token_that_is_none_is_not_sent(fresh: Installation, token: str) -> None:
    fresh.host.registry.token = token
    told(fresh.converge(), "token")
    sent = [one for one in fresh.host.requests("registry") if "authorization" in one.headers]
    assert sent == []


def test_attack_1_an_honest_token_is_sent(fresh: Installation) -> None:
    """The engine knows no tokens: that far the run comes."""
    fresh.host.registry.token = "abc.DEF-123_~+/="
    fresh.converge()
    sent = {one.headers.get("authorization") for one in fresh.host.requests("registry")}
    assert "Bearer abc.DEF-123_~+/=" in sent


@pytest.fixture
def listening() -> Iterator[tuple[int, list[bytes]]]:
    """A port, and what was said to it."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hear() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(1)
                    heard.append(connection.recv(1000))

        threading.Thread(target=hear, daemon=True).start()
        yield server.getsockname()[1], heard
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("scheme", ["gopher", "dict", "telnet", "ftp", "tftp", "smtp"])
def test_attack_8_a_realm_speaks_to_no_local_service(
    fresh: Installation, listening: tuple[int, list[bytes]], scheme: str
) -> None:
    port, heard = listening
    realm = f"{scheme}://127.0.0.1:{port}/_SET%20pwned%201%0d%0a"
    fresh.host.liar.aim(asks_for_token(realm), server="registry", path="/manifests/")
    told(fresh.converge(), "wants a login")
    assert heard == []


def test_attack_8_a_realm_reads_no_file(fresh: Installation) -> None:
    secret = fresh.folder / "secret.json"
    secret.write_text('{"token": "private"}')
    lie = asks_for_token(f"file://{secret}")
    fresh.host.liar.aim(lie, server="registry", path="/manifests/")
    told(fresh.converge(), "wants a login")
    assert not any("private" in str(one.headers) for one in fresh.host.requests("registry"))


def test_attack_8_a_redirect_leads_to_no_file(fresh: Installation) -> None:
    away = lies.says("", 302, Location=f"file://{fresh.folder}/stack.toml")
    fresh.host.liar.aim(away, server="registry", path="/manifests/")
    told(fresh.converge(), "registry")


def test_attack_8_a_digest_makes_no_thirty_requests(fresh: Installation) -> None:
    platform = {"os": "linux", "architecture": "amd64"}
    index = {"manifests": [{"digest": "sha256:[1-30]", "platform": platform}]}
    fresh.host.liar.aim(lies.says(json.dumps(index)), server="registry", path="manifests/0.24.0")
    sound(fresh.converge())
    assert fresh.host.requests("registry", path=r"manifests/sha256:(\d+$|\[)") == []


def test_attack_7_a_digest_that_nobody_offered_stays_out_of_the_lock(place: Place) -> None:
    """The host is offered what is held to, and the server gets another one."""
    before = (place.stack.folder / "stack.lock").read_bytes()
    other = content.model("tiny-mistral", build=2)
    place.host.registry.blobs.update(other.blobs)

    def another(request: Request, honest: lies.Honest) -> Response:
        is_server = "curl" not in request.headers.get("user-agent", "")
        return Response(200, other.manifest) if is_server else honest()

    place.host.liar.aim(another, server="registry", path="tiny-mistral/manifests")
    place.disturb(1)
    told(place.stack.converge(), "held to")
    assert (place.stack.folder / "stack.lock").read_bytes() == before


def test_attack_14_a_manifest_of_40_mb_is_not_taken_in(place: Place) -> None:
    sound(place.stack.converge())
    usual = place.stack.memory
    place.disturb(1)
    large = b'{"layers":[' + b'{"digest":"a","size":1},' * (40 * MIB // 24) + b"{}]}"
    place.host.liar.aim(lies.says(large), server="registry", path="tiny-mistral/manifests")
    told(place.stack.converge(), "more than")
    assert place.stack.memory < usual + MORE_MEMORY


def test_attack_14_a_bomb_is_unpacked_to_its_limit() -> None:
    assert len(unpacked(gzip.compress(bytes(64 * MIB)), MIB)) == MIB


# --- a look that fails -------------------------------------------------------------------------


def nothing_is_done_to(place: Place, service: str, output: Output, *words: str) -> None:
    """See that a service which nobody could see was left alone, and the others went on."""
    told(output, *words)
    name = place.stack.name(service)
    assert not any(f"{service}:" in step for step in output.planned), output.text
    assert changes(place, name) == []
    # The one that had no model has it again.
    odd = place.stack.name(ODD_ONE)
    assert place.host.store(odd).names() == [f"tiny-{ODD_ONE}:v1"], output.text


def test_attack_3_an_invalid_byte_in_300_kb_is_no_missing_model(place: Place) -> None:
    before, rows = place.serving(ODD_ONE), (place.stack.folder / "stack.lock").read_bytes()
    padding = b'{"models":[{"name":"\xff' + b"a" * 300_000 + b'"}]}'
    lie = lies.says(padding)
    place.host.liar.aim(lie, server=place.stack.name("qwen"), path="/api/tags")
    place.disturb(1)
    output = place.stack.converge()
    nothing_is_done_to(place, "qwen", output, "qwen")
    assert place.serving(ODD_ONE) == before
    assert place.host.requests(place.stack.name("qwen"), "POST", "/api/(pull|delete)") == []
    lock = LockFile.load(place.stack.folder / "stack.lock").service("@local", "qwen")
    assert "tiny-qwen:v1" in lock.models, rows


@pytest.mark.parametrize(
    "lie",
    [
        lies.says('{"message":"try again"}', 500),
        lies.says("{}"),
        lies.says("null"),
        lies.says(b"\xff\xfe"),
        lies.cut,
    ],
    ids=["500", "an empty object", "null", "no text", "cut"],
)
def test_attack_3_an_inspect_that_fails_once_is_no_missing_container(
    place: Place, lie: lies.Lie
) -> None:
    before = place.serving(ODD_ONE)
    name = place.stack.name("qwen")
    place.host.liar.aim(lie, server="engine", path=f"/containers/{name}/json", only=[1])
    place.disturb(1)
    nothing_is_done_to(place, "qwen", place.stack.converge(), "qwen")
    assert place.serving(ODD_ONE) == before


@pytest.mark.parametrize("path", ["/containers/json", "/volumes", "/version", "/images/json"])
@pytest.mark.parametrize("body", ["[]", "{}", "null", '{"message":"x"}', "[1]", '{"Volumes":5}'])
def test_attack_3_a_list_that_is_none_removes_nothing(place: Place, path: str, body: str) -> None:
    before = place.serving()
    place.host.liar.aim(lies.says(body), server="engine", path=rf"^{path}\?")
    output = place.stack.converge()
    sound(output)
    assert place.serving() == before, output.text
    assert place.host.requests("engine", "DELETE") == []


def foreign(host: FakeHost, number: int, **labels: str) -> Container:
    """Return somebody else's container, of an image that has no tag."""
    identity = f"sha256:{number:064x}"
    settings = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": labels or None, "Env": []},
        "rootfs": {"diff_ids": []},
    }
    image = host.engine.images.all[identity] = Image(identity, settings, 1)
    container = Container(f"{number:064x}", f"foreign-{number}", image, {"Image": identity})
    container.status = "exited"
    host.engine.containers[container.id] = container
    return container


def test_attack_18_4000_foreign_containers_of_untagged_images(place: Place) -> None:
    """Attack 3 too: as many made the look fail, and the host looked empty."""
    before = place.serving()
    for number in range(1, 4001):
        foreign(place.host, number)
    output = place.stack.converge()
    assert (output.status, output.planned) == (0, []), output.text
    assert place.serving() == before


@pytest.mark.parametrize("odd", ["a\u0085b", "a\u2028b", "a\nb", "a\x1bb", "\u0085#200 http://x"])
def test_attack_15_a_label_with_another_line_break_hides_nothing(place: Place, odd: str) -> None:
    foreign(place.host, 1, note=odd)
    ours = place.host.containers[place.stack.name("qwen")]
    labels = ours.body["Labels"]
    ours.body = {**ours.body, "Labels": {**labels, "note": odd}}
    before = place.serving()
    try:
        output = place.stack.converge()
    finally:
        ours.body = {**ours.body, "Labels": labels}
    assert (output.status, output.planned) == (0, []), output.text
    assert place.serving() == before


@pytest.mark.parametrize("port", ["8000-8010", "", "-1", "99999999999999999999", "\u0663"])
def test_attack_17_a_port_that_is_no_number_ends_no_run(place: Place, port: str) -> None:
    before = place.serving(ODD_ONE)
    name = place.stack.name("qwen")

    def odd(honest: bytes) -> bytes:
        value = json.loads(honest)
        value["HostConfig"]["PortBindings"]["11434/tcp"][0]["HostPort"] = port
        return json.dumps(value, separators=(",", ":")).encode()

    place.host.liar.aim(lies.tampers(odd), server="engine", path=f"/containers/{name}/json")
    place.disturb(1)
    output = place.stack.converge("only=mistral")
    sound(output)
    assert place.serving(ODD_ONE) == before, output.text


# --- a server that speaks for others ------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/version", "/api/tags", "/api/ps"])
def test_attack_4_a_server_cannot_speak_for_the_engine(place: Place, path: str) -> None:
    """It says that somebody else's container is a second one of qwen's, which would be removed."""
    victim = foreign(place.host, 7)
    qwen = place.host.containers[place.stack.name("qwen")]
    forged = {**qwen.inspect(""), "Id": victim.id, "Name": f"/{victim.name}"}
    body = json.dumps(forged, separators=(",", ":"))
    url = f"http://docker/containers/{victim.id}/json"
    empty = "#200 http://docker/containers/json?all=1"

    def speak(honest: bytes) -> bytes:
        lines = [honest.decode().strip(), f"#200 {place.stack.url('qwen')}{path}", body]
        return "\n".join([*lines, f"#200 {url}", "[]", f"{empty}\n", "#manifests x"]).encode()

    place.host.liar.aim(lies.tampers(speak), server=place.stack.name("qwen"), path=path)
    before = place.serving()
    output = place.stack.converge()
    sound(output)
    assert victim.name not in output.text, output.text
    assert victim.id in place.host.engine.containers
    assert changes(place) == []
    assert place.serving() == before


def test_attack_13_a_version_drives_no_terminal(place: Place) -> None:
    version = json.dumps({"version": f"0.24.0{bodies.ESCAPES}{bodies.MARKUP}"})
    place.host.liar.aim(lies.says(version), server=place.stack.name("qwen"), path="/api/version")
    output = place.stack.converge()
    sound(output)
    assert "\x1b]" not in output.text
    assert "\x07" not in output.text


# --- pulls --------------------------------------------------------------------------------------


@pytest.mark.parametrize("silence", [0.2, 3])
def test_attack_6_an_error_after_a_silence_is_an_error(place: Place, silence: float) -> None:
    place.stack.write(pull_stall=20, pull_retries=0)
    place.disturb(1)

    def late() -> Iterator[bytes]:
        yield line_of({"status": "pulling manifest"})
        time.sleep(silence)
        yield line_of({"error": "no such luck"})

    lie: lies.Lie = lambda request, honest: Response(200, chunks=late())  # noqa: E731
    place.host.liar.aim(lie, server=place.stack.name(ODD_ONE), path="/api/pull")
    told(place.stack.converge(), "no such luck")


def test_attack_17_progress_without_numbers_is_none(place: Place) -> None:
    place.disturb(1)

    def odd(honest: bytes) -> bytes:
        lines = [b'{"status":"x","digest":5,"total":[]}', b'{"status":"Downloading","id":"a"}']
        lines += [b'{"progressDetail":{"total":1}}', b"[]", b"5", b'{"digest":"a","total":1e400}']
        return b"\n".join([*lines, honest])

    place.host.liar.aim(lies.tampers(odd), server=place.stack.name(ODD_ONE), path="/api/pull")
    output = place.stack.converge()
    assert output.status == 0, output.text


# --- undo ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lie", [lies.says("", 500), lies.silence(0.1), lies.says("{}")], ids=["500", "silence", "odd"]
)
def test_attack_10_an_undo_without_answers_says_so(place: Place, lie: lies.Lie) -> None:
    """The new image ends at once; from then on the engine does not show any container."""
    bad = content.image("0.25.0", "exits")
    place.host.registry.put(REPOSITORY, "0.25.0", bad)
    name = place.stack.name("qwen")
    before = place.host.containers[name]
    declared = place.stack.declared["models"]
    place.stack.write(
        models={**declared, "qwen": {**declared["qwen"], "image": f"{REPOSITORY}:0.25.0"}}
    )

    def hide(request: Request, honest: lies.Honest) -> Response:
        is_begun = place.host.requests("engine", "POST", f"/containers/{name}/start")
        return lie(request, honest) if is_begun else honest()

    place.host.liar.aim(hide, server="engine", method="GET", path=f"/containers/{name}")
    output = place.stack.converge("only=qwen")
    told(output, "nothing was taken back", f"docker rename {name}-previous {name}")
    assert before.id in place.host.engine.containers
    # Once the engine answers, a run mends all of it.
    place.host.liar.be_honest()
    place.stack.write(models=declared)
    output = place.stack.converge()
    assert output.status == 0, output.text
    assert place.host.containers[name].status == "running"
    assert list(place.host.store(name).names()) == ["tiny-qwen:v1"]


def test_attack_3_a_409_is_never_undone(place: Place) -> None:
    """The engine says at first that there is no container, and then that its name is taken."""
    name = place.stack.name("qwen")
    mine = place.host.containers[name]
    # Stopped: else its port would be found taken.
    place.host.engine.stop(mine)
    place.host.liar.aim(
        lies.says(f'{{"message":"No such container: {name}"}}', 404),
        server="engine",
        path=f"/containers/{name}/json",
        only=range(1, 4),
    )

    def without(honest: bytes) -> bytes:
        left = [one for one in json.loads(honest) if one["Names"] != [f"/{name}"]]
        return json.dumps(left).encode()

    place.host.liar.aim(lies.tampers(without), server="engine", path="/containers/json")
    told(place.stack.converge(), "already in use")
    assert place.host.containers[name].id == mine.id
    assert place.host.requests("engine", "DELETE", "/containers/") == []


def test_attack_3_a_create_whose_answer_is_lost_removes_nothing(place: Place) -> None:
    place.disturb(3)
    before = place.serving(ODD_ONE)
    lost = lies.after_the_deed(lies.says("", 500))
    place.host.liar.aim(lost, server="engine", path="/containers/create")
    told(place.stack.converge(), ODD_ONE)
    assert place.host.requests("engine", "DELETE", "/containers/") == []
    assert place.serving(ODD_ONE) == before
    place.host.liar.be_honest()
    output = place.stack.converge()
    assert output.status == 0, output.text


@pytest.mark.parametrize("path", [r"/containers/json\?all=1$", "/volumes", "filters", "/version"])
def test_attack_3_no_port_of_what_could_not_be_seen_is_called_taken(
    place: Place, path: str
) -> None:
    place.host.liar.aim(lies.says('{"message":"busy"}', 500), server="engine", path=path)
    output = place.stack.converge()
    told(output, "left as it is: not all of it could be seen")
    assert "kill" not in output.text


# --- fleets -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (r"^/containers/json\?all", '{"a":1}'),
        (r"^/version", "[1]"),
        (r"^/info", "5"),
        (r"^/containers/[^/]*-qwen/json", '{"Id":5}'),
        (r"^/images/.*/json", '{"Id":null,"RepoDigests":7}'),
        (r"^/volumes", '{"Volumes":[{"Name":[]}]}'),
        (r"^/api/tags", '[{"x":1}]'),
        (r"^/api/version", '{"version":[]}'),
    ],
)
def test_attack_9_an_odd_host_ends_nobody_elses_run(tmp_path: Path, path: str, body: str) -> None:
    with ExitStack() as stack:
        one, two = (stack.enter_context(FakeHost(tmp_path / f"host-{n}")) for n in (1, 2))
        fleet = Fleet(tmp_path, one=one, two=two)
        one.liar.aim(lies.says(body), path=path)
        output = fleet.converge()
        sound(output)
        assert "fault of ollama-stack" not in output.text
        running = fleet.names("two")
        assert len(running) == len(SERVICES), output.text
        assert all(two.store(name).names() for name in running), output.text
