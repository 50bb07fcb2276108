"""What was typed in the form of a contract: read into it, and a document shown as if typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from flask_babel import gettext
from pydantic import BaseModel, ValidationError

from hub.errors import FieldProblem
from hub.web import moments
from hub.web.forms import FormField, Values, fields_of, row_numbers

Model = TypeVar("Model", bound=BaseModel)


@dataclass
class Parsed(Generic[Model]):
    """What a form held: the instance when all is well, and otherwise the problems by field."""

    instance: Model | None
    values: Values
    problems: dict[str, str]


def parse(
    model: type[Model], form: Mapping[str, str], *, leave_out: Sequence[str] = ()
) -> Parsed[Model]:
    """Read a form into its contract; keep what was typed, whatever is wrong with it."""
    values: Values = {}
    problems: dict[str, str] = {}
    document: dict[str, Any] = {}
    known: dict[str, FormField] = {}
    numbers: dict[str, list[int]] = {}
    for one in fields_of(model, form, leave_out=leave_out):
        known[one.name] = one
        if one.kind == "rows":
            numbers[one.name] = row_numbers(one.name, form)
            rows = _parse_rows(one, numbers[one.name], form, values, problems)
            if rows:
                _put(document, one.name, rows)
            known |= {cell.name: cell for cell in one.flat}
            continue
        for key in _inputs(one):
            if form.get(key, "").strip():
                values[key] = form[key].strip()
        try:
            value = _read(one, form)
        except ValueError as error:
            problems[one.name] = str(error)
            continue
        if value is not None:
            _put(document, one.name, value)
    instance = None
    try:
        instance = model.model_validate(document)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False):
            name = _name_of(_as_shown(item["loc"], numbers), known)
            if name not in problems:
                problems[name] = _sentence(
                    item["type"], item["msg"], known.get(name), item.get("ctx") or {}
                )
    return Parsed(instance if not problems else None, values, problems)


def _parse_rows(
    one: FormField,
    numbers: Sequence[int],
    form: Mapping[str, str],
    values: Values,
    problems: dict[str, str],
) -> list[dict[str, Any]]:
    """Read the rows in which something was typed; keep how many were shown, without the new one."""
    values[f"{one.name}-rows"] = str(len(one.rows) - one.extended)
    rows = []
    for number in numbers:
        document: dict[str, Any] = {}
        for cell in one.rows[number] if number < len(one.rows) else ():
            for key in _inputs(cell):
                if form.get(key, "").strip():
                    values[key] = form[key].strip()
            try:
                value = _read(cell, form)
            except ValueError as error:
                problems[cell.name] = str(error)
                continue
            if value is not None:
                document[cell.name.rsplit(".", 1)[-1]] = value
        rows.append(document)
    return rows


def _as_shown(
    loc: Sequence[int | str], numbers: Mapping[str, Sequence[int]]
) -> Sequence[int | str]:
    """Return where a problem is with the number of the row as it was shown."""
    for at, step in enumerate(loc):
        of = ".".join(map(str, loc[:at]))
        if isinstance(step, int) and of in numbers:
            return [*loc[:at], numbers[of][step], *loc[at + 1 :]]
    return loc


def as_shown(name: str, values: Mapping[str, str]) -> str:
    """Return a field's name as a form shows it, where rows left empty were not sent."""
    loc = [int(step) if step.isdecimal() else step for step in name.split(".")]
    lists = [key.removesuffix("-rows") for key in values if key.endswith("-rows")]
    try:
        shown = _as_shown(loc, {of: row_numbers(of, values) for of in lists})
    except IndexError:
        return name
    return ".".join(map(str, shown))


