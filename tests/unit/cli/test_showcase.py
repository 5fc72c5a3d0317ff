"""Where the showcase listens, and what it says of itself."""

from __future__ import annotations

import socket

from offchain.cli.demo.showcase import LOOPBACK, Ports, choose_ports


def test_choose_ports__free__as_wanted_and_taken__another() -> None:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        free = probe.getsockname()[1]
    with socket.create_server((LOOPBACK, 0)) as taken:
        busy = taken.getsockname()[1]
        chosen = choose_ports(Ports(rpc=free, gateway=busy, dapp=0))
    assert chosen.rpc == free
    assert chosen.gateway not in (busy, free, 0)
    assert chosen.dapp not in (busy, free, chosen.gateway, 0)


def test_choose_ports__the_same_twice__two_different() -> None:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        free = probe.getsockname()[1]
    chosen = choose_ports(Ports(free, free, free))
    assert len({chosen.rpc, chosen.gateway, chosen.dapp}) == 3
