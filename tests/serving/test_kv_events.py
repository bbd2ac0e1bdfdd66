"""Ports of the cache events: never two replicas on one."""

import socket

from serving.config import KVEvents
from serving.kv_events import Ports, choose_ports, engine_config, sources


def test_fixed_ports_do_not_overlap_between_replicas_of_a_node() -> None:
    settings = KVEvents(port=5557)
    chosen = [choose_ports(settings, rank) for rank in range(3)]
    assert [Ports(5557, 5558), Ports(5559, 5560), Ports(5561, 5562)] == chosen


def test_free_ports_differ_and_can_be_bound() -> None:
    ports = choose_ports(KVEvents(), local_rank=0)
    with socket.socket() as events, socket.socket() as replay:
        events.bind(("", ports.events))
        replay.bind(("", ports.replay))


def test_the_engine_publishes_where_the_route_says() -> None:
    config = engine_config(KVEvents(replay_steps=5), Ports(1001, 1002))
    assert ("tcp://*:1001", "tcp://*:1002", 5) == (
        config["endpoint"],
        config["replay_endpoint"],
        config["buffer_steps"],
    )
    (source,) = sources(Ports(1001, 1002), "10.0.0.7")
    assert ("tcp://10.0.0.7:1001", "tcp://10.0.0.7:1002") == (source["endpoint"], source["replay_endpoint"])


def test_without_events_there_are_no_sources() -> None:
    assert [] == sources(None, "10.0.0.7")