def typed_from(document: Mapping[str, Any], prefix: str = "") -> Values:
    """Return what a form shows for a document of a contract, as JSON has it: the inverse of `parse`."""
    values: Values = {}
    for key, value in document.items():
        name = f"{prefix}{key}"
        if value is None:
            continue
        if isinstance(value, Mapping):
            values |= typed_from(value, name + ".")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for index, row in enumerate(value):
                values |= typed_from(row, f"{name}.{index}.")
        elif isinstance(value, list):
            values[name] = "\n".join(str(part) for part in value)
        elif isinstance(value, bool):
            values[name] = "true" if value else "false"
        else:
            values[name] = str(value)
            values |= _moment_parts(name, str(value))
    return values


def _moment_parts(name: str, text: str) -> Values:
    """Return the inputs of a date or a moment, where the text is one."""
    try:
        if len(text) == len("2026-01-01"):
            day = date.fromisoformat(text)
            return {
                f"{name}-day": str(day.day),
                f"{name}-month": str(day.month),
                f"{name}-year": str(day.year),
            }
        if "T" in text:
            found = moments.parts(datetime.fromisoformat(text))
            return {f"{name}-{part}": value for part, value in found.items()}
    except ValueError:
        return {}
    return {}


def from_problems(fields: Sequence[FieldProblem], prefix: str = "/body") -> dict[str, str]:
    """Return problems that a service found, by the form's names."""
    return {
        item.pointer.removeprefix(prefix).strip("/").replace("/", "."): item.sentence
        for item in fields
    }


def _inputs(one: FormField) -> list[str]:
    if one.kind == "date":
        return [f"{one.name}-{part}" for part in ("day", "month", "year")]
    if one.kind == "datetime":
        return [f"{one.name}-date", f"{one.name}-time", f"{one.name}-zone"]
    return [one.name]


def _read(one: FormField, form: Mapping[str, str]) -> Any:
    """Return a field's value as a contract takes it, or None where nothing was typed.

    Raises:
        ValueError: what was typed cannot be read; its text is a sentence for the reader.
    """
    typed = [form.get(name, "").strip() for name in _inputs(one)]
    if not any(typed):
        return None
    if any("\0" in text for text in typed):
        raise ValueError(gettext("Remove the characters that cannot be kept"))
    if one.kind == "date":
        return _day(one, *typed)
    if one.kind == "datetime":
        return moments.read(one.label, *typed)
    if one.kind == "lines":
        return [line.strip() for line in typed[0].splitlines() if line.strip()]
    if one.options and {value for value, _ in one.options} == {"true", "false"}:
        return typed[0] == "true"
    return typed[0]


def _day(one: FormField, day: str, month: str, year: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise ValueError(
            gettext("%(label)s must be a real date, such as 27 3 2012", label=one.label)
        ) from None


def _put(document: dict[str, Any], name: str, value: Any) -> None:
    *path, last = name.split(".")
    for step in path:
        document = document.setdefault(step, {})
    document[last] = value


def _name_of(loc: Sequence[int | str], known: Mapping[str, FormField]) -> str:
    """Return the form's name of where pydantic found a problem."""
    steps = [str(step) for step in loc]
    while steps:
        name = ".".join(steps)
        if name in known:
            return name
        inside = [key for key in known if key.startswith(name + ".") and known[key].required]
        if inside:
            return inside[0]
        steps.pop()
    return next(iter(known), "")


def _sentence(kind: str, message: str, one: FormField | None, context: Mapping[str, Any]) -> str:
    label = one.label if one else ""
    if kind == "missing":
        if one and one.options and one.kind not in ("text", "lines", "suggested"):
            return gettext("Choose an answer for “%(label)s”", label=label)
        return gettext("Enter “%(label)s”", label=label)
    if kind == "string_too_long":
        return gettext(
            "“%(label)s” must be %(most)s characters or fewer",
            label=label,
            most=context.get("max_length"),
        )
    if kind == "string_too_short":
        return gettext("Enter “%(label)s”", label=label)
    if kind in ("literal_error", "enum"):
        return gettext("Choose one of the answers for “%(label)s”", label=label)
    if kind in ("int_parsing", "int_type"):
        return gettext("“%(label)s” must be a whole number", label=label)
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    return gettext("“%(label)s” cannot be used as it stands", label=label)
