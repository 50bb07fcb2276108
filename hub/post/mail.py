"""Mail over SMTP, or by GOV.UK Notify where its key is given: a reference and a link, and never
content of a case (DOMAIN.md 4.11).
"""

import re
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

from hub.errors import HubError, unavailable
from hub.post import notify
from hub.settings import Settings

TIMEOUT_SECONDS = 8.0  # well inside a job's lease, for a few round trips


@dataclass(frozen=True)
class Mail:
    """One plain-text mail; `message_id` is the same however often it is sent (see `message_id`).

    `calendar` is an iCalendar object and its method (RFC 6047), for clients that keep a diary.
    """

    to: str
    subject: str
    text: str
    message_id: str
    calendar: tuple[str, str] | None = None


def message_id(settings: Settings, key: UUID | str) -> str:
    """Return the Message-ID of the mail of a key, the same at every attempt (RFC 5322).

    The key is the id of the job that sends it, or what `dedupe_key` has of it.
    """
    domain = parseaddr(settings.mail_from)[1].rpartition("@")[2] or "localhost"
    return f"<{key}@{domain}>"


def dedupe_key(key: str) -> str:
    """Return the `dedupe_key` of the job whose mail has this key in its Message-ID."""
    return f"mail:{key}"


def send(settings: Settings, mail: Mail) -> None:
    """Hand a mail to GOV.UK Notify, or to the server that `smtp_url` names.

    `smtp://user:password@host:port`, with `?starttls=1` for TLS from the first command on, or
    `smtps://` for TLS from the first byte. User and password are percent-encoded.

    Raises:
        HubError: with a code that says why it was not taken, never the server's words:
            `mail-recipient-refused` when the address itself was refused for good.
    """
    if settings.notify_api_key:
        notify.send(
            settings, to=mail.to, subject=mail.subject, text=mail.text,
            reference=mail.message_id.strip("<>"),
        )  # fmt: skip
        return
    message = _message(settings, mail)
    try:
        with _connect(settings) as server:
            server.send_message(message, to_addrs=[mail.to])
    except smtplib.SMTPAuthenticationError:
        raise unavailable(
            "mail-login-refused", "The mail server refused the hub's sign-in."
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        raise _recipient(*error.recipients[mail.to]) from None
    except ssl.SSLError:
        raise unavailable(
            "mail-not-secure", "The mail server's certificate was not accepted."
        ) from None
    except (smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError):
        raise _away() from None
    except smtplib.SMTPException:
        raise unavailable("mail-refused", "The mail server refused the mail.") from None
    except OSError:
        raise _away() from None


def _recipient(code: int, words: bytes) -> HubError:
    """Return what a refusal at RCPT means: the mailbox's own fault, or not (RFC 5321, RFC 3463).

    A refusal for now (4xx, as of a greylist), or for the hub's or the server's sake (5.7.1, as of
    a relay that is denied), says nothing against the address.
    """
    if code < 500:
        return unavailable(
            "mail-recipient-deferred", "The mail server refused the mailbox for now."
        )
    status = re.match(rb"5\.(\d+)\.", words)
    if status and status[1] not in (b"1", b"2"):
        return unavailable("mail-refused", "The mail server refused the mail.")
    return unavailable("mail-recipient-refused", "The mail server refused the mailbox.")


def _message(settings: Settings, mail: Mail) -> EmailMessage:
    message = EmailMessage()
    try:
        message["From"] = settings.mail_from
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Message-ID"] = mail.message_id
    except ValueError:
        raise HubError(
            "mail-malformed", 422, "The mail's address or subject is not well-formed."
        ) from None
    message["Date"] = formatdate(usegmt=True)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(mail.text)
    if mail.calendar is not None:
        words, method = mail.calendar
        message.add_alternative(
            words, subtype="calendar", cte="base64",
            params={"method": method, "component": "VEVENT"},
        )  # fmt: skip
    return message


def _connect(settings: Settings) -> smtplib.SMTP:
    if not settings.smtp_url:
        raise unavailable("mail-not-configured", "No mail server is configured: set SMTP_URL.")
    try:
        url = urlsplit(settings.smtp_url)
        port = url.port
    except ValueError:
        raise _bad_address() from None
    if url.scheme not in ("smtp", "smtps") or not url.hostname:
        raise _bad_address()
    server: smtplib.SMTP
    if url.scheme == "smtps":
        context = ssl.create_default_context()
        server = smtplib.SMTP_SSL(
            url.hostname, port or 465, timeout=TIMEOUT_SECONDS, context=context
        )
    else:
        server = smtplib.SMTP(url.hostname, port or 25, timeout=TIMEOUT_SECONDS)
    try:
        if url.scheme == "smtp" and parse_qs(url.query).get("starttls", ["0"])[0] in (
            "1",
            "true",
            "yes",
        ):
            server.starttls(context=ssl.create_default_context())
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _away() -> HubError:
    return unavailable("mail-server-away", "The mail server cannot be reached.")


def _bad_address() -> HubError:
    return unavailable(
        "mail-misconfigured", "SMTP_URL is not an address like smtp://user:password@host:25."
    )
