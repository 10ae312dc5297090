"""The mapping file: which column fills which field (docs/imports.md describes it by example)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator, ValidationError

from imports.errors import MappingError
from imports.fields import BadValueError, Field, OpenFields, Reading
from imports.reading import Options

_COLUMN = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "column": {"type": "string", "minLength": 1},
        "columns": {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
        "join": {"type": "string"},
        "constant": {"type": "string"},
        "format": {"type": "string", "pattern": "%"},
        "decimal": {"enum": [".", ","]},
        "values": {"type": "object", "additionalProperties": {"type": "string"}},
        "default": {"type": "string"},
        "shift_months": {"type": "integer", "minimum": -6000, "maximum": 6000},
    },
    "oneOf": [{"required": ["column"]}, {"required": ["columns"]}, {"required": ["constant"]}],
    "dependentRequired": {"join": ["columns"]},
}
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["fields"],
    "properties": {
        "about": {"type": "string"},
        "file": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "delimiter": {"type": "string", "minLength": 1, "maxLength": 1, "pattern": '^[^\r\n"]$'},
                "encoding": {"type": "string", "minLength": 1},
                "sheet": {"type": "string", "minLength": 1},
            },
        },
        "fields": {"type": "object", "minProperties": 1, "additionalProperties": _COLUMN},
    },
}


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(SCHEMA)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a field's value comes from, in this file."""

    field: Field
    label: str  # the column or columns, as problems name them
    positions: tuple[int, ...]
    constant: str
    join: str
    reading: Reading
    values: dict[str, str]
    default: str

    def raw(self, cells: Sequence[str]) -> str:
        if not self.positions:
            return self.constant
        if len(self.positions) == 1:
            return cells[self.positions[0]]
        return self.join.join(cells[position] for position in self.positions if cells[position])

    def value(self, cells: Sequence[str]) -> Any:
        """Raises BadValueError."""
        raw = self.raw(cells)
        if self.values and raw:
            if raw not in self.values:
                raise BadValueError(
                    _("is not one of the mapping's values: %(known)s") % {"known": ", ".join(self.values)}
                )
            raw = self.values[raw]
        raw = raw or self.default
        if not raw:
            if self.field.required:
                raise BadValueError(_("is empty"))
            return self.field.empty
        if self.field.name == "external_id" and not all(cells[position] for position in self.positions):
            raise BadValueError(_("lacks a part of the id"))
        return self.field.read(raw, self.reading)


@dataclass(frozen=True, slots=True)
class Mapping:
    options: Options
    columns: dict[str, dict[str, Any]]
    fields: dict[str, Field]

    def bind(self, header: Sequence[str]) -> list[Source]:
        """The sources in a file with this header. Raises MappingError that names the columns there are."""
        wanted = {name for column in self.columns.values() for name in _names(column)}
        has = ", ".join(name for name in header if name)
        if missing := sorted(wanted - set(header)):
            raise MappingError(
                _("The file has no column “%(missing)s”. It has: %(has)s.")
                % {"missing": "”, “".join(missing), "has": has}
            )
        if twice := sorted(name for name, count in Counter(header).items() if count > 1 and name in wanted):
            raise MappingError(_("The file has the column “%(name)s” twice.") % {"name": "”, “".join(twice)})
        return [self._source(name, column, header) for name, column in self.columns.items()]

    def _source(self, name: str, column: dict[str, Any], header: Sequence[str]) -> Source:
        names = _names(column)
        return Source(
            field=self.fields[name],
            label=column.get("join", "").join(names) if names else name,
            positions=tuple(header.index(one) for one in names),
            constant=column.get("constant", ""),
            join=column.get("join", ""),
            reading=Reading(column.get("format", ""), column.get("decimal", ""), column.get("shift_months", 0)),
            values=column.get("values", {}),
            default=column.get("default", ""),
        )


def _names(column: dict[str, Any]) -> list[str]:
    return column.get("columns") or ([column["column"]] if "column" in column else [])


def read(mapping: Any, fields: Sequence[Field], open_fields: OpenFields | None = None) -> Mapping:
    """Check a mapping against the fields of its kind, and those that the vendor may name. Raises MappingError."""
    errors = sorted(_validator().iter_errors(mapping), key=lambda error: [str(step) for step in error.absolute_path])
    if errors:
        raise MappingError("\n".join(_said(error) for error in errors[:10]))
    columns = mapping["fields"]
    by_name = {field.name: field for field in fields}
    named = {name: open_fields.field(name) for name in columns if name not in by_name} if open_fields else {}
    if unknown := [name for name in columns if name not in by_name and named.get(name) is None]:
        known = [*by_name, *([f"{open_fields.prefix}…"] if open_fields else [])]
        raise MappingError(
            _("There is no field “%(unknown)s” here. The fields are: %(known)s.")
            % {"unknown": "”, “".join(unknown), "known": ", ".join(known)}
        )
    by_name |= {name: field for name, field in named.items() if field is not None}
    if missing := [field.name for field in fields if field.required and field.name not in columns]:
        raise MappingError(
            _("The mapping must say where “%(missing)s” comes from.") % {"missing": "”, “".join(missing)}
        )
    return Mapping(Options(**mapping.get("file", {})), columns, by_name)


def _said(error: ValidationError) -> str:
    where = ".".join(str(step) for step in error.absolute_path) or _("the mapping")
    if error.validator == "oneOf":
        return _("%(where)s: give exactly one of “column”, “columns” and “constant”.") % {"where": where}
    return f"{where}: {error.message}"
