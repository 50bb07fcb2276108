"""Forms of the message contracts: one definition of a field, for API and page alike.

A contract's field says in `json_schema_extra` what a form needs beyond its type: `label`, `hint`,
`widget` (text, textarea, tel, email, select, or suggested: text for which the page has suggestions),
`width`, `labels` (of a closed list; of a text, what is suggested), `more` (shown under "Add more"),
`read` (what it is called to readers, where the label speaks to whoever fills it in), `hidden`
(never on a form), `asked` (of a field with a default: marked as needed), `offered` (of a
closed list, what a form offers). Nested models become fieldsets with dotted names. A list of models
becomes `rows` repeated fieldsets, each called `row`, with numbered names ("attendees.0.role"); one
more is shown when the form is posted with `more_rows` set to its name, and the page opens there.
"""

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Any, Literal, Union, cast, get_args, get_origin

from flask_babel import gettext
from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from hub.web import moments

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
    read: str = ""
    """What it is called where the answer is read."""
    extended: bool = False
    """One more row was asked for."""
    focus: bool = False
    """Whether the page opens at it: it is the first question of the row that was asked for."""
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
        found[-1].read = gettext(str(extra["read"])) if "read" in extra else found[-1].label
        row = _row_model(info)
        if row is not None:
            found[-1].extended = typed.get("more_rows") == name
            found[-1].row = gettext(str(extra.get("row", "")))
            found[-1].rows = [
                _row_fields(row, f"{name}.{index}.", typed, wrong)
                for index in range(_row_count(name, typed, int(cast(int, extra.get("rows", 1)))))
            ]
            found[-1].rows[-1][0].focus = found[-1].extended
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
    return min(MOST_ROWS, max(least, count + more, 1 + max(row_numbers(name, typed), default=-1)))


def row_numbers(name: str, typed: Mapping[str, str]) -> list[int]:
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
