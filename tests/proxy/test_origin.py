"""Connections to an origin that has several addresses, some of them dead."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import time

import pytest

from bridge.proxy import origin as module
from bridge.proxy.options import Address
from bridge.proxy.origin import OriginPool


class User:
    """Keeps what it is told."""

    def __init__(self):
        self.told = asyncio.get_running_loop().create_future()

    def connected(self, connection):
        self.told.set_result(connection)

    def not_connected(self, error):
        self.told.set_result(error)

    def origin_lost(self, error):
        pass


@contextlib.contextmanager
def silent(host):
    """An address that takes no connection and says nothing: its queue is full. Gives its port."""
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.socket())
        sock.bind((host, 0))
        sock.listen(0)
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            assert waiting.connect_ex(sock.getsockname()) in {0, errno.EINPROGRESS}
        yield sock.getsockname()[1]


def run(timeout, hosts, port, act):
    """Give a pool whose host has these addresses, on a loop of its own."""

    async def main():
        loop = asyncio.get_running_loop()

        async def getaddrinfo(host, at, **_):
            assert (host, at) == ("shop.example", port)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in hosts]

        loop.getaddrinfo = getaddrinfo
        pool = OriginPool(Address("http", "shop.example", port, "shop.example"), timeout, loop)
        try:
            return await act(pool)
        finally:
            pool.close()

    return asyncio.run(main())


async def connect(pool):
    user = User()
    pool.open(user)
    return await user.told


async def peer(pool):
    """Return the address that a new connection leads to."""
    connection = await connect(pool)
    name = connection.transport.get_extra_info("peername")[0]
    connection.drop()
    return name


def test_an_address_that_takes_no_connection_is_a_time_out():
    with silent("127.0.0.1") as port:
        start = time.monotonic()
        assert isinstance(run(0.3, ["127.0.0.1"], port, connect), TimeoutError)
        assert time.monotonic() - start < 5


def test_a_dead_first_address_is_passed_over_and_the_good_one_remembered():
    with silent("127.0.0.2") as port, socket.create_server(("127.0.0.3", port)):

        async def act(pool):
            first = await peer(pool)
            assert pool._good[4][0] == first
            asked = []
            start_connection = module.start_connection

            async def noted(addresses, **more):
                asked.append([each[4][0] for each in addresses])
                return await start_connection(addresses, **more)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(module, "start_connection", noted)
                assert await peer(pool) == first
            return first, asked

        assert run(5, ["127.0.0.2", "127.0.0.3"], port, act) == ("127.0.0.3", [["127.0.0.3", "127.0.0.2"]])


def test_an_address_that_went_dead_is_left_for_another():
    with socket.create_server(("127.0.0.4", 0)) as first:
        port = first.getsockname()[1]
        with socket.create_server(("127.0.0.5", port)):

            async def act(pool):
                before = await peer(pool)
                first.close()
                return before, await peer(pool)

            assert run(5, ["127.0.0.4", "127.0.0.5"], port, act) == ("127.0.0.4", "127.0.0.5")


def test_a_name_without_an_address_that_answers_is_an_error_told_to_the_user():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert isinstance(run(5, ["127.0.0.1", "127.0.0.2"], port, connect), OSError)
