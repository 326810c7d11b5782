"""The declaration: what is accepted, and every fault at once with its file and key."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.declared.layers import Layer, Merged, defaults_layer, merge
from tasks.declared.stack import DeclarationError, Role, Service, Stack, declare


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


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"no_proxy": "localhost\nproxy = http://evil"}, "no_proxy: should be hosts separated"),
        ({"no_proxy": 'a.lan",b'}, "no_proxy: should be hosts separated"),
        ({"no_proxy": "a.lan b.lan"}, "no_proxy: should be hosts separated"),
        ({"ca_certificate": '/ca.pem"\nurl = "file:///x'}, "ca_certificate: should be one line"),
        ({"ca_certificate": '/ca".pem'}, "ca_certificate: should be plain text: it holds a quote"),
        ({"ca_certificate": "/ca$(id).pem"}, "ca_certificate: should be a path of letters"),
        ({"docker_socket": "/run/a.sock\nb"}, "docker_socket: should be one line"),
        ({"docker_socket": "/run/\\.sock"}, "docker_socket: should be plain text: it holds a back"),
        ({"http_proxy": "http://a'b@proxy.lan:1"}, "http_proxy: should be a URL"),
        ({"https_proxy": 'http://proxy.lan:1"'}, "https_proxy: should be a URL"),
        ({"https_proxy": "http://proxy.lan\x85:1"}, "https_proxy: should be a URL"),
        ({"http_proxy": "http://"}, "http_proxy: should be a URL"),
        ({"docker_apt_url": "https://m.lan/a\nTrusted: yes"}, "docker_apt_url: should be a URL"),
        ({"docker_version": "29.0 evil-package"}, "docker_version: should be a version"),
        ({"docker_version": "29.0\nevil"}, "docker_version: should be a version"),
        ({"toolkit_version": "1" * 5000}, "toolkit_version: should be a version"),
        ({"driver_minimum": "1" * 5000}, "driver_minimum: should be a version"),
        ({"image_mirror": "m.lan\n"}, "image_mirror: should be host or host:port"),
        ({"model_registry": 'm.lan"'}, "model_registry: should be host or host:port"),
        ({"image": "ollama/ollama:1\n"}, "image: should be an image"),
        ({"bind": '::1%"\n', "allow_public": True}, "bind: should be an IP address"),
        ({"database": "a\nb.db"}, "database: should be one line"),
        ({"log_file": "a\x1b[2J.log"}, "log_file: should be plain text: it holds a control"),
        ({"lock": "'.lock"}, "lock: should be plain text: it holds a quote"),
        ({"container_prefix": "a-\n"}, "container_prefix: should be"),
        ({"client_users": ["ada\n"]}, "client_users.0: should be"),
        ({"roles": {'a"]': {}}}, "roles: should be plain text: it holds a quote"),
        ({"models": {"qwen": {"role": "a\u202eb"}}}, "qwen.role: should be plain text"),
        ({"models": {"qwen": {"model": "a:b\n"}}}, "qwen.model: should be a model"),
        (
            {"models": {"qwen": {"environment": {"A": "b\x00C=d"}}}},
            "environment.A: should be plain text: it holds a control",
        ),
    ],
)
def test_attack_21_no_value_can_add_words_to_another_language(
    values: dict[str, Any], part: str
) -> None:
    assert any(part in fault for fault in faults(**values)), faults(**values)


def test_attack_21_every_fault_is_told_at_once_and_no_password_with_it() -> None:
    found = faults(no_proxy='"', ca_certificate="/'", http_proxy="http://ada:hunter2'@p.lan")
    assert len(found) == 3 and "hunter2" not in str(found)


@pytest.mark.parametrize(
    "values",
    [
        {"http_proxy": "http://proxy.lan:3128", "https_proxy": "https://[fd00::1]:3128/"},
        {"http_proxy": "http://ada:p%40ss%27w$rd!@proxy.lan:3128"},
        {"no_proxy": "localhost, 127.0.0.1,10.0.0.0/8,.corp.lan,*.x.lan,[::1],::1,mirror.lan:5000"},
        {"no_proxy": "*"},
        {"ca_certificate": "/usr/local/share/ca certificates/Müller & Co".replace(" & ", "-")},
        {"docker_socket": "/run/user/1000/docker.sock"},
        {"models": {"qwen": {"environment": {"OLLAMA_X": '{"a": "\\d"}'}}}},
        {"models": {"qwen": {"environment": {"OLLAMA_X": "several\n\tlines"}}}},
        {"bind": "::1"},
    ],
)
def test_attack_21_what_people_really_declare_is_taken(values: dict[str, Any]) -> None:
    declare(merged(Layer("stack.toml", values)))


DECLARED = declare(merged()).model_dump()
STACK_TEXTS = [key for key, value in DECLARED.items() if isinstance(value, str)]
SERVICE_TEXTS = ["model", "role", "agent", "image", "bind", "memory", "keep_alive"]
HARMFUL = st.characters(categories=["Cc", "Cf", "Zl", "Zp"]) | st.sampled_from("\"'`\\")
START = {
    "no_proxy": "a.lan,b.lan",
    "ca_certificate": "/etc/ca.pem",
    "http_proxy": "http://ada:pw@proxy.lan:1",
    "https_proxy": "http://proxy.lan",
    "docker_version": "29.0",
    "toolkit_version": "1.17",
    "docker_apt_url": "https://m.lan/docker",
    "toolkit_apt_url": "https://m.lan",
    "image_mirror": "m.lan:5000",
    "model_registry": "[::1]:5000",
    "client_host": "gpu.lan",
}


@given(
    st.sampled_from([*STACK_TEXTS, *(f"models.qwen.{key}" for key in SERVICE_TEXTS)]),
    st.lists(HARMFUL | st.characters(), max_size=3).map("".join) | st.text(max_size=8),
    st.integers(0, 60),
)
def test_attack_21_no_accepted_text_has_a_control_a_quote_or_a_backslash(
    path: str, text: str, at: int
) -> None:
    key = path.rpartition(".")[2]
    start = START.get(key) or str(DECLARED.get(key) or DECLARED["services"][0].get(key) or "")
    value = start[:at] + text + start[at:]
    given = {key: value} if path == key else {"models": {"qwen": {key: value}}}
    try:
        stack = declare(merged(Layer("stack.toml", given)))
    except DeclarationError:
        return
    taken = getattr(stack if path == key else service(stack), key)
    assert not set(taken) & set("\"'`\\")
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in taken)


@pytest.mark.parametrize("name", ["qwen-previous", "qwen-next", "mistral-replaced", "-previous"])
def test_attack_11_a_service_is_not_named_like_what_is_set_aside_of_another(name: str) -> None:
    table = {"model": "x:1", "port": 1234, "context": 512}
    found = faults(models={name: table})
    assert any(f"models.{name}: should" in fault for fault in found)
    if name[0] != "-":
        assert "set aside or kept" in str(found)


@pytest.mark.parametrize("model", ["qwen:7b-previous", "qwen:7b-REPLACED", "qwen-previous"])
@pytest.mark.parametrize("key", ["model", "agent"])
def test_attack_11_a_model_is_not_named_like_a_copy(model: str, key: str) -> None:
    (fault,) = faults(models={"qwen": {key: model}})
    assert f"models.qwen.{key}: should not end in" in fault


@given(st.sets(st.from_regex(r"\A[a-z0-9](-previous|-next|-replaced|[ab.-]){0,3}\Z"), max_size=4))
def test_attack_11_no_name_of_one_service_is_a_name_of_another(names: set[str]) -> None:
    tables = {
        name: {"model": "x:1", "port": 2000 + number, "context": 512}
        for number, name in enumerate(sorted(names))
    }
    try:
        stack = declare(merged(Layer("stack.toml", {"models": tables})))
    except DeclarationError:
        return
    ends = ("", "-previous", "-next", "-replaced")
    every = [stack.container_name(s) + end for s in stack.services for end in ends]
    assert len(every) == len(set(every))


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
