"""Messages of protocol buffers that other programs write, by the few fields of them that are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SCALARS = ("double", "float", "int64", "int32", "uint64", "bool", "bytes")


def message_classes(package: str, schema: Mapping[str, str]) -> dict[str, Any]:
    """Classes that parse messages, by name; fields that the schema leaves out are skipped when a message is parsed.

    Texts are fields of ``bytes``: a name that is no UTF-8 shall not cost the record that it stands in.

    Args:
        package: A name for all of them.
        schema: By message its fields, separated by ``;``: name, number and type (a scalar or a message of the schema);
            ``*`` after the type for a repeated field, ``?`` for a member of the message's oneof, which can be asked
            whether it was there (``HasField``).

    Example:
        >>> made = message_classes("doc", {"Point": "x 1 float?; label 2 bytes", "Line": "points 3 Point*"})
        >>> line = made["Line"].FromString(bytes([0x1A, 5, 0x0D, 0, 0, 0, 0, 0x1A, 0]))
        >>> [point.HasField("x") for point in line.points]
        [True, False]
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto2")
    for name, fields in schema.items():
        message = file.message_type.add(name=name)
        for text in fields.split(";"):
            field_name, number, kind = text.split()
            repeated, optional, kind = kind.endswith("*"), kind.endswith("?"), kind.rstrip("*?")
            field = message.field.add(
                name=field_name,
                number=int(number),
                label=kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL,
            )
            if kind in _SCALARS:
                field.type = kinds.Type.Value(f"TYPE_{kind.upper()}")
            else:
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".{package}.{kind}"
            if optional:
                if not message.oneof_decl:
                    message.oneof_decl.add(name="one")
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in schema}
