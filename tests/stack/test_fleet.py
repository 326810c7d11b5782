"""Bare Debian hosts over SSH, by ordinary users: from nothing to a fleet (to be seen: 1 and 2)."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab.state import LabState
from lab.ways import way_to
from tests.stack.driving import driven
from tests.stack.fleet import NAMES, Fleet, done_on, lab_host, last_words
from tests.stack.installation import BEGINNING, ROOT, SERVICES

LIMITS = [word for name in NAMES for word in ("--limit", name)]
ALL = {f"{name}/{service}" for name in NAMES for service in SERVICES}
BROKEN, *OTHERS = "fl2", "fl1", "fl3"
START_SECONDS = 60


@pytest.fixture(scope="module")
def fleet(lab: LabState, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Three fresh hosts: systemd, ssh, a user with sudo; no Docker."""
    found = Fleet(tmp_path_factory.mktemp("a fleet"), lab)
    for name in NAMES:
        if lab.host(name) is not None:
            lab_host("down", name)
    found.up(*NAMES)
    yield found
    for name in NAMES:
        lab_host("down", name)


def add_user(fleet: Fleet, host: str, name: str, rule: str) -> None:
    """Make another user of the host, who logs in with the same key."""
    home = f"/home/{name}"
    script = (
        f"id {name} 2>/dev/null && exit; useradd -m -s /bin/sh {name}; mkdir -p {home}/.ssh;"
        f" cp /home/dev/.ssh/authorized_keys {home}/.ssh/; chown -R {name} {home}/.ssh"
    )
    if rule:
        script += f"; echo '{name} ALL=(ALL) {rule}' >/etc/sudoers.d/{name}"
        script += f"; usermod -aG sudo {name}; echo '{name}:secret' | chpasswd"
    fleet.on(host, script)


@pytest.mark.parametrize(
    ("user", "rule", "part"),
    [("asked", "ALL", "sudo wants the password"), ("nobody1", "", "may use sudo")],
)
def test_fault_36_without_a_way_to_root_the_run_ends_at_once_and_says_why(
    fleet: Fleet, user: str, rule: str, part: str
) -> None:
    add_user(fleet, "fl1", user, rule)
    fleet.data = {"fl1": {"ssh_user": user}}
    output = fleet.run("-y", "--limit", "fl1")
    fleet.data = {}
    assert output.status == 1
    assert part in last_words(output)["fl1"]
    assert "remedy:" in last_words(output)["fl1"]
    assert output.done == []


def test_one_run_from_bare_hosts_to_serving_models(fleet: Fleet) -> None:
    dry = fleet.run("--dry", "--limit", "fl1")
    assert dry.status == 0, dry.text
    # Two terminals at once, with one lock and one database: nothing gets lost.
    other = fleet.begin("-y", "--limit", "fl3", inventory="lab/fleet.py")
    output = fleet.run("-y", "--limit", "fl1", "--limit", "fl2", inventory="lab/fleet.py")
    other_text, _ = other.communicate(timeout=300)
    assert (output.status, other.returncode) == (0, 0), output.text + other_text
    of_fl1 = [line for line in output.text.splitlines() if "[fl1]" in line]
    assert all(any(step in line for line in of_fl1) for step in dry.planned)
    assert fleet.states() == dict.fromkeys(ALL, "active")
    lock = fleet.lock
    assert {f"{host}/{service}" for host, service in lock.entries} == ALL
    assert len({entry.image.digest for entry in lock.entries.values() if entry.image}) == 1


def test_a_second_run_changes_nothing_on_any_host(fleet: Fleet) -> None:
    before = fleet.database.read_bytes()
    again = fleet.run("-y", *LIMITS, inventory="lab/fleet.py")
    assert again.status == 0, again.text
    assert {name: done_on(again, name) for name in NAMES} == {key: {"No changes"} for key in NAMES}
    assert fleet.database.read_bytes() == before


def test_testinfra_is_green_on_each_and_names_the_one_where_it_is_not(fleet: Fleet) -> None:
    fleet.on(BROKEN, "docker stop -t 0 ollama-qwen")
    output = fleet.run("-y", deploy="verify")
    fleet.on(BROKEN, "docker start ollama-qwen")
    assert output.status == 1
    assert list(last_words(output)) == [BROKEN]
    assert {name: done_on(output, name) for name in OTHERS} == {key: {"Success"} for key in OTHERS}


@dataclass(frozen=True)
class Breakage:
    """How one host is broken: by what the inventory says of it, or on the host; and the cause."""

    part: str
    data: dict[str, Any] = field(default_factory=dict)
    damage: str = ""
    repair: str = ""


