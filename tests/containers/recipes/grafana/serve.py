"""Answer every request as Grafana's /api/health does."""

import signal
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"database": "ok"}')

    def log_message(self, *_):
        pass


# Without a handler of its own, the first process of a container ignores the signal.
signal.signal(signal.SIGINT, signal.default_int_handler)
with suppress(KeyboardInterrupt):
    ThreadingHTTPServer(("", 3000), Health).serve_forever()
