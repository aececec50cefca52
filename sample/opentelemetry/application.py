"""The sample application in Python: mocka, mockb and mockc are this one program, as they are one mock-service in Rust.

It names itself and appends what its upstream answers. The environment configures it: NAME, VERSION, LISTEN, for all but
the last of a chain UPSTREAM_URL, HTTP_PROXY, which the HTTP client honours in its usual meaning, and CONDITION, which is slow or
broken where one wants to see that.
"""

import os
import time

import flask
import requests
import waitress

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# Longer than Envoy's default route timeout of 15 s, so that the sidecar is the one to say what went wrong.
UPSTREAM_TIMEOUT_SECONDS = 20
THREADS = 32
# The sidecar keeps a connection for every request that was ever under way at once; at the limit, requests starve.
CONNECTIONS = 500
# A whole answer: head and body leave together, so that whoever dies has answered or has not, and can be replaced.
SEND_BYTES = 64 * 1024
SLOW_SECONDS = 1.5

name, version, listen = (os.environ[variable] for variable in ("NAME", "VERSION", "LISTEN"))
ip = listen.rpartition(":")[0]
upstream = os.environ.get("UPSTREAM_URL")
condition = os.environ.get("CONDITION")
client = requests.Session()
client.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=THREADS))
app = flask.Flask(__name__)
app.response_class.default_mimetype = "text/plain"


@app.get("/healthz")
def healthz():
    return "ok"


@app.route("/", defaults={"path": ""}, methods=METHODS)
@app.route("/<path:path>", methods=METHODS)
def answer(path):
    own = f"-> {name}(version: {version}, ip: {ip})"
    if condition == "slow":
        time.sleep(SLOW_SECONDS)
    if condition == "broken":
        return f"{own} is broken", 500
    if not upstream:
        return own
    try:
        call = client.request(flask.request.method, upstream, timeout=UPSTREAM_TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return f"{own}-> {upstream}: 502 {error}", 502
    if 200 <= call.status_code < 300:
        return own + call.text
    return f"{own}-> {upstream}: {call.status_code} {call.text}", call.status_code


if __name__ == "__main__":
    limits = {"threads": THREADS, "connection_limit": CONNECTIONS, "send_bytes": SEND_BYTES}
    server = waitress.create_server(app, listen=listen, **limits)
    print(f"listening on {listen}", flush=True)
    server.run()
