"""Does a URL answer with the status that it should."""

from __future__ import annotations

from runner.adapters.asking import CannotAsk, Variables
from runner.adapters.http import HttpClient
from runner.domain.health import Answer, Check
from runner.templating import TemplateFailed, render


def ask_http(check: Check, host: str, variables: Variables, *, client: HttpClient) -> Answer:
    """Ask the check's URL, filled for this host. Raises NoAnswer or CannotAsk."""
    said = client.get(_url(check, host, variables), within=check.within.total_seconds())
    return Answer(check.name, host, reached=True, text=said.text, status=said.status, seconds=said.seconds)


def _url(check: Check, host: str, variables: Variables) -> str:
    """The URL with `{{ inventory_hostname }}` and the host's connection variables filled in."""
    short = host.split(".", maxsplit=1)[0]
    known = {"ansible_host": host, **variables, "inventory_hostname": host, "inventory_hostname_short": short}
    try:
        return render(check.url or "", known)
    except TemplateFailed as error:
        raise CannotAsk(f"its url {error}") from error
