"""Numbers and words of an enum, written so that JSON, YAML 1.1 and YAML 1.2 read the same value."""


def spell(value: int | float | bool | None) -> str:
    """The text of a constant that is no string."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    mantissa, mark, exponent = text.partition("e")
    if not mark:
        return text
    return f"{mantissa if '.' in mantissa else f'{mantissa}.0'}e{exponent}"  # YAML 1.1 knows no float without a point
