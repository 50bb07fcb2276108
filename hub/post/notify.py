"""Mail by GOV.UK Notify: one template with ((subject)) and ((body)), our Message-ID as reference.
Text messages likewise: one template with ((text)).

Its own client library is not used: `docs/decisions/0007-notify-without-its-client.md`.
"""

import json
import time
from email.message import Message
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from joserfc import jwt
from joserfc.jwk import OctKey

from hub.errors import HubError, unavailable
from hub.settings import Settings

TIMEOUT_SECONDS = 8.0  # well inside a job's lease, for two requests
UUID_LENGTH = 36


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(
        self, _request: Request, _file: IO[bytes], _code: int, _message: str, _headers: Message,
        _url: str,
    ) -> None:  # fmt: skip
        """Follow none: the token is for Notify alone."""


_opener = build_opener(_NoRedirects)


def send(settings: Settings, *, to: str, subject: str, text: str, reference: str) -> None:
    """Have Notify send a mail, unless it already took one of this reference.

    Notify refuses no repeated reference itself, so it is asked first: a repeat after a crash is not
    sent twice, one that failed for a technical reason is.

    Raises:
        HubError: 422 `mail-recipient-refused` for an address that is none, 422 `mail-refused` for
            whatever else trying again does not mend; 503 where it may.
    """
    _once(
        settings,
        "email",
        {
            "email_address": to,
            "template_id": settings.notify_template,
            "personalisation": {"subject": subject, "body": text},
            "reference": reference,
        },
    )


def text_message(settings: Settings, *, to: str, text: str, reference: str) -> bool:
    """Have Notify send a text message, unless it already took one of this reference.

    Returns whether text messages are configured at all: without a key and a template none is sent.

    Raises:
        HubError: as `send` does.
    """
    if not settings.notify_api_key or not settings.notify_sms_template:
        return False
    _once(
        settings,
        "sms",
        {
            "phone_number": to,
            "template_id": settings.notify_sms_template,
            "personalisation": {"text": text},
            "reference": reference,
        },
    )
    return True


def _once(settings: Settings, kind: str, content: dict[str, Any]) -> None:
    if not content["template_id"]:
        raise _no_template()
    earlier = _ask(settings, f"/v2/notifications?reference={quote(content['reference'], safe='')}")
    notifications = earlier.get("notifications", [])
    if any(one.get("status") != "technical-failure" for one in notifications):
        return
    _ask(settings, f"/v2/notifications/{kind}", content)


def _no_template() -> HubError:
    return unavailable(
        "mail-misconfigured",
        "Set HUB_NOTIFY_TEMPLATE to the id of a template with ((subject)) and ((body)), and"
        " HUB_NOTIFY_URL, if at all, to a web address.",
    )


def _ask(settings: Settings, path: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
    base = settings.notify_url.rstrip("/")
    if urlsplit(base).scheme not in ("https", "http"):
        raise _no_template()
    request = Request(  # noqa: S310  # http or https, as was just looked at
        base + path,
        data=None if content is None else json.dumps(content).encode(),
        headers={
            "Authorization": f"Bearer {_token(settings.notify_api_key)}",
            "Content-Type": "application/json",
            "User-Agent": "missing-children-hub",
        },
    )
    try:
        with _opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            answer = json.load(response)
    except HTTPError as error:
        with error:
            raise _refusal(error) from None
    except (URLError, OSError, ValueError):
        raise unavailable("mail-server-away", "GOV.UK Notify cannot be reached.") from None
    return answer if isinstance(answer, dict) else {}


def _token(key: str) -> str:
    """Return the token of one request: a key ends in the service's UUID, a dash and the secret."""
    secret, service = key[-UUID_LENGTH:], key[-2 * UUID_LENGTH - 1 : -UUID_LENGTH - 1]
    if not service:
        raise unavailable("mail-misconfigured", "HUB_NOTIFY_API_KEY is not a key of GOV.UK Notify.")
    return jwt.encode(
        {"typ": "JWT", "alg": "HS256"},
        {"iss": service, "iat": int(time.time())},
        OctKey.import_key(secret),
        algorithms=["HS256"],
    )


def _refusal(error: HTTPError) -> HubError:
    """Return what an answer other than success means; never Notify's words."""
    if error.code in (401, 403):
        return unavailable("mail-login-refused", "GOV.UK Notify refused the hub's key.")
    if error.code in (408, 429):
        return unavailable("mail-busy", "GOV.UK Notify takes no more mails just now.")
    if not 400 <= error.code < 500:
        return unavailable("mail-server-away", "GOV.UK Notify failed.")
    try:
        problems = json.load(error).get("errors", [])
        of_address = any(
            name in one.get("message", "")
            for one in problems
            for name in ("email_address", "phone_number")
        )
    except (ValueError, AttributeError, OSError):
        of_address = False
    if error.code == 400 and of_address:
        return HubError("mail-recipient-refused", 422, "GOV.UK Notify refused the address.")
    return HubError("mail-refused", 422, "GOV.UK Notify refused the mail.")
