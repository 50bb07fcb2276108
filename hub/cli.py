"""The command line: one command for each thing an operator does."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.clock import utcnow
from hub.errors import HubError
from hub.settings import Settings, get_settings

if TYPE_CHECKING:
    from directory.exchange import Plan
    from hub.db import Database
    from hub.identity.actor import Actor
    from hub.records.audit import Who

EX_TEMPFAIL = 75
"""What a mail server takes for "hand it in again later" (sysexits.h)."""

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Folder of the hub's own data on this machine (HUB_DATA_DIR; default .hub).",
)


def _settings(data_dir: Path | None) -> Settings:
    settings = get_settings()
    return settings.model_copy(update={"data_dir": data_dir}) if data_dir else settings


def _found(data_dir: Path | None) -> Settings:
    from hub.processes import find_servers

    return find_servers(_settings(data_dir))


def _database(data_dir: Path | None) -> "tuple[Settings, Database]":
    from hub.db import Database

    settings = _found(data_dir)
    return settings, Database(settings.database_url)


@contextmanager
def _opened(data_dir: Path | None) -> "Iterator[Database]":
    """Yield the database, and close its connections."""
    _, database = _database(data_dir)
    try:
        yield database
    finally:
        database.dispose()


def _operator() -> "Who":
    from hub.records.audit import Who

    return Who(kind="system", name="command line")


def _keeper() -> "Actor":
    """Return the operator as who keeps every entry of the directory."""
    from hub.identity.actor import Actor

    return Actor("system", name="command line", roles=frozenset({"national-administrator"}))


def _say(line: str) -> None:
    click.echo(line)


class _Group(click.Group):
    """Turns what went wrong into one plain sentence on stderr, and a non-zero exit."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except HubError as error:
            problems = " ".join(field.sentence for field in error.fields if field.sentence)
            sentence = error.sentence if error.sentence or not problems else problems
            click.echo(sentence, err=True)
            ctx.exit(1)
        except Exception as error:
            from sqlalchemy.exc import DBAPIError

            if isinstance(error, DBAPIError):
                click.echo(
                    "The database does not answer, or refused: nothing was changed.", err=True
                )
                ctx.exit(1)
            raise


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="missing-children-hub")
def main() -> None:
    """The Missing Children Hub: whom to call now, and who leads."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@data_dir_option
@click.option("--demo/--no-demo", default=False, help="Set up the EXERCISE and its sign-ins.")
def up(host: str, port: int, data_dir: Path | None, demo: bool) -> None:
    """Run the whole hub on this machine until Ctrl-C."""
    from hub.processes import Up

    settings = _settings(data_dir)
    settings = settings.model_copy(update={"data_dir": settings.data_dir.resolve()})
    Up(settings, host=host, port=port, demo=demo, say=_say).run()


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--workers",
    default=None,
    type=click.IntRange(1, 64),
    help="Processes; default one a core, up to four.",
)
@data_dir_option
def web(host: str, port: int, workers: int | None, data_dir: Path | None) -> None:
    """Serve the pages and the API."""
    import os

    from hub import processes

    if data_dir:
        os.environ["HUB_DATA_DIR"] = str(data_dir)
    processes.check_keys_or_kept(_found(data_dir), lambda line: click.echo(line, err=True))
    processes.web(host, port, workers)


@main.command()
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 64))
@data_dir_option
def worker(threads: int, data_dir: Path | None) -> None:
    """Do the jobs: mails and other deliveries."""
    import os

    from hub import processes

    if data_dir:
        os.environ["HUB_DATA_DIR"] = str(data_dir)
    processes.check_keys(_found(data_dir))
    processes.worker(threads)


@main.command()
@data_dir_option
def scheduler(data_dir: Path | None) -> None:
    """Run the clocks, the sweep and the sealing; of several, one leads."""
    from hub import logs, processes

    logs.configure()
    processes.scheduler(_found(data_dir))


@main.group()
def db() -> None:
    """The database's tables."""


@db.command("upgrade")
@data_dir_option
def db_upgrade(data_dir: Path | None) -> None:
    """Bring the tables to this version."""
    from hub.migrating import upgrade

    upgrade(_found(data_dir).owner_url)
    click.echo("The tables are current.")