BREAKAGES = {
    "unreachable": Breakage("Unable to connect to port 2222", {"ssh_port": 2222}),
    "without a key": Breakage("No such private key file", {"ssh_key": "/nowhere/key"}),
    "no sudo": Breakage("may use sudo", {"ssh_user": "nobody1"}),
    "a small disk": Breakage(
        "the disk is too small",
        {"disk_reserve_gb": 10**6, "models_override": {"qwen": {"also": ["tiny-qwen:v2"]}}},
    ),
    "fault 21": Breakage(
        "daemon unreachable",
        damage="systemctl mask --now docker.socket docker.service 2>/dev/null",
        repair="systemctl unmask docker.socket docker.service 2>/dev/null; systemctl start docker",
    ),
    "fault 17": Breakage(
        "has no model nobody:v1",
        {"models_override": {"qwen": {"model": "nobody:v1"}}},
    ),
    "fault 20": Breakage(
        "port 11434",
        damage="docker stop -t 0 ollama-qwen >/dev/null; systemd-run --unit taker python3 -c '"
        'import socket, time; s = socket.socket(); s.bind(("127.0.0.1", 11434)); s.listen();'
        " time.sleep(600)'",
        repair="systemctl stop taker; docker start ollama-qwen",
    ),
    "fault 30": Breakage(
        "ended with exit code",
        {"models_override": {"qwen": {"image": "ollama/ollama:broken-start"}}},
    ),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_broken_host_is_named_and_leaves_the_others_alone(fleet: Fleet, name: str) -> None:
    breakage = BREAKAGES[name]
    add_user(fleet, BROKEN, "nobody1", "")
    fleet.data = {BROKEN: breakage.data}
    if breakage.damage:
        fleet.on(BROKEN, breakage.damage)
    for other in OTHERS:
        fleet.on(other, "docker stop -t 0 ollama-mistral")
    try:
        output = fleet.run("-y")
    finally:
        fleet.data = {}
        if breakage.repair:
            fleet.on(BROKEN, breakage.repair)
    assert output.status == 1, output.text
    assert list(last_words(output)) == [BROKEN], output.text
    assert breakage.part in last_words(output)[BROKEN]
    assert "remedy:" in last_words(output)[BROKEN]
    for other in OTHERS:
        assert done_on(output, other) == {"Success", "No changes"}
        assert fleet.states()[f"{other}/mistral"] == "active"


def test_fault_38_an_invalid_declaration_of_one_host_is_named_and_nothing_is_touched(
    fleet: Fleet,
) -> None:
    fleet.data = {BROKEN: {"gpu": "perhaps"}, "fl3": {"bind": "nowhere"}}
    fleet.on("fl1", "docker stop -t 0 ollama-mistral")
    output = fleet.run("-y")
    fleet.data = {}
    assert output.status == 1
    assert f"host data of {BROKEN}: gpu" in output.text
    assert "host data of fl3: bind" in output.text
    assert BEGINNING not in output.text


def test_status_shows_every_host_and_names_the_one_that_does_not_answer(fleet: Fleet) -> None:
    fleet.run("-y", "--limit", "fl1", "--limit", BROKEN)
    status, value = fleet.status()
    assert status == 0, value
    shown = {f"{h['host']}/{s['name']}": s["state"] for h in value["hosts"] for s in h["services"]}
    assert shown == dict.fromkeys(ALL, "active")
    fleet.data = {BROKEN: {"ssh_port": 2222}}
    status, value = fleet.status()
    fleet.data = {}
    hosts = {host["host"]: host for host in value["hosts"]}
    assert status == 1
    assert "Unable to connect to port 2222" in hosts[BROKEN]["trouble"]["cause"]
    assert all(len(hosts[other]["services"]) == len(SERVICES) for other in OTHERS)


async def test_the_app_shows_every_host_and_restarts_a_service_of_one(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.write_inventory()
    monkeypatch.setenv("STACK_FILE", fleet.environment["STACK_FILE"])

    def started() -> str:
        return fleet.on("fl2", "docker inspect -f '{{.State.StartedAt}}' ollama-qwen")

    before = started()
    async with driven(inventory=fleet.inventory) as driver:
        assert set(driver.rows()) == ALL
        assert {driver.state(name) for name in ALL} == {"active"}
        await driver.choose("fl2/qwen")
        await driver.press("d")
        assert driver.app.job is None, "stack.toml speaks for all hosts: not for one"
        assert "done" in await driver.work("r")
        assert started() != before
        await driver.until(lambda: driver.state("fl2/qwen") == "active", "active")


def test_clients_of_two_users_and_of_all_are_kept_on_a_host(fleet: Fleet) -> None:
    add_user(fleet, "fl1", "eve", "")
    mine = '{\n  // of eve\n  "theme": "dark"\n}\n'
    file, managed = "/home/eve/.config/kilo/kilo.jsonc", "/etc/kilo/kilo.jsonc"
    script = f"mkdir -p {file.rpartition('/')[0]}; printf '%s' '{mine}' >{file}"
    fleet.on("fl1", f'su eve -c "$(printf %s {shlex.quote(script)})"')
    fleet.data = {
        "fl1": {
            "clients": ["kilo", "shell"],
            "client_users": ["dev", "eve"],
            "client_host": "fl1.lan",
            "kilo_managed": True,
        }
    }
    try:
        output = fleet.run("-y", "--limit", "fl1")
        assert output.status == 0, output.text
        base = "http://fl1.lan:11434/v1"
        for path in (file, "/home/dev/.config/kilo/kilo.jsonc", managed):
            assert base in fleet.on("fl1", f"cat {path}")
        owners = f"stat -c '%U %a' {file} /home/dev/.config/kilo/kilo.jsonc {managed}"
        assert fleet.on("fl1", owners).splitlines() == ["eve 644", "dev 600", "root 644"]
        assert "// of eve" in fleet.on("fl1", f"cat {file}")
        again = fleet.run("-y", "--limit", "fl1")
        assert done_on(again, "fl1") == {"No changes"}, again.text
        fleet.data["fl1"]["client_users"] = ["dev", "eve", "nobody-here"]
        failed = fleet.run("-y", "--limit", "fl1")
        assert "nobody-here has no account" in last_words(failed)["fl1"]
    finally:
        fleet.data = {"fl1": {"clients": [], "client_users": ["dev", "eve"]}}
        output = fleet.run("-y", "--limit", "fl1")
        fleet.data = {}
    assert output.status == 0, output.text
    assert fleet.on("fl1", f"cat {file}") == mine
    left = f"ls {managed} /etc/kilo /home/dev/.config/kilo /home/dev/.local/bin 2>/dev/null; true"
    assert fleet.on("fl1", left) == ""


def test_a_tunnel_brings_the_servers_of_a_host_here(fleet: Fleet, tmp_path: Path) -> None:
    ports = (11434, 11435, 11436)
    for port in ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                pytest.skip(f"somebody listens on {port} here")
    host = fleet.hosts["fl1"]
    way = way_to(host)
    (tmp_path / "config").write_text(
        f"Host fl1\n HostName {host.address}\n Port {host.port}\n User {host.user}\n"
        f' IdentityFile "{host.key}"\n UserKnownHostsFile "{way["ssh_known_hosts_file"]}"\n'
    )
    ssh = tmp_path / "ssh"
    ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F "{tmp_path}/config" "$@"\n')
    ssh.chmod(0o755)
    environment = {**fleet.environment, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    tunnel = subprocess.Popen(
        [sys.executable, "main.py", "tunnel", "fl1"], env=environment, cwd=ROOT
    )
    try:
        answers = [answer_at(port) for port in ports]
    finally:
        tunnel.send_signal(signal.SIGINT)
        tunnel.wait(START_SECONDS)
    assert all("0.24.0" in answer for answer in answers)


def answer_at(port: int) -> str:
    """Return the version of the server on a port, once it answers."""
    limit = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/version", timeout=5) as found:
                return str(found.read())
        except OSError:
            assert time.monotonic() < limit, f"nobody answers on {port}"
            time.sleep(0.2)


def test_host_by_host_a_failed_upgrade_is_not_rolled_out_and_a_good_one_is(fleet: Fleet) -> None:
    two = ("-y", "--serial", "--limit", "fl1", "--limit", "fl2", "--data", "only=qwen")
    before = fleet.lock.entries
    fleet.write(models={"qwen": {"image": "ollama/ollama:broken-generate"}})
    output = fleet.run(*two, deploy="upgrade")
    assert output.status == 1
    assert len(last_words(output)) == 1, output.text
    (failed,) = last_words(output)
    assert f"not tried after the failure above on {failed}" in output.text
    assert fleet.lock.entries == before

    fleet.write(models={"qwen": {"image": "ollama/ollama:0.17.4"}})
    output = fleet.run(*two, deploy="upgrade")
    assert output.status == 0, output.text
    images = {host: fleet.lock.service(host, "qwen").image for host in ("fl1", "fl2")}
    assert {image.reference for image in images.values() if image} == {"ollama/ollama:0.17.4"}
    assert len({image.digest for image in images.values() if image}) == 1

    fleet.write(models={"qwen": {"image": "ollama/ollama:0.24.0"}})
    output = fleet.run("-y", *two[2:], deploy="rollback")
    assert output.status == 0, output.text
    again = fleet.run("-y")
    assert {name: done_on(again, name) for name in NAMES} == {n: {"No changes"} for n in NAMES}


def test_a_restart_of_a_host_brings_everything_back_by_itself(fleet: Fleet) -> None:
    container = fleet.hosts["fl3"].container
    subprocess.run(["docker", "restart", "-t", "30", container], check=True)
    fleet.up("fl3")
    ports = "11434 11435 11436"
    asked = f"for p in {ports}; do curl -sf http://127.0.0.1:$p/api/tags; done | grep -o name; true"
    limit = time.monotonic() + START_SECONDS
    while fleet.on("fl3", asked).count("name") < len(SERVICES):
        assert time.monotonic() < limit, fleet.on("fl3", "docker ps -a")
        time.sleep(0.5)
    again = fleet.run("-y", "--limit", "fl3")
    assert again.status == 0, again.text
    assert done_on(again, "fl3") == {"No changes"}
