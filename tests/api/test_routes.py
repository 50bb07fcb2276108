"""Every route says who may use it; an unknown one tells nobody anything."""

from flask import Flask

from hub.web.guards import Guard


def test_every_route_declares_its_guard(app: Flask) -> None:
    undeclared = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if not isinstance(getattr(app.view_functions[rule.endpoint], "hub_guard", None), Guard)
    ]
    # Flask's own file route serves the style sheets of the case pages.
    assert [name for name in undeclared if not name.endswith(".static")] == []


def test_signed_in_pages_send_strangers_to_sign_in(app: Flask) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        guard = getattr(app.view_functions[rule.endpoint], "hub_guard", None)
        if guard is None or guard.kind not in ("signed-in", "permission"):
            continue
        if "GET" not in (rule.methods or ()) or rule.arguments:
            continue
        reply = client.get(rule.rule)
        assert reply.status_code == 302, rule.rule
        assert "/sign-in?next=" in reply.headers["Location"]


def test_pages_cannot_be_framed_or_scripted(app: Flask) -> None:
    reply = app.test_client().get("/sign-in")
    policy = reply.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert reply.headers["Cache-Control"] == "no-store"
    assert b"<script>" not in reply.data


def test_a_form_that_was_open_too_long_says_what_to_do(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    reply = app.test_client().post("/sign-in", data={"email": "somebody@example.org"})
    assert reply.status_code == 400
    assert "reload the page" in reply.text
