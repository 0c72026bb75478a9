"""Start README's study command without a browser, ask the server for a chapter, and stop it."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
CHAPTER, PORT, SECONDS = "04_deep_compression.ipynb", 8899, 120


def ask(token):
    url = f"http://127.0.0.1:{PORT}/api/contents/work/{CHAPTER}?token={token}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def main():
    token = os.urandom(12).hex()
    command = [sys.executable, "start.py", "study", "04", "--no-browser", "--port", str(PORT)]
    server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "JUPYTER_TOKEN": token}, start_new_session=True)
    try:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and server.poll() is None:
            try:
                cells = ask(token)["content"]["cells"]
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.5)
                continue
            pictures = sum("image/png" in o.get("data", {}) for c in cells for o in c.get("outputs", []))
            print(f"JupyterLab serves {CHAPTER}: {len(cells)} cells, {pictures} pictures")
            return 0
        print(f"JupyterLab did not serve {CHAPTER} within {SECONDS} s", file=sys.stderr)
        return 1
    finally:
        os.killpg(server.pid, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
