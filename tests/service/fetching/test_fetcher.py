"""The guarded fetcher against a server on the loopback address."""

from __future__ import annotations

import gzip
import ipaddress
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fetching import Fetcher, FetchError
from service.fetching.addresses import permitted

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/tagged" and self.headers.get("If-None-Match") == '"v1"':
            self.send_response(304)
            self.end_headers()
            return
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        if self.path == "/busy":
            self.send_response(503)
            self.send_header("Retry-After", "120")
            self.end_headers()
            return
        if self.path == "/slow":
            time.sleep(3)
        body = b"hello"
        if self.path == "/large":
            body = b"x" * 5_000
        if self.path in ("/bomb", "/packed"):
            body = gzip.compress(b"x" * (1_000_000 if self.path == "/bomb" else 500))
        self.send_response(200)
        self.send_header("ETag", '"v1"')
        self.send_header("Last-Modified", "Tue, 05 Mar 2024 10:00:00 GMT")
        if self.path in ("/bomb", "/packed"):
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}"
    httpd.shutdown()
    httpd.server_close()


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher(max_bytes=2_000, seconds=1.5, networks=LOOPBACK)


def test_fetched_with_its_tags(server: str, fetcher: Fetcher) -> None:
    answer = fetcher.fetch(f"{server}/tagged")
    assert (answer.content, answer.etag) == (b"hello", '"v1"')
    again = fetcher.fetch(f"{server}/tagged", etag=answer.etag, last_modified=answer.last_modified)
    assert (again.content, again.etag, again.last_modified) == (None, answer.etag, answer.last_modified)


def test_packed_answers_are_unpacked(server: str, fetcher: Fetcher) -> None:
    assert fetcher.fetch(f"{server}/packed").content == b"x" * 500


def test_redirects_are_followed_and_counted(server: str, fetcher: Fetcher) -> None:
    assert fetcher.fetch(f"{server}/to//to//tagged").content == b"hello"
    with pytest.raises(FetchError, match="redirects"):
        fetcher.fetch(f"{server}{'/to/' * 7}/tagged")


@pytest.mark.parametrize(
    ("path", "message"), [("/large", "larger"), ("/bomb", "unpacked"), ("/slow", "longer")]
)
def test_limits(server: str, fetcher: Fetcher, path: str, message: str) -> None:
    with pytest.raises(FetchError, match=message):
        fetcher.fetch(server + path)


def test_a_busy_server_says_when_to_come_again(server: str, fetcher: Fetcher) -> None:
    with pytest.raises(FetchError, match="503") as caught:
        fetcher.fetch(f"{server}/busy")
    assert caught.value.retry_after == 120


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0.0.0.0", "[::ffff:127.0.0.1]"]
)
def test_this_machine_is_not_fetched_from(server: str, host: str) -> None:
    port = server.rpartition(":")[2]
    with pytest.raises(FetchError):
        Fetcher(max_bytes=100, seconds=2).fetch(f"http://{host}:{port}/tagged")


def test_a_redirect_into_the_house_is_refused(server: str) -> None:
    fetcher = Fetcher(max_bytes=100, seconds=2, networks=LOOPBACK)
    with pytest.raises(FetchError, match="not a public address"):
        fetcher.fetch(f"{server}/to/http://169.254.169.254/latest/meta-data")
    with pytest.raises(FetchError, match="http and https"):
        fetcher.fetch(f"{server}/to/file:///etc/passwd")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.example",
        "file:///etc/passwd",
        "http://",
        "http://u:p@x.example/",
        "http://x.example:99999/",
        "x",
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(FetchError):
        Fetcher(max_bytes=100, seconds=2).fetch(url)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "::1", "fe80::1",
     "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "255.255.255.255"],
)  # fmt: skip
def test_private_addresses(address: str) -> None:
    assert not permitted(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"]
)
def test_public_addresses(address: str) -> None:
    assert permitted(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_address_in_six_letters_clothing_is_still_itself(address: ipaddress.IPv4Address) -> None:
    assert permitted(ipaddress.IPv6Address(f"::ffff:{address}")) == permitted(address)
