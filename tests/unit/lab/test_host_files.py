"""What a fresh host is given before it starts."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from lab import host_files, rootfs
from lab.host_files import furniture, write_ssh_files
from lab.state import Host


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    certificates = tmp_path / "certificates"
    certificates.write_text("authorities")
    monkeypatch.setattr(host_files, "CERTIFICATES", certificates)
    monkeypatch.setattr(rootfs, "apt_sources", lambda: "deb http://mirror.invalid bookworm main\n")
    monkeypatch.setattr(rootfs, "apt_settings", lambda: "")
    (tmp_path / "key.pub").write_text("ssh-ed25519 AAAA lab\n")
    return Host(
        name="web", container="c", volume="v", key=str(tmp_path / "key"), address="10.0.0.9"
    )


def members(host: Host) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(furniture(host))) as archive:
        return {entry.name: entry for entry in archive}


def test_keys_belong_to_who_logs_in(host: Host) -> None:
    found = members(host)
    for name in ("home/dev/.ssh", "home/dev/.ssh/authorized_keys"):
        assert found[name].uid == rootfs.USER_ID
    assert found["home/dev/.ssh"].mode == 0o700
    assert found["home/dev/.ssh/authorized_keys"].mode == 0o600
    assert found["root/.ssh/authorized_keys"].uid == 0


def test_root_without_a_password_is_given_only_where_asked_for(host: Host) -> None:
    assert members(host)["etc/sudoers.d/dev"].mode == 0o440
    assert "etc/sudoers.d/dev" not in members(host.model_copy(update={"sudo": False}))


def test_ssh_knows_every_host_and_its_newest_key(host: Host) -> None:
    write_ssh_files((host,), {"10.0.0.8": "ssh-ed25519 OTHER x", "10.0.0.9": "ssh-ed25519 OLD x"})
    configuration = write_ssh_files((host,), {"10.0.0.9": "ssh-ed25519 NEW root@web"})
    assert "Host web\n  HostName 10.0.0.9\n" in configuration.read_text()
    known = (host_files.keys_folder() / "known_hosts").read_text()
    assert known == "10.0.0.8 ssh-ed25519 OTHER\n10.0.0.9 ssh-ed25519 NEW\n"