@db.command("check")
@data_dir_option
def db_check(data_dir: Path | None) -> None:
    """Say whether the tables are this version's, and the keys this database's."""
    from hub.migrating import position
    from hub.records.keys import Keys

    settings, database = _database(data_dir)
    at = position(settings.owner_url)
    if at != "current":
        raise HubError(
            "database-" + at,
            503,
            "The tables are older than this hub: run `hub db upgrade`."
            if at == "behind"
            else "The tables are a newer hub's: run that one.",
        )
    with database.unit_of_work() as session:
        Keys.load(settings.keys_dir).check(session)
    click.echo("The tables are current, and the keys are this database's.")


@main.group()
def seed() -> None:
    """Reference data and the exercise."""


@seed.command("reference")
@data_dir_option
def seed_reference(data_dir: Path | None) -> None:
    """Read the nation: forces, units, districts, councils, published contacts."""
    from seed import reference

    _, database = _database(data_dir)
    with database.unit_of_work() as session:
        report = reference.load(session, utcnow())
    click.echo(str(report))


@seed.command("demo")
@data_dir_option
def seed_demo(data_dir: Path | None) -> None:
    """Set up the EXERCISE: fictional people, drama numbers, a case half-way and a placement."""
    from hub.records.keys import Keys
    from seed import demo as exercise

    settings, database = _database(data_dir)
    keys = Keys.load(settings.keys_dir)
    with database.unit_of_work() as session:
        exercise.load(session, keys, utcnow())
    for line in exercise.sign_in_lines(keys):
        click.echo(line)


@main.group()
def user() -> None:
    """People who sign in."""


