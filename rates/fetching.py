"""The one thing that may leave the host, where `ECB_RATES_URL` says so: a request for a file of rates."""

import time
from typing import IO
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from django.utils.translation import gettext as _

from rates.errors import FetchError

TIMEOUT_SECONDS = 20  # without a byte
LONGEST_SECONDS = 120  # in all
BLOCK = 1 << 16


def fetch(url: str, into: IO[bytes], *, most: int) -> str:
    """Write what stands at `url` into a file, and return the file's name. Raises FetchError: nothing there, too slow, too
    large.
    """
    address = urlsplit(url)
    if address.scheme not in ("http", "https"):
        raise FetchError(_("ECB_RATES_URL is not a web address: %(url)s.") % {"url": url})
    ends, left = time.monotonic() + LONGEST_SECONDS, most
    request = Request(url, headers={"User-Agent": "partner-program"})  # noqa: S310  # checked above
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            while block := answer.read1(BLOCK):
                left -= len(block)
                if left < 0 or time.monotonic() > ends:
                    raise FetchError(_("The file at %(url)s is too large, or comes too slowly.") % {"url": url})
                into.write(block)
    except (URLError, OSError, ValueError) as error:
        raise FetchError(_("%(url)s did not give the rates: %(error)s.") % {"url": url, "error": error}) from error
    return address.path.rpartition("/")[2] or "eurofxref.xml"
