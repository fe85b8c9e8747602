import socket
import threading
from pathlib import Path

from minequeue.compose.config import embedded


def test_a_server_that_hangs_up_is_asked_once_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "s"
    asked = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def hang_up() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                asked.append(1)
                connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        assert not embedded.answers(path)
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert asked == [1]


def test_a_server_that_is_not_there_does_not_answer(tmp_path: Path) -> None:
    assert not embedded.answers(tmp_path / "none")
