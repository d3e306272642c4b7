from __future__ import annotations

import resource
import socket
from typing import Any

import pytest
from fastapi import FastAPI

from api.security import NotLoopbackError
from api.server import CannotListenError, bind, serve
from service.server import _allow_open_files


async def test_a_port_in_use_is_one_line_with_the_way_out(app: FastAPI) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListenError) as refused:
            await serve(app, "127.0.0.1", port, print)
    assert f"127.0.0.1:{port}" in str(refused.value)
    assert "--http" in str(refused.value)
    assert "\n" not in str(refused.value)


async def test_an_address_for_everybody_is_refused(app: FastAPI) -> None:
    with pytest.raises(NotLoopbackError):
        await serve(app, "0.0.0.0", 0, print)  # noqa: S104


async def test_ready_names_the_address_that_answers(served: Any) -> None:
    assert served.url.startswith("http://127.0.0.1:")
    assert served.url.endswith("/")


async def test_a_defect_in_a_broadcaster_stops_the_server_instead_of_leaving_streams_deaf(
    app: FastAPI, source: Any
) -> None:
    source.broken = True
    with pytest.raises(ExceptionGroup) as failed:
        await serve(app, "127.0.0.1", 0, lambda _url: None)
    assert failed.group_contains(RuntimeError)


def test_answers_of_two_packets_do_not_wait_for_the_client() -> None:
    with bind("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_who_does_not_read_is_cut_off_and_bounded_in_memory() -> None:
    with bind("127.0.0.1", 0) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 1 << 18


def test_as_many_files_as_streams_may_be_open() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, before[1]))
        _allow_open_files(1500)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (1500, before[1])
        _allow_open_files(100)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (1500, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
