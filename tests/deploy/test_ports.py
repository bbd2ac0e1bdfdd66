import socket

import pytest

from deploy import ports
from deploy.problem import Problem


def test_a_free_port_is_found() -> None:
    assert 1024 < ports.choose("127.0.0.1", 0) < 65536


def test_a_taken_port_is_a_problem_that_names_the_option() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Problem, match=rf"cannot listen on 127\.0\.0\.1:{port}: .*choose another port with --port"):
            ports.choose("127.0.0.1", port)
