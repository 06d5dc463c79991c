"""A server on a real socket that answers in bytes given beforehand."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class ScriptedServer:
    """Answers the requests of each connection with bytes given beforehand, then closes it.

    - `url`: where it listens;
    - `requests`: what arrived, the connections apart.
    """

    def __init__(self, *connections: list[bytes]) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.requests: list[list[bytes]] = []
        self.closed = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._serve, args=(connections,), daemon=True)
        self._thread.start()

    def _serve(self, connections: tuple[list[bytes], ...]) -> None:
        for answers in connections:
            with suppress(OSError):
                connection, _ = self._listening.accept()
                self.requests.append([])
                with connection:
                    for answer in answers:
                        self.requests[-1].append(connection.recv(65536))
                        connection.sendall(answer)
            self.closed.release()

    def stop(self) -> None:
        """Listen no longer."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
