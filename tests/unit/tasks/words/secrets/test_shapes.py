"""Attack 20: every shape in which files, commands and logs hold secrets; § is the secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.words.secrets import MASK
from tasks.words.secrets.shapes import without_secrets

HERE = Path(__file__).parent
# Random ones, of characters that every shape allows.
SECRETS = ("Zq7xK2mVw9pL4tRb8NcYh3Df", "4fGb9sTzQwLk2mXv7RnPc8Ha", "aaf31c0d9be84c7f2e6d5b1a")
NAMES = (HERE / "names.txt").read_text(encoding="utf-8").splitlines()
SIGNS = ("{}=§", "x {}: § y", '{{"{}": "§", "a": 1}}', "export {}='§'", "{} = '''\n§\n'''\nx = 1")
FILES = {
    "TOML, basic": 'token = "§" # mine',
    "TOML, literal": "token = '§'",
    "TOML, lines": 'token = """\n§\nmore§more\n"""\nport = 1',
    "TOML, literal lines": "token = '''\n§\n'''\nport = 1",
    "TOML, lines without an end": 'token = """\n§\n',
    "TOML, inline table": 'auth = {type = "x", value = "§"}',
    "TOML, list": 'api_keys_secret = ["a", "§"]',
    "TOML, dotted": 'models.qwen.environment.MY_TOKEN = "§"',
    "TOML, section": '[clientSecret]\nvalue = "§"\n\n[next]\nport = 1',
    "ini": "[db]\npassword = § and more",
    "pip": "[global]\nindex-url = https://ada:§@pypi.example.org/simple",
    "npm": "//npm.corp.example/:_authToken=§",
    "npm, basic": "//registry.example.org/:_password=§",
    "pypirc": "[pypi]\nusername = __token__\npassword = §",
    "docker": '{"auths": {"ghcr.io": {"auth": "§"}}}',
    "docker, identity": '{"auths": {"ghcr.io": {"identitytoken": "§"}}}',
    "kubeconfig": "users:\n- name: ada\n  user:\n    client-key-data: §\n    x: y",
    "kubeconfig, token": "  user:\n    token: §",
    "WireGuard": "[Interface]\nPrivateKey = §=\nAddress = 10.0.0.1/32",
    "wpa": 'network={\n ssid="x"\n psk="§"\n}',
    "netrc": "machine h login ada password §",
    "netrc, lines": "machine h\n  login ada\n  password §\nmachine i",
    "netrc, order": "machine h password § login ada",
    "netrc, default": "default login ada password §",
    "pgpass": "db.example.org:5432:*:ada:§",
    "pgpass, star": "# mine\n*:*:*:postgres:§\n",
    "my.cnf": "[client]\nuser=ada\npassword=§",
    "curlrc": 'user = "ada:§"',
    "git": "https://ada:§@github.com",
    "shadow": "ada:$6$§$§§§:19000:0:99999:7:::",
    "htpasswd": "ada:$apr1$§$§",
    "dotenv": "# x\nAPP_SECRET=§, and; blanks &more\nPORT=1",
    "Dockerfile": "ENV API_TOKEN §",
    "compose": "    environment:\n      - API_TOKEN=§",
    "compose, table": "    environment:\n      API_TOKEN: §\n      PORT: 1",
    "properties": "spring.datasource.password=§",
    "JSON": '{"password":"§"}',
    "JSON, blanks": '{\n  "password" : "§"\n}',
    "JSON, nested": '{"apiKey":{"value":"§"},"port":1}',
    "JSON, nested lines": '{\n  "apiKey": {\n    "value": "§"\n  },\n  "port": 1\n}',
    "JSON, nested twice": '{"secret":{"a":{"b":["§"]}}}',
    "JSON, list": '{"tokens_secret": ["§", "x"]}',
    "JSON, escaped": '"{\\"token\\": \\"§\\"}"',
    "JSON, escaped twice": '"{\\\\\\"token\\\\\\": \\\\\\"§\\\\\\"}"',
    "JSON, a pair": '{"name": "API_KEY", "value": "§"}',
    "JSON, cut off": '{"password": "§',
    "JSON, quote within": '{"password": "a\\"§"}',
    "YAML": "password: §",
    "YAML, blanks": "password: § and §",
    "YAML, block": "password: |\n  §\n  x\nport: 1",
    "YAML, folded": "a:\n  password: >-\n    §\n    x\n  port: 1",
    "YAML, kept": "password: |2+\n    §\n\n    §\nport: 1",
    "YAML, next line": "password:\n  §\nport: 1",
    "YAML, nested": "apiKey:\n  value: §\nport: 1",
    "YAML, list": "passwords:\n- a\n- §\nport: 1",
    "YAML, tag": "password: !!str\n  §",
    "YAML, pair": "- name: API_KEY\n  value: §",
    "YAML, flow": "auth: {user: ada, password: §}",
    "XML": "<password>§</password>",
    "XML, attribute": '<add key="ApiKey" value="§"/>',
    "XML, named": '<string name="api_key">§</string>',
    "plist": "<key>Password</key>\n  <string>§</string>",
    "SQL": "ALTER USER ada PASSWORD '§'",
    "SQL, by": "CREATE USER ada IDENTIFIED BY '§'",
    "Python": "config['password'] = '§'",
    "Python, repr": "{'token': '§', 'a': 1}",
    "Ruby": ":password => '§',",
    "PHP": "'password' => '§',",
    "Go": 'password := "§"',
    "Go, map": "map[API_TOKEN:§ OLLAMA_DEBUG:1]",
    "Go, struct": "{User:ada Password:§}",
    "PowerShell": '$env:API_TOKEN = "§"',
    "form": '; name="password"\r\n\r\n§\r\n--x',
}
COMMANDS = {
    "sshpass": "sshpass -p § ssh ada@host",
    "sshpass, joined": "sshpass -p§ ssh ada@host",
    "sshpass, list": '["sshpass", "-p", "§", "ssh"]',
    "curl": "curl -u ada:§ https://example.org",
    "curl, quoted": "curl -sS -u 'ada:§' https://example.org",
    "curl, joined": "curl -uada:§ https://example.org",
    "curl, options": "curl -sSu ada:§ https://example.org",
    "curl, long": "curl --user ada:§ https://example.org",
    "curl, sign": "curl --user=ada:§ https://example.org",
    "curl, list": '["curl", "-u", "ada:§"]',
    "curl, proxy": "curl --proxy-user ada:§ https://example.org",
    "curl, header": "curl -H 'Authorization: Bearer §' https://example.org",
    "curl, header 2": 'curl -H "X-Api-Key: §" https://example.org',
    "curl, cookie": "curl -H 'Cookie: a=b; s=§' https://example.org",
    "httpie": "http -a ada:§ example.org",
    "mysql": "mysql -u root -p§ db",
    "mysqldump": "mysqldump --user=root -p§ db",
    "redis": "redis-cli -h host -a § ping",
    "ldap": "ldapsearch -x -D cn=a -w § dc=b",
    "docker login": "docker login -u ada -p § ghcr.io",
    "podman login": "podman login ghcr.io --username ada --password § ",
    "helm login": "helm registry login -u ada -p '§' host",
    "stdin": "echo § | docker login -u ada --password-stdin ghcr.io",
    "sudo": "echo '§' | sudo -S ls",
    "here": "docker login --password-stdin <<< §",
    "option": "tool --password § x",
    "option, sign": "tool --password=§ x",
    "option, quoted": "tool --api-key '§' x",
    "option, list": "['tool', '--token', '§']",
    "option, one dash": "tool -password § x",
    "smb": "smbclient -U ada%§ //host/x",
    "mosquitto": "mosquitto_sub -u ada -P § -t x",
    "htpasswd": "htpasswd -cb file ada §",
    "ssh-keygen": "ssh-keygen -t ed25519 -N § -f x",
    "git": "git config --global github.token §",
    "npm": "npm config set //npm.corp.example/:_authToken §",
    "fish": "set -x API_TOKEN §",
    "csh": "setenv API_TOKEN §",
    "shell, joined": "export API_TOKEN='a'\"'\"'§'",
    "trace": "+ export API_TOKEN=§",
    "docker run": "docker run -e API_TOKEN=§ -p 80:80 x",
    "openssl": "openssl rsa -passin pass:§ -in x",
}
REQUESTS = {
    "basic": "Authorization: Basic QWRh§",
    "bearer": "> authorization: Bearer §",
    "digest": 'Authorization: Digest username="ada", response="§"',
    "proxy": "Proxy-Authorization: Basic §",
    "JSON": '{"Authorization": "Bearer §", "Accept": "x"}',
    "tuple": "('Authorization', 'Bearer §')",
    "Go": "map[Authorization:[Bearer §]]",
    "alone": "sent with bearer § to it",
    "cookie": 'Cookie: a="b"; session=§; c="d"',
    "set-cookie": "< Set-Cookie: sid=§; HttpOnly",
    "x-auth-token": "X-Auth-Token: §",
    "private-token": "PRIVATE-TOKEN: §",
    "query": "GET /x?api_key=§&a=b HTTP/1.1",
    "fragment": "https://example.org/#access_token=§&a=b",
    "encoded": "https://example.org/?next=%3Ftoken%3D§",
    "body": "a=b&client_secret=§&grant_type=x",
    "SAS": "https://x.blob.core.windows.net/a?sv=2024&se=2027&sig=§%3D",
    "AWS": "https://s3.aws/x?X-Amz-Date=1&X-Amz-Signature=§",
    "AWS, credential": "https://s3.aws/x?X-Amz-Credential=§%2F2026&a=b",
    "AWS, token": "https://s3.aws/x?X-Amz-Security-Token=§",
    "Google": "https://storage/x?X-Goog-Signature=§",
    "http": "http://ada:§@host:3128/",
    "slash": "postgres://ada:x/§@host/db",
    "at": "mongodb+srv://ada:a@§@host/db",
    "token alone": "https://§@github.com/x.git",
    "redis": "redis://:§@host:6379/0",
    "socks": "socks5h://ada:§@127.0.0.1:9",
    "no scheme": "HTTPS_PROXY=ada:§@proxy:3128",
    "mirror": 'image_mirror = "ada:§@mirror:5000"',
    "registry": 'model_registry = "ada:§@mirror:5000"',
    "Azure": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=§==;EndpointSuffix=x",
    "ADO": "Server=h;User Id=ada;Password=§;Encrypt=yes",
    "ADO, short": "Server=h;Uid=ada;Pwd=§;",
    "ADO, comma": "Server=h;Password=a,§;Encrypt=yes",
    "Go, MySQL": "ada:§@tcp(127.0.0.1:3306)/db",
    "libpq": "host=h user=ada password=§ dbname=x",
    "JDBC": "jdbc:postgresql://h/db?user=ada&password=§",
    "sentence": "the password is §",
    "sentence 2": "its token was §, and no more",
    "Slack": "https://hooks.slack.com/services/T0/B0/§",
    "Discord": "https://discord.com/api/webhooks/123/§",
    "Telegram": "https://api.telegram.org/bot123456789:AA§§/getMe",
}
TOKENS = (HERE / "tokens.txt").read_text(encoding="utf-8").splitlines()
ARMOUR = (
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "DSA PRIVATE KEY",
    "PGP PRIVATE KEY BLOCK",
    "PGP MESSAGE",
    "OpenVPN Static key V1",
    "AGE ENCRYPTED FILE",
)
ARMOURED = {
    "whole": "-----BEGIN {0}-----\nVersion: 1\n\n§\n§\n-----END {0}-----\nafter",
    "one line": '"-----BEGIN {0}-----\\n§\\n-----END {0}-----\\n"',
    "cut off": "-----BEGIN {0}-----\n§\n§",
}
SHAPES = {
    **{f"{name}, {sign}": sign.format(name) for name in NAMES for sign in SIGNS},
    **{f"file: {about}": shape for about, shape in FILES.items()},
    **{f"command: {about}": shape for about, shape in COMMANDS.items()},
    **{f"request: {about}": shape for about, shape in REQUESTS.items()},
    **{f"token: {token}": f"it said {token} here" for token in TOKENS},
    **{f"token in JSON: {token}": f'{{"x":"{token}"}}' for token in TOKENS},
    **{
        f"armour: {kind}, {way}": shape.format(kind)
        for kind in ARMOUR
        for way, shape in ARMOURED.items()
    },
    "SSH2": "---- BEGIN SSH2 PRIVATE KEY ----\n§\n---- END SSH2 PRIVATE KEY ----",
    "PuTTY": "PuTTY-User-Key-File-2: ssh-rsa\nPrivate-Lines: 2\n§\n§\nPrivate-MAC: §\n",
    "AWS, key": "AKIAIOSFODNN7EXAMPLE:§" + "b" * 16,
    "AWS, key for some hours": "ada,ASIAIOSFODNN7EXAMPLE,§" + "b" * 16,
}


