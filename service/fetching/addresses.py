"""Which addresses may be connected to.

A name is resolved once, every address it has is checked, and the checked address is the one connected to: a
name that changes its answer in between gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence

import httpcore2

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class ForbiddenAddress(Exception):  # noqa: N818 - it names what was refused
    """A host that may not be connected to; the text says why."""


def permitted(address: Address, networks: Sequence[Network] = ()) -> bool:
    """Whether an address is public, or in one of the networks that the settings open."""
    if in_networks(address, networks):
        return True
    inner = _inner(address)
    if inner is not None:
        return permitted(inner, networks)
    return address.is_global and not address.is_multicast and not address.is_reserved


def in_networks(address: Address, networks: Sequence[Network]) -> bool:
    """Whether an address is in one of the networks."""
    return any(address.version == network.version and address in network for network in networks)


def _inner(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 one leads to, by mapping, 6to4, Teredo or NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def read_networks(names: str | None) -> list[Network]:
    """The networks that a setting names, by commas. Raises ValueError for what is none."""
    return [ipaddress.ip_network(name.strip()) for name in (names or "").split(",") if name.strip()]


class GuardedBackend(httpcore2.NetworkBackend):
    """Connects to permitted addresses only; without `public`, only in the networks that the settings open."""

    def __init__(self, networks: Sequence[Network] = (), *, public: bool = True) -> None:
        self._networks = tuple(networks)
        self._public = public
        self._backend = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Resolve, check and connect; the certificate is still checked against the name."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"{host} has no address") from error
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        # One inner address among public ones is how such names are made: the whole name is refused.
        for address in addresses:
            if not permitted(address, self._networks):
                raise ForbiddenAddress(f"{host} is at {address}, which is not a public address")
            if not self._public and not in_networks(address, self._networks):
                raise ForbiddenAddress(f"{host} is at {address}, and what is sent there must go by https")
        if not addresses:
            raise httpcore2.ConnectError(f"{host} has no address")
        return self._backend.connect_tcp(
            str(addresses[0]), port, timeout, local_address=local_address, socket_options=socket_options
        )

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Never."""
        raise ForbiddenAddress("sockets of this machine are not fetched from")
