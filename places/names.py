"""How place names are compared: without case, accents and punctuation, with “St” read as “Saint”."""

import re
import unicodedata

_LETTERS = str.maketrans(
    {"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"}
)
_SEPARATORS = re.compile(r"[\W_]+")
_SAINT = re.compile(r"\bst(e?)\b")


def key(name: str) -> str:
    """What two spellings of a name share: "St. Étienne", "saint-etienne" and "Saint Etienne" are one."""
    letters = unicodedata.normalize("NFKD", name.translate(_LETTERS)).casefold()
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _SAINT.sub(r"saint\1", _SEPARATORS.sub(" ", letters).strip())
