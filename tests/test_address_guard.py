import socket
from unittest.mock import patch

import pytest

from ..adapters import standard_webhooks
from ..adapters.address_guard import AddressGuard
from ..adapters.errors import Misconfigured
from ..adapters.http import HttpClient
from .wire import Wire

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.7", "172.16.9.9", "169.254.169.254", "0.0.0.0",
        "100.64.0.1", "::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::a00:1",
        "224.0.0.1",
    ],
)  # fmt: skip
def test_an_address_inside_the_network_is_not_permitted(address):
    assert not AddressGuard().permits(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f::1"])
def test_a_public_address_is_permitted(address):
    assert AddressGuard().permits(address)


def test_what_the_configuration_lists_is_permitted():
    guard = AddressGuard.parse("127.0.0.1, 10.0.0.0/8")
    assert guard.permits("127.0.0.1") and guard.permits("10.9.9.9")
    assert not guard.permits("192.168.0.1")


def test_nothing_is_sent_to_a_forbidden_address():
    with Wire(ANSWER) as wire, pytest.raises(Misconfigured) as caught:
        HttpClient(wire.url, guard=AddressGuard()).request("POST", "/x", json={})
    assert caught.value.code == "address_not_allowed"
    assert "127.0.0.1" in caught.value.message
    assert not wire.connections


def test_the_address_that_was_judged_is_the_one_connected_to():
    """DNS answers with a permitted address once, then with another one."""
    with Wire(ANSWER) as wire:
        port = wire.url.rpartition(":")[2]
        answers = iter(["127.0.0.1"])
        real = socket.getaddrinfo

        def rebind(host, *args, **kwargs):
            if host == "shop.example":
                host = next(answers)  # a second look-up of the name would fail
            return real(host, *args, **kwargs)

        client = HttpClient(f"http://shop.example:{port}", guard=AddressGuard(["127.0.0.1"]))
        with patch.object(socket, "getaddrinfo", rebind):
            assert client.request("GET", "/x").status == 200
    assert wire.asked[0].headers["host"] == f"shop.example:{port}"


def test_the_published_vector_of_standard_webhooks():
    signature = standard_webhooks.sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_during_rotation_either_secret_is_accepted_and_old_messages_are_not():
    old, new = "whsec_b2xkIHNlY3JldA==", "whsec_bmV3IHNlY3JldA=="
    sent = standard_webhooks.headers([new, old], "msg_1", b"{}", now=1000)
    assert len(sent["webhook-signature"].split()) == 2
    for known in ([old], [new], ["", new]):
        assert standard_webhooks.verify(sent, b"{}", known, now=1000)
    assert not standard_webhooks.verify(sent, b"{}", [old], now=1301)
    assert not standard_webhooks.verify(sent, b"{ }", [old], now=1000)
    assert not standard_webhooks.verify(sent, b"{}", ["", None], now=1000)