@user.command("add")
@click.argument("email")
@click.option(
    "--organisation",
    required=True,
    help="Code or UUID of the organisation, such as kent or E09000019.",
)
@click.option(
    "--unit",
    default=None,
    help="Code or UUID of the unit, such as kent/east; default: the organisation's own.",
)
@click.option("--role", required=True, help="Role; several memberships: run this again.")
@click.option("--name", default=None, help="Name as colleagues see it; default: from the address.")
@click.option("--rank", default=None, help="Rank or job title.")
@click.option("--collar", default=None, help="Collar number.")
@click.option("--exercise", is_flag=True, help="A sign-in for exercises, never for actual cases.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@data_dir_option
def user_add(
    email: str,
    organisation: str,
    unit: str | None,
    role: str,
    name: str | None,
    rank: str | None,
    collar: str | None,
    exercise: bool,
    password_stdin: bool,
    data_dir: Path | None,
) -> None:
    """Add a person EMAIL, or a further membership of one; asks for a password unless given."""
    from hub.identity import people

    password = (
        sys.stdin.readline().rstrip("\n")
        if password_stdin
        else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    _, database = _database(data_dir)
    with database.unit_of_work() as session:
        people.add_person_with_membership(
            session,
            _operator(),
            email=email,
            name=name or email.partition("@")[0].replace(".", " ").title(),
            rank_or_role=rank,
            collar_number=collar,
            organisation=organisation,
            unit=unit,
            role=role,
            status="exercise" if exercise else "actual",
            password=password,
            now=utcnow(),
        )
    click.echo(f"{email} can sign in.")


@main.group()
def client() -> None:
    """Partner systems that use the API."""


@client.command("add")
@click.argument("name")
@click.option("--organisation", required=True, help="Code or UUID of the organisation.")
@click.option("--unit", default=None, help="Code or UUID of the unit that it answers for.")
@click.option(
    "--scope", required=True, help='Scopes, such as "directory:read cases:read cases:write".'
)
@data_dir_option
def client_add(
    name: str, organisation: str, unit: str | None, scope: str, data_dir: Path | None
) -> None:
    """Add a partner system NAME; prints its client_id, and its client_secret this once, as JSON."""
    from hub.identity import clients

    _, database = _database(data_dir)
    with database.unit_of_work() as session:
        client_id, secret = clients.add_client(
            session,
            _operator(),
            name=name,
            organisation=organisation,
            unit=unit,
            scopes=scope.split(),
            now=utcnow(),
        )
    click.echo(json.dumps({"client_id": client_id, "client_secret": secret}))


@main.group()
def mail() -> None:
    """Mails: what a mail server hands back."""


@mail.command("returned")
@data_dir_option
def mail_returned(data_dir: Path | None) -> None:
    """Read a returned message from standard input, and flag the address that it came back from.

    For a mail server's pipe. Exits 0 when it was dealt with, ignored ones included; 75, to be
    handed in again, while the database is away.
    """
    import messaging.actors  # noqa: F401  # whose mails may come back
    from directory import bounces
    from hub.post.returned import LARGEST
    from hub.presence import NO_ANSWER

    content = sys.stdin.buffer.read(LARGEST)
    _, database = _database(data_dir)
    try:
        with database.unit_of_work() as session:
            outcomes = bounces.take_returned(session, content, utcnow())
    except HubError as error:
        if error.code != "not-a-returned-mail":
            raise
        click.echo(f"Ignored: {error.sentence}")
    except NO_ANSWER:
        click.echo("The database does not answer: hand the message in again later.", err=True)
        raise SystemExit(EX_TEMPFAIL) from None
    else:
        for outcome in outcomes:
            click.echo(outcome.sentence)
    finally:
        database.dispose()


@main.group()
def directory() -> None:
    """The directory's contacts, out to a spreadsheet and in again."""


@directory.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--organisation", default=None, help="Code or UUID of one organisation, such as kent."
)
@data_dir_option
def directory_export(file: Path, organisation: str | None, data_dir: Path | None) -> None:
    """Write every contact to FILE as CSV, with an empty row for each unit that has none."""
    from directory import contact_csv, exchange
    from hub.errors import not_found
    from hub.organisations import find_organisation

    with _opened(data_dir) as database, database.unit_of_work() as session:
        found = find_organisation(session, organisation) if organisation else None
        if organisation and found is None:
            raise not_found(f"There is no organisation “{organisation}”.")
        rows = exchange.export(session, _keeper(), utcnow(), found.id if found else None)
    try:
        file.write_bytes(contact_csv.write(rows).encode())
    except OSError as error:
        raise HubError("file", 500, f"{file} cannot be written: {error.strerror}.") from None
    click.echo(f"{len(rows)} rows are in {file}.")


@directory.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--why", default=None, help="Reason, kept with every change.")
@data_dir_option
def directory_import(file: Path, dry_run: bool, why: str | None, data_dir: Path | None) -> None:
    """Take the changed rows of FILE, as `export` wrote it: all of them, or none."""
    from directory import contact_csv, exchange

    try:
        with file.open("rb") as opened:
            content = opened.read(contact_csv.MOST_BYTES + 1)
    except OSError as error:
        raise HubError("file", 422, f"{file} cannot be read: {error.strerror}.") from None
    rows = contact_csv.read(contact_csv.decode(content))
    with _opened(data_dir) as database:
        with database.unit_of_work() as session:
            plan = exchange.plan(session, _keeper(), rows, utcnow())
        _show(plan)
        if not dry_run and plan.differences:
            reason = why or f"imported from {file.name}"[:300]
            length, label = len(plan.differences), "Importing"
            with (
                click.progressbar(length=length, label=label, file=sys.stderr) as bar,
                database.unit_of_work() as session,
            ):
                exchange.apply(
                    session, _keeper(), rows, why=reason, now=utcnow(),
                    progress=lambda done, _all: bar.update(done - bar.pos),
                )  # fmt: skip
    click.echo(
        f"Additions: {plan.count('addition')}, changes: {plan.count('change')}, closings:"
        f" {plan.count('closing')}; rows that change nothing: {plan.unchanged}."
        + (" This was a dry run: nothing was written." if dry_run else "")
    )


def _show(plan: "Plan") -> None:
    """Print what a file would change, or refuse it with what is wrong in its rows."""
    for one in plan.differences:
        click.echo(f"Row {one.row}, {one.kind}: {one.unit.code}: {one.title}")
        for column, before, after in one.fields if one.kind == "change" else ():
            click.echo(f"    {column}: {before or '(nothing)'} → {after or '(nothing)'}")
        for doubt in one.doubts:
            click.echo(f"    {doubt}")
    if plan.problems:
        for problem in plan.problems:
            click.echo(str(problem), err=True)
        raise HubError("rows-refused", 422, f"Problems: {len(plan.problems)}. Nothing was changed.")


@main.group()
def audit() -> None:
    """The record of who looked, changed and disclosed."""


@audit.command("verify")
@data_dir_option
def audit_verify(data_dir: Path | None) -> None:
    """Prove that no record was altered, removed or reordered; names the first that was."""
    from hub.records import audit as records
    from hub.records.keys import Keys

    settings, database = _database(data_dir)
    keys = Keys.load(settings.keys_dir)
    with database.unit_of_work() as session:
        verification = records.verify(session, keys)
    click.echo(verification.sentence(), err=not verification.ok)
    if not verification.ok:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
