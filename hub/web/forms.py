"""Forms of the message contracts: one definition of a field, for API and page alike.

A contract's field says in `json_schema_extra` what a form needs beyond its type: `label`, `hint`,
`widget` (text, textarea, tel, email), `width`, `labels` (of a closed list; of a text, what is
suggested), `more` (shown under "Add more"), `hidden` (never on a form), `asked` (of a field with a
default: marked as needed), `offered` (of a closed list, what a form offers). Nested models become
fieldsets with dotted names. A list of models becomes `rows` repeated fieldsets, each called `row`,
with numbered names ("attendees.0.role"); one more is shown when the form is posted with `more_rows`
set to its name.
"""

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Any, Generic, Literal, TypeVar, Union, cast, get_args, get_origin

from flask_babel import gettext
from pydantic import AwareDatetime, BaseModel, ValidationError
from pydantic.fields import FieldInfo

from hub.errors import FieldProblem
from hub.web import moments

Model = TypeVar("Model", bound=BaseModel)
Values = dict[str, str]
MOST_ROWS = 30


@dataclass
class FormField:
    """One question of a form: what to show, what was typed, and what is wrong with it."""

    name: str
    label: str
    kind: str
    required: bool
    hint: str = ""
    width: int = 0
    options: list[tuple[str, str]] = field(default_factory=list)
    values: Values = field(default_factory=dict)
    error: str = ""
    more: bool = False
    group: str = ""
    audience: str = ""
    row: str = ""
    extended: bool = False
    """One more row was asked for."""
    rows: list[list["FormField"]] = field(default_factory=list)

    @property
    def flat(self) -> list["FormField"]:
        """The question and those of its rows, as an error's summary lists them."""
        return [self, *(one for row in self.rows for one in row)]

    @property
    def wanted(self) -> bool:
        """Whether it is to be seen at once: something is wrong in it, or it has a new row."""
        return self.extended or any(one.error for one in self.flat)

    @property
    def id(self) -> str:
        """The id of its (first) input."""
        return "f-" + self.name.replace(".", "-")

    @property
    def comes_twice(self) -> bool:
        """Whether what was typed is a time that comes twice, as the clocks go back."""
        return moments.comes_twice(self.values.get("date", ""), self.values.get("time", ""))

    @property
    def value(self) -> str:
        """What was typed, of a field of one part."""
        return self.values.get("", "")


@dataclass
class Parsed(Generic[Model]):
    """What a form held: the instance when all is well, and otherwise the problems by field."""

    instance: Model | None
    values: Values
    problems: dict[str, str]


def fields_of(
    model: type[BaseModel],
    values: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
    *,
    leave_out: Sequence[str] = (),
) -> list[FormField]:
    """Return the questions of a contract, required ones first, with what was typed."""
    typed = values or {}
    wrong = problems or {}
    found = []
    for name, info, group, needed in _walk(model, leave_out=leave_out):
        kind, options = _kind(info)
        extra = _extra(info)
        parts = {
            key.removeprefix(name).removeprefix("-"): value
            for key, value in typed.items()
            if key == name or key.startswith(name + "-")
        }
        found.append(
            FormField(
                name=name,
                label=gettext(
                    str(extra.get("label", name.rsplit(".", 1)[-1].replace("_", " ").capitalize()))
                ),
                kind=str(extra.get("widget", kind)),
                required=needed or bool(extra.get("asked")),
                hint=gettext(str(extra["hint"])) if extra.get("hint") else "",
                width=int(cast(int, extra.get("width", 0))),
                options=[(value, gettext(text)) for value, text in options],
                values=parts,
                error=wrong.get(name, ""),
                more=bool(extra.get("more")),
                group=gettext(group) if group else "",
                audience=str(extra.get("audience", "")),
            )
        )
        row = _row_model(info)
        if row is not None:
            found[-1].extended = typed.get("more_rows") == name
            found[-1].row = gettext(str(extra.get("row", "")))
            found[-1].rows = [
                _row_fields(row, f"{name}.{index}.", typed, wrong)
                for index in range(_row_count(name, typed, int(cast(int, extra.get("rows", 1)))))
            ]
    found.sort(key=lambda one: one.more)
    return found


