"""Secrets among the words of a command: `sshpass -p …`, `curl -u user:…`, `--password …`."""

from __future__ import annotations

import re

from tasks.words.secrets.names import strength
from tasks.words.secrets.values import NOTHING, Find, Span, value_span

# Between an option and its value, also where a command is written as a list.
_GAP = r"(?:[\"']?,?[ \t]+|[\"'],|=)"


def _command(names: str, option: str) -> re.Pattern[str]:
    """Find an option of a command; no more than 200 characters of its line are read."""
    return re.compile(rf"(?<![\w.-])(?:{names})(?=[\s\"',])[^\n]{{0,200}}?[\s\"',]{option}")


_WITH_SECRETS = (
    _command("sshpass", rf"-p{_GAP}?"),
    # Theirs is joined to the option.
    _command(r"(?:mysql|mariadb)[\w-]{0,20}|7z\w?|rar|unrar", r"-p(?=[^\s\"',])"),
    # Of docker, podman, helm, az … login.
    _command(r"login|mongo\w{0,8}", rf"-p{_GAP}"),
    _command("redis-cli", rf"-a{_GAP}"),
    _command(r"ldap\w{2,10}", rf"-w{_GAP}?"),
    _command(r"mosquitto_\w{3}|sqlcmd|bcp|unzip|zip|ssh-keygen", rf"-[PN]{_GAP}"),
    _command("htpasswd", r"-\w{0,5}b\w{0,5}[ \t]+\S{1,200}[ \t]+\S{1,100}[ \t]+"),
    re.compile(r"(?:--password-stdin|\bsudo[ \t]+-S)\b[^\n]{0,200}?<<<[ \t]*"),
    re.compile(
        r"(?<![\w-])(?:echo|printf)[ \t]+(?:-\w+[ \t]+|[\"']%s[\"'][ \t]+)?"
        r"(?=[^\n|]{1,200}\|[^\n]{0,200}(?:--password-stdin|sudo[ \t]+-S|passwd|cryptsetup))"
    ),
    # SQL.
    re.compile(
        r"(?i)\b(?:identified[ \t]+(?:with[ \t]+\S{1,60}[ \t]+)?by|password)[ \t]+(?=[\"'])"
    ),
)
_USER = r"(?P<quote>[\"']?)[^\s:\"'%,]{0,100}[:%,](?!//)"
_WITH_USERS = (
    _command(
        r"curl|wget|lftp|ncftp\w{0,5}|aria2c",
        rf"(?:-[A-Za-z]{{0,8}}[uU]|--user|--proxy-user){_GAP}?{_USER}",
    ),
    _command(r"https?|xh", rf"(?:-a|--auth){_GAP}{_USER}"),
    _command("smbclient|rpcclient|net", rf"-U{_GAP}?{_USER}"),
    # The file that curl reads.
    re.compile(
        r"(?m)^[ \t]*-{0,2}(?:proxy-)?user[ \t]*[=:][ \t]*(?P<quote>[\"'])"
        r"[^\s:\"']{1,100}:(?!\d+[\"'])"
    ),
)
_OPTION = re.compile(r"(?<![\w-])--?([\w-]++)(?:[ \t]+|[\"'],\s{0,40})(?!--|[|;&<>]|\s)")
# ENV NAME value, git config name value, npm config set name value.
_SET = re.compile(
    r"(?<![\w-])(?:ENV|setenv|setx|set[ \t]+-\w{1,4}|config(?:[ \t]+set|[ \t]+--\w{1,10})*)[ \t]+"
    r"([\w./:-]++)[ \t]+(?=[^\s|;&<>])"
)


def _value(found: re.Match[str]) -> Span:
    return value_span(found.string, found.end())


def _password(found: re.Match[str]) -> Span:
    """Take what follows user and colon, up to the quote that began before the user."""
    text, at, quote = found.string, found.end(), found["quote"]
    close = text.find(quote, at, at + 200) if quote else -1
    return (at, close) if close >= 0 else value_span(text, at)


def _by_name(found: re.Match[str]) -> Span:
    return _value(found) if strength(found[1]) else NOTHING


COMMANDS: tuple[tuple[re.Pattern[str], Find], ...] = (
    *((head, _value) for head in _WITH_SECRETS),
    *((head, _password) for head in _WITH_USERS),
    (_OPTION, _by_name),
    (_SET, _by_name),
)
