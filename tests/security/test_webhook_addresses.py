"""Where webhooks do not get: the newsroom's own network, by whatever name, redirect or rebinding."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from service.fetching import FetchError, Poster
from service.fetching.posting import MAX_CHARACTERS

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]
Resolve = Callable[..., list[str]]


def post(url: str, *, seconds: float = 2, networks: Any = ()) -> Any:
    return Poster(seconds=seconds, networks=networks).post(url, b"{}", {"webhook-id": "msg_1"})


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Names have these addresses: the first answer, then the second, and so on. Returns who was asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *args: Any, **options: Any) -> Any:
        if not isinstance(host, str) or not host.endswith(".example"):
            return real(host, port, *args, **options)
        asked.append(host)
        chosen = answers[min(len(asked), len(answers)) - 1]
        kinds = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [
            (kinds[ipaddress.ip_address(one).version], socket.SOCK_STREAM, 6, "", (one, port))
            for one in chosen
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "0x7f.1", "017700000001", "127.1",
     "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_this_machine_under_any_of_its_names(receiver: Any, scheme: str, host: str) -> None:
    with pytest.raises(FetchError):
        post(f"{scheme}://{host}:{receiver.port}/ok")
    assert receiver.received == []


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.7",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "fd00::1",
        "fe80::1",
        "0.0.0.0",
    ],
)
def test_a_public_name_of_a_private_address(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    resolving(monkeypatch, [address])
    with pytest.raises(FetchError, match="not a public address"):
        post("https://hook.example/")


def test_one_private_address_among_public_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["93.184.215.14", "127.0.0.1"])
    with pytest.raises(FetchError, match="not a public address"):
        post("https://hook.example/")


def test_a_name_that_changes_between_check_and_connection(
    monkeypatch: pytest.MonkeyPatch, receiver: Any
) -> None:
    """DNS rebinding: a second look would find this machine. There is none: the checked address is it."""
    asked = resolving(monkeypatch, ["192.0.2.1"], ["127.0.0.1"])
    connected: list[str] = []
    real = socket.create_connection

    def connect(address: tuple[str, int], *args: Any, **options: Any) -> socket.socket:
        connected.append(address[0])
        # What stands for the address that was checked; nobody leaves this machine.
        return real(("127.0.0.1", receiver.port), *args, **options)

    monkeypatch.setattr(socket, "create_connection", connect)
    documentation = [ipaddress.ip_network("192.0.2.0/24")]
    assert post(f"http://hook.example:{receiver.port}/ok", networks=documentation).status == 204
    assert (asked, connected) == (["hook.example"], ["192.0.2.1"])
    # The next delivery looks again, and is refused.
    with pytest.raises(FetchError, match="not a public address"):
        post(f"http://hook.example:{receiver.port}/ok", networks=documentation)
    assert len(receiver.received) == 1


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/meta-data", "/ok", "file:///etc/passwd"])
def test_no_redirect_is_followed(receiver: Any, target: str) -> None:
    answer = post(f"{receiver.url}/to/{target}", networks=LOOPBACK)
    assert answer.status == 307
    assert len(receiver.received) == 1


def test_unencrypted_only_in_opened_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["93.184.215.14"])
    with pytest.raises(FetchError, match="by https"):
        post("http://hook.example/", networks=LOOPBACK)


def test_a_certificate_for_nobody_is_not_accepted(receiver: Any) -> None:
    # It speaks no TLS at all; nothing is sent before the handshake.
    with pytest.raises(FetchError):
        post(f"https://127.0.0.1:{receiver.port}/ok", networks=LOOPBACK)
    assert receiver.received == []


@pytest.mark.parametrize("path", ["/trickle", "/slow/20"])
def test_a_receiver_that_never_ends(receiver: Any, path: str) -> None:
    started = time.monotonic()
    with pytest.raises(FetchError, match=r"longer than 0\.5 seconds"):
        post(receiver.url + path, seconds=0.5, networks=LOOPBACK)
    assert time.monotonic() - started < 5


def test_an_answer_is_read_no_further_than_it_is_kept(receiver: Any) -> None:
    answer = post(f"{receiver.url}/large", networks=LOOPBACK)
    assert answer.status == 500
    assert len(answer.body) == MAX_CHARACTERS
    assert "\0" not in answer.body


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "gopher://127.0.0.1/", "https://u:p@hook.example/", "https:///x",
     "//hook.example/", "https://hook.example:0/", "unix:/run/x.sock"],
)  # fmt: skip
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(FetchError):
        post(url)


def test_nothing_slips_into_the_headers(receiver: Any) -> None:
    with pytest.raises(FetchError):
        post(f"{receiver.url}/ok\r\nX-Slipped: 1", networks=LOOPBACK)
    assert receiver.received == []
