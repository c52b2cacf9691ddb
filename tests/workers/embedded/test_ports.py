"""Which port is chosen."""

import socket

from workers.embedded import ports


class TestUsualOrFree:
    def test_takes_the_usual_port_where_it_is_free(self) -> None:
        usual = ports.any_free()
        assert ports.usual_or_free(usual) == usual

    def test_takes_another_where_somebody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as busy:
            usual = busy.getsockname()[1]
            assert ports.usual_or_free(usual) != usual

    def test_takes_another_where_somebody_listens_on_all_addresses(self) -> None:
        with socket.create_server(("", 0)) as busy:
            usual = busy.getsockname()[1]
            assert ports.usual_or_free(usual) != usual


class TestAnswers:
    def test_is_true_while_somebody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as busy:
            port = busy.getsockname()[1]
            assert ports.answers(port)
        assert not ports.answers(port)