def _row_fields(
    row: type[BaseModel], prefix: str, typed: Mapping[str, str], wrong: Mapping[str, str]
) -> list[FormField]:
    """Return the questions of one row, under its numbered names."""
    fields = fields_of(row, *({k.removeprefix(prefix): v for k, v in given.items()
                               if k.startswith(prefix)} for given in (typed, wrong)))  # fmt: skip
    for one in fields:
        one.name = prefix + one.name
    return fields


def _row_count(name: str, typed: Mapping[str, str], least: int) -> int:
    """Return how many rows to show: those typed in, and as many as were shown before."""
    shown = typed.get(f"{name}-rows", "")
    count = int(shown) if shown.isdecimal() and len(shown) < 4 else 0
    more = 1 if typed.get("more_rows") == name else 0
    return min(MOST_ROWS, max(least, count + more, 1 + max(_row_numbers(name, typed), default=-1)))


def _row_numbers(name: str, typed: Mapping[str, str]) -> list[int]:
    """Return the numbers of the rows in which something was typed, in order."""
    found = set()
    for key, value in typed.items():
        number = key.removeprefix(f"{name}.").partition(".")[0]
        if key.startswith(f"{name}.") and value.strip() and number.isdecimal() and len(number) < 4:
            found.add(int(number))
    return sorted(number for number in found if number < MOST_ROWS)


def _row_model(info: FieldInfo) -> type[BaseModel] | None:
    """Return the model of a list's rows, or None where it is no list of models."""
    inner = _bare(info.annotation)
    of = next(iter(get_args(inner)), None) if get_origin(inner) is list else None
    return of if isinstance(of, type) and issubclass(of, BaseModel) else None


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
            numbers[one.name] = _row_numbers(one.name, form)
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
    """Read the rows in which something was typed; keep how many were shown."""
    values[f"{one.name}-rows"] = str(len(one.rows))
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
        shown = _as_shown(loc, {of: _row_numbers(of, values) for of in lists})
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


def _extra(info: FieldInfo) -> dict[str, Any]:
    return info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}


def _walk(
    model: type[BaseModel],
    prefix: str = "",
    group: str = "",
    needed: bool = True,
    leave_out: Sequence[str] = (),
) -> Iterator[tuple[str, FieldInfo, str, bool]]:
    for name, info in model.model_fields.items():
        full = prefix + name
        extra = _extra(info)
        if extra.get("hidden") or full in leave_out:
            continue
        inner = _bare(info.annotation)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            label = str(extra.get("label", name.replace("_", " ").capitalize()))
            yield from _walk(inner, full + ".", label, needed and info.is_required(), leave_out)
        else:
            yield full, info, group, needed and info.is_required()


def _bare(annotation: Any) -> Any:
    """Return the type without its None and its metadata."""
    if get_origin(annotation) in (Union, types.UnionType):
        kept = [part for part in get_args(annotation) if part is not type(None)]
        return _bare(kept[0]) if len(kept) == 1 else annotation
    if hasattr(annotation, "__metadata__"):
        return _bare(annotation.__origin__)
    return getattr(annotation, "__value__", annotation)


def _kind(info: FieldInfo) -> tuple[str, list[tuple[str, str]]]:
    inner = _bare(info.annotation)
    labels = cast(Mapping[str, str], _extra(info).get("labels", {}))
    if get_origin(inner) is Literal:
        offered = cast(Sequence[str], _extra(info).get("offered", get_args(inner)))
        choices = [str(value) for value in offered]
        return _closed(choices, labels)
    if isinstance(inner, type) and issubclass(inner, Enum):
        return _closed([str(one.value) for one in inner], labels)
    if inner is bool:
        return "radios", [("true", "Yes"), ("false", "No")]
    if inner in (datetime, AwareDatetime):
        return "datetime", []
    if inner is date:
        return "date", []
    if inner is int:
        return "number", []
    if _row_model(info) is not None:
        return "rows", []
    if get_origin(inner) in (list, tuple):
        return "lines", list(labels.items())
    return "text", list(labels.items())


def _closed(choices: list[str], labels: Mapping[str, str]) -> tuple[str, list[tuple[str, str]]]:
    options = [
        (value, labels.get(value, value.replace("-", " ").capitalize())) for value in choices
    ]
    return ("radios" if len(options) <= 8 else "select"), options


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
        if one and one.options and one.kind not in ("text", "lines"):
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
