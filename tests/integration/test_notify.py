"""Mail by GOV.UK Notify reaches a real HTTP server that speaks its API, and its refusals are codes."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from hub.clock import utcnow
from hub.errors import HubError
from hub.post.mail import Mail, send
from hub.settings import Settings
from tests.conftest import POLL_SECONDS

SERVICE = "26785a09-ab16-4eb0-8407-a37497a57506"
SECRET = "3d844edf-8d35-48ac-975b-e847b4f122b0"  # of this test
TEMPLATE = "f33517ff-2a88-4f6e-b855-c550268ce08a"
MAIL = Mail(
    "team@example.org", "A subject", "A text\n\nhttps://hub.example.org/x\n", "<1@example.org>"
)


@dataclass
class Notify:
    """The part of Notify's API that the hub uses: it keeps what it took, and refuses when told to."""

    url: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    refuses: tuple[int, Any] | None = None
    tokens: list[str] = field(default_factory=list)


@pytest.fixture
def notify() -> Iterator[Notify]:
    here = Notify()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status: int, document: Any) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"{here.url}/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            here.tokens.append(self.headers["Authorization"])
            asked = parse_qs(urlsplit(self.path).query)["reference"]
            found = [one for one in here.taken if one["reference"] in asked]
            self.answer(200, {"notifications": found, "links": {}})

        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path not in ("/v2/notifications/email", "/v2/notifications/sms"):
                self.answer(404, {})
            elif here.refuses:
                self.answer(*here.refuses)
            else:
                here.taken.append({**given, "status": "created"})
                self.answer(201, {"id": "740e5834-3a29-46b4-9a6f-16142fde533a"})

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,))
    thread.start()
    yield here
    server.shutdown()
    thread.join()
    server.server_close()


def settings(notify: Notify, **more: str) -> Settings:
    given = {
        "notify_api_key": f"hub-{SERVICE}-{SECRET}", "notify_template": TEMPLATE,
        "notify_url": notify.url, "smtp_url": "smtp://127.0.0.1:9",
    }  # fmt: skip
    return Settings(**(given | more))


def test_a_mail_is_the_templates_subject_and_body_under_a_token_of_this_minute(
    notify: Notify,
) -> None:
    send(settings(notify), MAIL)
    assert notify.taken == [
        {
            "email_address": "team@example.org",
            "template_id": TEMPLATE,
            "personalisation": {"subject": MAIL.subject, "body": MAIL.text},
            "reference": "1@example.org",
            "status": "created",
        }
    ]
    token = notify.tokens[0].removeprefix("Bearer ")
    found = jwt.decode(token, OctKey.import_key(SECRET), algorithms=["HS256"])
    assert found.header == {"typ": "JWT", "alg": "HS256"}
    assert found.claims["iss"] == SERVICE
    assert abs(found.claims["iat"] - utcnow().timestamp()) < 30


def test_a_repeat_sends_no_second_mail_unless_the_first_failed_technically(notify: Notify) -> None:
    for _ in range(2):
        send(settings(notify), MAIL)
    assert len(notify.taken) == 1
    for status in ("permanent-failure", "temporary-failure", "delivered"):
        notify.taken[0]["status"] = status
        send(settings(notify), MAIL)
    assert len(notify.taken) == 1
    notify.taken[0]["status"] = "technical-failure"
    send(settings(notify), MAIL)
    assert len(notify.taken) == 2


def validation(message: str) -> dict[str, Any]:
    return {"status_code": 400, "errors": [{"error": "ValidationError", "message": message}]}


@pytest.mark.parametrize(
    ("status", "document", "code", "as_status"),
    [
        (400, validation("email_address Not a valid email address"), "mail-recipient-refused", 422),
        (400, validation("Missing personalisation: body"), "mail-refused", 422),
        (400, "no object", "mail-refused", 422),
        (404, {}, "mail-refused", 422),
        (403, {}, "mail-login-refused", 503),
        (429, {}, "mail-busy", 503),
        (500, {}, "mail-server-away", 503),
        (302, {}, "mail-server-away", 503),
    ],
)
def test_each_refusal_has_its_code(
    notify: Notify, status: int, document: Any, code: str, as_status: int
) -> None:
    notify.refuses = (status, document)
    with pytest.raises(HubError) as caught:
        send(settings(notify), MAIL)
    assert (caught.value.code, caught.value.status) == (code, as_status)
    assert caught.value.__cause__ is None
    assert notify.taken == []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"notify_url": "http://127.0.0.1:9"}, "mail-server-away"),
        ({"notify_url": "ftp://example.org"}, "mail-misconfigured"),
        ({"notify_template": ""}, "mail-misconfigured"),
        ({"notify_api_key": "short"}, "mail-misconfigured"),
    ],
)
def test_a_wrong_setting_has_its_code(notify: Notify, more: dict[str, str], code: str) -> None:
    with pytest.raises(HubError) as caught:
        send(settings(notify, **more), MAIL)
    assert caught.value.code == code


def test_the_key_is_taken_under_either_name_and_never_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NOTIFY_API_KEY", f"hub-{SERVICE}-{SECRET}")
    assert Settings().notify_api_key.endswith(SECRET)
    assert SECRET not in repr(Settings())
