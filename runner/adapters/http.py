"""The one HTTP client: no proxies from the environment, no redirects followed, certificates checked against the system's authorities."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from runner import __version__
from runner.adapters.asking import CannotAsk, NoAnswer

MOST_BODY = 64 * 1024  # bytes that are read of an answer


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a server answered; `text` is the beginning of the body, `seconds` how long it took up to there."""

    status: int
    text: str
    seconds: float


class HttpClient:
    """Asks a URL, within a time; safe to use from many threads.

    Proxies named in the environment are not used, so that an answer is always the server's own; redirects are answers and not followed.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic, authorities: str | None = None) -> None:
        """`authorities` names a file of certificate authorities to trust besides the system's."""
        logging.getLogger("httpx").setLevel(logging.WARNING)  # or it logs every address, and some are secrets
        trusted = ssl.create_default_context()
        if authorities:
            trusted.load_verify_locations(authorities)
        limits = httpx.Limits(
            max_connections=None, max_keepalive_connections=0
        )  # a fresh connection each time: that is part of the question
        self._client = httpx.Client(verify=trusted, trust_env=False, follow_redirects=False, limits=limits)
        self._monotonic = monotonic

    def get(
        self, url: str, *, within: float, headers: Mapping[str, str] | None = None, most: int = MOST_BODY
    ) -> HttpAnswer:
        """Ask with GET, and read at most so many bytes of the body.

        Raises NoAnswer when the server does not answer within that many seconds, CannotAsk for a URL that cannot be asked.
        """
        started = self._monotonic()
        try:
            sent = {"User-Agent": f"wellkept/{__version__}", "Connection": "close", **(headers or {})}
            with self._client.stream("GET", url, timeout=within, headers=sent) as response:
                text = self._body(response, ends=started + within, most=most)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise CannotAsk(f"{url!r} is no URL that can be asked: {error}") from error
        except httpx.TimeoutException as error:
            raise NoAnswer(f"no answer within {within:g} s") from error
        except httpx.HTTPError as error:
            raise _failure(error) from error
        return HttpAnswer(response.status_code, text, self._monotonic() - started)

    def close(self) -> None:
        """Close what is open."""
        self._client.close()

    def _body(self, response: httpx.Response, *, ends: float, most: int) -> str:
        """The beginning of the body; a server that sends it drop by drop is not waited for."""
        said = bytearray()
        for piece in response.iter_raw():
            said.extend(piece)
            if len(said) >= most:
                break
            if self._monotonic() > ends:
                raise httpx.ReadTimeout("the body came too slowly", request=response.request)
        return said[:most].decode("utf-8", errors="replace")


def _failure(error: httpx.HTTPError) -> Exception:
    words = str(error) or type(error).__name__
    if "Name or service not known" in words or "name resolution" in words or "No address associated" in words:
        return CannotAsk(f"its name cannot be resolved ({words})")
    if "Network is unreachable" in words:
        return CannotAsk("this machine has no network to it")
    return NoAnswer(words.removeprefix("[Errno 111] ").lower() if "[Errno" in words else words)
