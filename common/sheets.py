"""Files that spreadsheets open."""

BOM = "\ufeff"  # or spreadsheets read UTF-8 as their own code page
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


class Echo:
    """What csv.writer writes to: hands each row back instead of keeping it."""

    def write(self, row: str) -> str:
        return row


def text_cell(text: str) -> str:
    """A text that a spreadsheet will not run as a formula: an apostrophe stands before what could start one."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
