"""Users' texts are filled in a sandbox that cannot be left, and that gives up what would never end."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import templating
from runner.templating import TemplateFailed, page, render

VALUES = {"inventory_hostname": "web-01", "items": [1, 2, 3], "nested": {"port": 8080}}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("https://{{ inventory_hostname }}/health", "https://web-01/health"),
        ("{{ nested.port + 1 }}", "8081"),
        ("{% for item in items %}{{ loop.index }}:{{ item }} {% endfor %}", "1:1 2:2 3:3 "),
        ("{{ missing | default('none') }}", "none"),
        ("{{ inventory_hostname | upper | replace('-', '_') }}", "WEB_01"),
        ("{{ inventory_hostname.split('-')[1] }}", "01"),
        ("{{ 'a' ~ 1 ~ 'b' }}", "a1b"),
        ("{{ items | join('-') }}", "1-2-3"),
        ("{{ '<b>' }}", "<b>"),
        ("{% set x = 2 %}{{ x * 3 }} {{ 7 % 4 }} {{ 2 ** 10 }} {{ 'ab' * 2 }}", "6 3 1024 abab"),
        ("{% for n in range(3) recursive %}{{ n }}{% endfor %}", "012"),
        ("{% macro greet(name) %}hello {{ name }}{% endmacro %}{{ greet('Ana') }}", "hello Ana"),
    ],
)
def test_a_text_is_filled_with_values(text: str, filled: str) -> None:
    assert render(text, VALUES) == filled


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{ nonsense }}", "'nonsense' is undefined"),
        ("{{ nested.nonsense }}", "has no attribute 'nonsense'"),
        ("{{ nonsense.deeper }}", "'nonsense' is undefined"),
        ("{{ unfinished", "line 1"),
        ("a\n{% for %}", "line 2"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ 'a' + 1 }}", "can only concatenate"),
        ("{{ 'a' | nonsense }}", "No filter named 'nonsense'"),
        ("{{ lookup('env', 'HOME') }}", "'lookup' is undefined"),
        ("{% include '/etc/passwd' %}", "no loader"),
    ],
)
def test_a_mistake_is_told_with_its_text(text: str, reason: str) -> None:
    with pytest.raises(TemplateFailed) as told:
        render(text, VALUES)

    assert "cannot be filled" in str(told.value)
    assert reason in str(told.value)


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ items.__class__ }}",
        "{{ render.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ self.__init__.__globals__ }}",
        "{{ items.append(4) }}",
        "{{ items.clear() }}",
        "{{ nested.update(a=1) }}",
        "{{ (items | map(attribute='__class__') | list)[0] }}",
        "{{ '{0.__class__}'.format(items) }}",
        "{{ items | attr('__class__') }}",
        "{% import 'os' as os %}",
    ],
)
def test_the_sandbox_cannot_be_left(text: str) -> None:
    values = {"items": [1, 2, 3], "nested": {"port": 8080}}

    with pytest.raises(TemplateFailed):
        render(text, values)

    assert values == {"items": [1, 2, 3], "nested": {"port": 8080}}


DOUBLING = "{% set ns = namespace(x='ab') %}{% for _ in range(60) %}SET{% endfor %}{{ ns.x }}"


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a in range(9999999999) %}{% endfor %}",
        "{% set r = range(99999) %}{% for a in r %}{% for b in r %}{% endfor %}{% endfor %}",
        "{{ range(99999) | list * 99999 }}",
        "{{ 'a' * 10 ** 9 }}",
        "{{ 10 ** (10 ** 10) }}",
        "{{ 10 ** -(10 ** 9) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ 'a'.ljust(10 ** 9) }}",
        "{{ 'a' | center(10 ** 9) }}",
        "{{ 'a'.join(range(99999) | map('upper')) }}",
        "{{ [['a' * 99999] * 99] * 99 }}",
        "{{ lipsum(n=100000) }}",
        DOUBLING.replace("SET", "{% set ns.x = ns.x ~ ns.x %}"),
        DOUBLING.replace("SET", "{% set ns.x = ns.x + ns.x %}"),
        DOUBLING.replace("SET", "{% set ns.x = ns.x * 2 %}"),
        DOUBLING.replace("SET", "{% set ns.x = ns.x | replace('a', 'aa') %}"),
        DOUBLING.replace("SET", "{% set ns.x = [ns.x, ns.x] | join %}"),
        DOUBLING.replace("SET", "{% set ns.x = [ns.x, ns.x] %}"),
        DOUBLING.replace("SET", "{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}"),
        DOUBLING.replace("SET", "{% set ns.x = {'a': ns.x, 'b': ns.x} %}"),
        "{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
        "{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}",
        "x" * 70_000,
    ],
)
@pytest.mark.timeout(30)
def test_a_text_that_would_grow_or_run_without_end_is_given_up(text: str) -> None:
    with pytest.raises(TemplateFailed):
        render(text, {})


@given(st.text(alphabet="{}%# abx0|~+*.()[]'", max_size=60))
def test_any_text_is_filled_or_refused_and_nothing_else(text: str) -> None:
    with contextlib.suppress(TemplateFailed):
        assert isinstance(render(text, {"a": "b", "x": [1, 2]}), str)


def test_values_in_our_own_pages_are_escaped_and_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "host.html").write_text("<p>{{ host }}</p>")
    monkeypatch.setattr(templating, "_PAGES", tmp_path)

    assert page("host.html", {"host": "<script>"}) == "<p>&lt;script&gt;</p>"
    with pytest.raises(TemplateFailed, match=r"host.html.*'host' is undefined"):
        page("host.html", {})
    with pytest.raises(TemplateFailed, match=r"nowhere.html"):
        page("nowhere.html", {})
