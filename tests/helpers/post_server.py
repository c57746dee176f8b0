"""An HTTP server in this process, in the place of a service that takes POST requests."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.helpers.support import POLL


class PostServer:
    """Serves on a free port until `close`. Subclasses say what it answers."""

    def __init__(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                answer = outer.answer_to(self.path, dict(self.headers), body)
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, payload = answer
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(payload))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(POLL,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer_to(self, path, headers, body):
        """Return status, headers and payload, or None to cut the connection."""
        raise NotImplementedError

    def close(self):
        self._server.shutdown()
        self._server.server_close()
