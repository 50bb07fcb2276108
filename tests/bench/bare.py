"""The yardstick of a lookup: a bare Flask route that answers a small JSON, under the same server."""

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue


def create_app() -> Flask:
    """Return the smallest application that answers JSON."""
    app = Flask("bare")

    @app.get("/")
    def hello() -> ResponseReturnValue:
        return jsonify({"hello": "world", "number": 1, "list": [1, 2, 3]})

    return app
