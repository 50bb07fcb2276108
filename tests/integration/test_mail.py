"""Mail reaches a real SMTP server, the same at every attempt, and its refusals are codes."""

import socket
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP

from hub.db import new_id
from hub.errors import HubError
from hub.post import catcher as catcher_module
from hub.post.catcher import Catcher
from hub.post.mail import Mail, message_id, send
from hub.settings import Settings


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[Catcher]:
    """A running catcher over a folder of its own."""
    with Catcher(tmp_path / "mail") as running:
        yield running


def _settings(url: str) -> Settings:
    return Settings(smtp_url=url, mail_from="Missing Children Hub <hub@example.org>")


def _mail(**changes: str) -> Mail:
    fields = {
        "to": "missing.team@example.org",
        "subject": "MC-7K3Q-9XJ2 needs your answer",
        "text": "A message waits for you – at\nhttps://hub.example.org/cases/MC-7K3Q-9XJ2\n",
        "message_id": "<1@example.org>",
    }
    return Mail(**(fields | changes))


def _caught(catcher: Catcher) -> list[EmailMessage]:
    files = sorted(catcher.folder.glob("*.eml"))
    return [message_from_bytes(file.read_bytes(), policy=default) for file in files]


def test_a_mail_is_plain_text_and_marked_automatic(catcher: Catcher) -> None:
    send(_settings(catcher.url), _mail())
    (mail,) = _caught(catcher)
    assert mail["To"] == "missing.team@example.org"
    assert mail["From"] == "Missing Children Hub <hub@example.org>"
    assert mail["Subject"] == "MC-7K3Q-9XJ2 needs your answer"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"]
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n") == _mail().text


def test_a_repeat_carries_the_same_message_id(catcher: Catcher) -> None:
    settings, job_id = _settings(catcher.url), new_id()
    assert message_id(settings, job_id) == f"<{job_id}@example.org>"
    for _ in range(2):
        send(settings, _mail(message_id=message_id(settings, job_id)))
    one, other = _caught(catcher)
    assert one["Message-ID"] == other["Message-ID"] == f"<{job_id}@example.org>"


def test_a_caught_mail_has_a_readable_name_and_no_half_stands(catcher: Catcher) -> None:
    send(_settings(catcher.url), _mail())
    (file,) = catcher.folder.iterdir()
    assert file.name.endswith("Z-missing.team@example.org-MC-7K3Q-9XJ2-needs-your-answer.eml")


@pytest.mark.parametrize("to", ["a@example.org\r\nBcc: b@example.org", "a@example.org\nX: y"])
def test_a_mailbox_cannot_add_headers(catcher: Catcher, to: str) -> None:
    with pytest.raises(HubError) as caught:
        send(_settings(catcher.url), _mail(to=to))
    assert caught.value.code == "mail-malformed"
    assert _caught(catcher) == []


def _refusal(url: str) -> str:
    with pytest.raises(HubError) as caught:
        send(_settings(url), _mail())
    assert caught.value.status == 503
    assert "Example" not in caught.value.sentence
    assert caught.value.__cause__ is None
    return caught.value.code


def test_each_fault_of_the_server_has_its_code(catcher: Catcher) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert _refusal(f"smtp://127.0.0.1:{free.getsockname()[1]}") == "mail-server-away"
    assert _refusal("") == "mail-not-configured"
    for wrong in ("http://127.0.0.1", "smtp://", "smtp://127.0.0.1:port"):
        assert _refusal(wrong) == "mail-misconfigured"
    assert _refusal(catcher.url + "?starttls=1") == "mail-refused"
    assert _refusal(catcher.url.replace("//", "//user:p%40ss@")) == "mail-refused"
    assert _refusal(catcher.url.replace("smtp:", "smtps:")) in (
        "mail-not-secure",
        "mail-server-away",
    )


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("550 5.1.1 Alex Example is unknown", "mail-recipient-refused"),
        ("550 Alex Example is unknown", "mail-recipient-refused"),
        ("552 5.2.2 Alex Example's mailbox is full", "mail-recipient-refused"),
        ("451 4.7.1 Later", "mail-recipient-deferred"),
        ("554 5.7.1 Relay access denied", "mail-refused"),
    ],
)
def test_a_refused_mailbox_is_told_without_the_servers_words(
    catcher: Catcher, monkeypatch: pytest.MonkeyPatch, reply: str, code: str
) -> None:
    async def refuse(self: SMTP, _argument: str) -> None:
        await self.push(reply)

    monkeypatch.setattr(SMTP, "smtp_RCPT", refuse)
    assert _refusal(catcher.url) == code


def test_a_mail_that_cannot_be_written_is_not_answered_as_taken(
    catcher: Catcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(catcher_module, "_write", full)
    assert _refusal(catcher.url) == "mail-refused"


def test_a_taken_port_is_one_sentence(catcher: Catcher, tmp_path: Path) -> None:
    with pytest.raises(HubError) as caught:
        Catcher(tmp_path / "other", port=catcher.port).start()
    assert caught.value.code == "mail-port"
