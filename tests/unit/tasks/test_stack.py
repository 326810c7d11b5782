"""The declaration: what is accepted, and every fault at once with its file and key."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.layers import Layer, Merged, defaults_layer, merge
from tasks.stack import DeclarationError, Role, Service, Stack, declare


def merged(*layers: Layer) -> Merged:
    return merge([defaults_layer(), *layers])


def faults(source: str = "stack.toml", **values: Any) -> list[str]:
    with pytest.raises(DeclarationError) as caught:
        declare(merged(Layer(source, values)))
    return caught.value.faults


def service(stack: Stack, name: str = "qwen") -> Service:
    return next(s for s in stack.services if s.name == name)


def test_the_defaults_are_three_services_on_loopback() -> None:
    stack = declare(merged())
    assert [(s.name, s.port, s.bind) for s in stack.services] == [
        ("qwen", 11434, "127.0.0.1"),
        ("deepseek", 11435, "127.0.0.1"),
        ("mistral", 11436, "127.0.0.1"),
    ]


def test_later_layers_win_key_by_key() -> None:
    stack = declare(
        merged(
            Layer("group_data/big.py", {"models_override": {"qwen": {"context": 1024}}}),
            Layer("stack.toml", {"models": {"qwen": {"port": 4000}}, "gpu": "off"}),
            Layer("--data", {"gpu": "required"}),
        )
    )
    qwen = service(stack)
    assert (qwen.context, qwen.port, qwen.model) == (1024, 4000, "qwen2.5-coder:1.5b")
    assert (stack.gpu, qwen.gpu) == ("required", "required")


def test_roles_are_merged_key_by_key_and_others_ask_for_nothing() -> None:
    own = {"code completion": {"agents": ["code", "ask"]}, "translation": {"needs": ["completion"]}}
    stack = declare(merged(Layer("stack.toml", {"roles": own})))
    role = stack.role_of(service(stack))
    assert (role.needs, role.agents) == (("insert",), ("code", "ask"))
    assert stack.roles["translation"].needs == ("completion",)
    other = service(stack).model_copy(update={"role": "nobody's"})
    assert stack.role_of(other) == Role()


def test_the_agents_model_is_one_of_the_services_once() -> None:
    qwen = service(declare(merged()))
    assert qwen.models == ("qwen2.5-coder:1.5b", "qwen3:4b")
    same = Service.model_validate({**qwen.model_dump(), "agent": qwen.model})
    assert (same.models, same.agent_model) == ((qwen.model,), qwen.model)
    none = Service.model_validate({**qwen.model_dump(), "agent": ""})
    assert (none.models, none.agent_model) == ((qwen.model,), qwen.model)


def test_a_service_keeps_its_own_over_the_stacks() -> None:
    stack = declare(
        merged(Layer("stack.toml", {"gpu": "off", "models": {"qwen": {"gpu": "auto"}}}))
    )
    assert (service(stack).gpu, service(stack, "mistral").gpu) == ("auto", "off")


def test_a_model_without_a_tag_is_the_latest_as_ollama_names_it() -> None:
    stack = declare(merged(Layer("stack.toml", {"models": {"qwen": {"model": "mistral"}}})))
    assert service(stack).model == "mistral:latest"


def test_what_pyinfras_connectors_read_is_no_setting() -> None:
    data = {"ssh_user": "dev", "_sudo": True, "docker_identifier": "x"}
    assert declare(merged(Layer("host data of x", data))) == declare(merged())


def test_a_fourth_service_and_its_environment() -> None:
    table = {
        "model": "x:1",
        "port": 1234,
        "context": 512,
        "environment": {"OLLAMA_DEBUG": "1"},
    }
    stack = declare(merged(Layer("stack.toml", {"models": {"fourth": table}})))
    assert service(stack, "fourth").environment == {"OLLAMA_DEBUG": "1"}


def test_fault_38_all_faults_at_once_each_with_its_file_and_key() -> None:
    found = faults(
        imge="x",
        gpu="of",
        models={
            "qwen": {"prot": 1, "port": 99999},
            "Bad Name": {"model": "a b", "port": 1},
            "x": {"model": "m:1", "port": 11435, "context": 1},
        },
    )
    text = "\n".join(found)
    for part in (
        "stack.toml: imge: there is no such setting; did you mean image?",
        "stack.toml: gpu: should be 'auto', 'required' or 'off' (it is 'of')",
        "stack.toml: models.qwen.prot: there is no such setting; did you mean port?",
        "stack.toml: models.qwen.port: should be less than or equal to 65535 (it is 99999)",
        "models.Bad Name:",
        "models.Bad Name.context: is missing",
        "models.Bad Name.model: should be a model with its tag",
        "models.x.context: should be greater than or equal to 256",
    ):
        assert part in text


def test_fault_19_two_services_on_one_port_are_named() -> None:
    (fault,) = faults(models={"mistral": {"port": 11434}})
    assert fault == (
        "stack.toml: models.mistral.port: 11434 is the port of qwen as well (models.qwen.port)"
    )


def test_fault_26_a_public_address_needs_its_consent() -> None:
    (fault,) = faults(models={"qwen": {"bind": "0.0.0.0"}})
    assert "allow_public = true" in fault
    assert "ufw" in fault
    stack = declare(
        merged(Layer("stack.toml", {"models": {"qwen": {"bind": "0.0.0.0", "allow_public": True}}}))
    )
    assert service(stack).url == "http://127.0.0.1:11434"


def test_a_number_where_a_version_belongs_is_a_named_error() -> None:
    (fault,) = faults("--data", image=0.3)
    assert fault.startswith("--data: image: should be a valid string; write it in quotes")


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"models": {"qwen": {"keep_alive": "soon"}}}, "should be a duration"),
        ({"memory": "lots"}, "should be a size"),
        ({"memory": "1m"}, "at least"),
        ({"database": "."}, "a file that ends in"),
        ({"database": "stack.toml"}, "a file that ends in"),
        ({"lock": ""}, "a file that ends in"),
        ({"models": {"qwen": {"bind": "localhost"}}}, "should be an IP address"),
        ({"image": "ollama/ollama"}, "should be an image with its tag"),
        ({"image_mirror": "http://x"}, "should be host or host:port"),
        ({"kv_cache_type": "q8_0", "flash_attention": False}, "needs flash_attention"),
        ({"models": {"qwen": {"environment": {"OLLAMA_HOST": "x"}}}}, "a setting of its own"),
        ({"models": {"qwen": {"also": ["qwen2.5-coder:1.5b"]}}}, "names a model twice"),
        ({"models": {"qwen": {"agent": "a b"}}}, "models.qwen.agent"),
        ({"clients": ["kilo", "emacs"]}, "clients.1"),
        ({"client_users": ["a b"]}, "client_users.0"),
        ({"client_host": "http://gpu.lan"}, "without http:// and port"),
        ({"roles": {"code completion": {"needs": ["magic"]}}}, "needs"),
        ({"roles": {"code completion": {"need": []}}}, "need: there is no such setting"),
        ({"roles": {"code completion": "insert"}}, "should be a table of settings"),
        ({"roles": []}, "should be a table of settings"),
        ({"clients": "kilo"}, 'should be a list, like ["a", "b"]'),
        ({"models": {"qwen": 5}}, "should be a table"),
        ({"models": 5}, "should be one table for each service"),
        ({"prune": True}, "belongs to one run: give it with --data prune=…"),
        ({"docker_socket": "tcp://x"}, "should be an absolute path"),
        ({"docker_apt_url": "mirror.lan/docker"}, "should be a URL"),
        ({"docker_apt_url": "http://mirror.lan/a b"}, "should be a URL"),
        ({"toolkit_apt_url": "https://ada:pw@mirror.lan"}, "without user and password"),
        ({"docker_apt_key": "8D81803C0EBFCD88"}, "should be a whole fingerprint"),
    ],
)
def test_each_bad_value_has_its_message(values: dict[str, Any], part: str) -> None:
    assert any(part in fault for fault in faults(**values))


@pytest.mark.parametrize(
    ("values", "part"),
    [
        (
            {"only": "zz"},
            "--data: only: there is no service 'zz'; declared: qwen, deepseek, mistral",
        ),
    ],
)
def test_options_of_one_run_are_checked_too(values: dict[str, Any], part: str) -> None:
    assert faults("--data", **values) == [part]


def test_no_message_repeats_a_value_that_may_be_secret() -> None:
    found = faults(
        http_proxy="user:hunter2@proxy",
        docker_apt_url="https://user:hunter2@mirror.lan",
        models={"qwen": {"environment": {"TOKEN": 424242}}},
    )
    assert len(found) == 3
    assert "hunter2" not in str(found)
    assert "424242" not in str(found)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)
KEYS = st.sampled_from([*Stack.model_fields, "models", "models_override", "only"]) | st.text()


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.dictionaries(st.text(), VALUES, max_size=2))
def test_any_input_is_accepted_or_refused_and_never_a_crash(
    top: dict[str, Any], tables: dict[str, Any]
) -> None:
    try:
        declare(merged(Layer("stack.toml", {**top, "models": tables})))
    except DeclarationError as error:
        assert error.faults


@pytest.mark.parametrize(
    "values",
    [
        {"gpu": "sk-Zq7xK2mVw9pL4tRb8"},
        {"gpu": "http://ada:Zq7xK2mVw9pL4tRb8@host"},
        {"image_mirror": ["ada:Zq7xK2mVw9pL4tRb8@mirror:5000"]},
        {"models": {"qwen": {"keep_alive": {"token": "Zq7xK2mVw9pL4tRb8"}}}},
    ],
)
def test_attack_20_no_fault_repeats_what_looks_like_a_secret(values: dict[str, Any]) -> None:
    assert "Zq7xK2mVw9" not in "\n".join(faults(**values))
