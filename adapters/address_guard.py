"""Where requests may go: the public internet, and what the server's configuration lists.

Whoever may type an address must not get Odoo to talk to the machines behind its firewall. The
address a name resolves to is what is judged, and it is the one connected to: a name that answers
differently the second time (DNS rebinding) gains nothing.
"""

import ipaddress
import socket
from contextlib import suppress

from .errors import Misconfigured

#: IPv6 ranges that carry an IPv4 address in their last 32 bits (NAT64, RFC 6052).
EMBEDDING = ipaddress.ip_network("64:ff9b::/96")


class AddressGuard:
    """Decides about addresses.

    :param allowed: host names, addresses and networks that are let through beside public ones
    """

    def __init__(self, allowed=()):
        self.names, self.networks = set(), []
        for entry in allowed:
            try:
                self.networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                self.names.add(entry.lower().rstrip("."))

    @classmethod
    def parse(cls, text):
        """From ``127.0.0.1, 10.0.0.0/8, erp.internal``."""
        return cls([entry for entry in (text or "").replace(",", " ").split() if entry])

    def permits(self, address):
        """Whether an IP address (text) may be connected to."""
        address = ipaddress.ip_address(address.partition("%")[0])
        inner = _embedded(address)
        if any(address in network for network in self.networks):
            return True
        if inner:
            return self.permits(str(inner))
        return address.is_global and not address.is_multicast

    def resolve(self, host, port):
        """The addresses of a host that may be connected to.

        :return: list of IP addresses as texts
        :raise socket.gaierror: there is no such host
        :raise ForbiddenAddress: it has none that is allowed
        """
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(info[4][0] for info in found))
        if host.lower().rstrip(".") in self.names:
            return addresses
        permitted = [address for address in addresses if self.permits(address)]
        if not permitted:
            raise ForbiddenAddress(host)
        return permitted


class ForbiddenAddress(Exception):
    """A host with internal addresses only."""

    def __init__(self, host):
        super().__init__(host)
        self.host = host

    def as_error(self):
        return Misconfigured(
            f"{self.host} is an address inside the network, where Odoo sends nothing.",
            hint="Set a public address; or have the server's administrator list this one in "
            "odoo.conf: commerce_sync_allowed_hosts.",
            code="address_not_allowed",
        )


def _embedded(address):
    if address.version == 4:
        return None
    with suppress(AttributeError):
        if address.ipv4_mapped or address.sixtofour:
            return address.ipv4_mapped or address.sixtofour
    if address in EMBEDDING:
        return ipaddress.ip_address(int(address) & 0xFFFFFFFF)
    return None
