"""The fresh hosts as an inventory: who is up, and a declaration that is valid for them."""

from __future__ import annotations

from lab.state import Host, LabState
from lab.ways import hosts_of, settings
from tasks.declared.layers import Layer, defaults_layer, merge
from tasks.declared.stack import declare

UP = Host(name="a", container="c", volume="v", address="10.0.0.9", key="/key")
DOWN = Host(name="b", container="c", volume="v")


def test_only_hosts_that_are_up_are_in_the_inventory(lab: LabState) -> None:
    ((name, data),) = hosts_of(lab.model_copy(update={"hosts": (UP, DOWN)}))
    assert (name, data["ssh_hostname"], data["ssh_user"]) == ("a", "10.0.0.9", "dev")
    assert data["ssh_strict_host_key_checking"] == "yes"


def test_its_settings_are_a_valid_declaration_that_the_hosts_reach(lab: LabState) -> None:
    stack = declare(merge([defaults_layer(), Layer("lab/fleet.py", settings(lab))]))
    assert [service.model for service in stack.services] == [
        "tiny-qwen:v1",
        "tiny-deepseek:v1",
        "tiny-mistral:v1",
    ]
    assert stack.image_mirror.startswith(lab.addresses.gateway)