def parts(secret: str) -> set[str]:
    """Return what a mask that is too short would leave."""
    return {secret[at : at + 8] for at in range(len(secret) - 7)}


@pytest.mark.parametrize("shape", SHAPES)
def test_attack_20_no_part_of_a_secret_is_left_in_any_shape(shape: str) -> None:
    for secret in SECRETS:
        found = without_secrets(SHAPES[shape].replace("§", secret))
        left = [part for part in parts(secret) if part in found]
        assert not left, found
        assert MASK in found


def test_attack_20_the_shapes_are_as_many_as_asked_for() -> None:
    asked = {*FILES.values(), *COMMANDS.values(), *REQUESTS.values(), *TOKENS}
    assert len(asked) >= 150


def test_attack_20_what_stands_around_a_secret_stays() -> None:
    assert without_secrets('{"apiKey":{"value":"x9"},"b":1}') == f'{{"apiKey":{MASK},"b":1}}'
    assert without_secrets("sshpass -p x9 ssh -p 22 h") == f"sshpass -p {MASK} ssh -p 22 h"
    assert without_secrets("password: |\n  x9\n  y\nnext: 1") == f"password: |\n{MASK}\nnext: 1"
    assert without_secrets('token = """\nx9\n"""\nport = 1') == f'token = """{MASK}"""\nport = 1'
    assert without_secrets("curl -u ada:x9y https://h/x") == f"curl -u ada:{MASK} https://h/x"
    log = 'level=INFO token=x9y msg="it starts" port=11434'
    assert without_secrets(log) == f'level=INFO token={MASK} msg="it starts" port=11434'


# Of Ollama, llama.cpp, Docker and NVIDIA, of registries, of a person, and our own.
STAY = (HERE / "stays.txt").read_text(encoding="utf-8").splitlines()


def test_attack_20_the_lines_that_have_to_stay_are_as_many_as_asked_for() -> None:
    assert len(STAY) >= 60


@pytest.mark.parametrize("line", STAY)
def test_attack_20_what_is_no_secret_stays(line: str) -> None:
    assert without_secrets(line) == line


def test_attack_20_a_whole_log_without_secrets_stays() -> None:
    text = "\n".join(STAY)
    assert without_secrets(text) == text
