"""Taking a file from a request: who may is asked first, then the file, then it is kept."""

from sqlalchemy.orm import Session

from hub.errors import HubError
from hub.web import context
from messaging import attachments
from messaging.attachments import Examined, Place


def examined(content: bytes, at: Place) -> Examined:
    """Return a file as it may be kept; a virus is put on record, and nothing kept.

    Raises:
        HubError: whatever `attachments.examine` raises.
    """
    try:
        return attachments.examine(content, context.runtime().settings.clamd)
    except HubError as error:
        if error.code == "attachment-infected":
            with context.database().unit_of_work() as session:
                attachments.note_infected(session, context.current_actor(), at, context.now())
        raise


def keep(session: Session, at: Place, file: Examined, label: attachments.Label) -> str:
    """Keep a file until a message takes it; return its id."""
    return str(
        attachments.stage(
            session, context.current_actor(), context.vault(), at, file, label, context.now()
        )
    )
