"""Files of causes: what a user's own messages mean."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from runner.config.fields import CausePattern, Text, Texts
from runner.config.models.shape import Shape
from runner.domain.tickets.cause import CauseClass, PlainWords, Rule, short_module

# Every class but those that Wellkept tells by itself: check_not_run, cancelled_by_us, unknown.
Cause = Literal[
    "unreachable",
    "login_refused",
    "host_key_changed",
    "privilege",
    "package_lock",
    "package_broken",
    "package_signature",
    "repository",
    "disk_full",
    "memory",
    "dns",
    "time_out",
    "service_did_not_start",
    "post_check_failed",
    "lost_after_reboot",
    "template_or_variable",
    "module_error",
]


class Words(Shape):
    """What people are told instead of our own words; `{host}`, `{service}` and `{package}` stand for the names."""

    happened: Text = Field(
        description="what happened", examples=["{host} could not get the updates: our proxy is down."]
    )
    means: Text = Field(
        description="what it means for the service", examples=["{service} keeps using {host} as it is."]
    )
    done: Text | None = Field(
        default=None, description="what was done; whether anything was changed is said in any case"
    )
    needed: Text = Field(description="what is needed, and from whom", examples=["The network team has to look at it."])

    def to_domain(self) -> PlainWords:
        """The words as the rest of the program knows them."""
        return PlainWords(self.happened, self.means, self.done or "", self.needed)


class CauseRule(Shape):
    """One message and the cause that it tells of."""

    cause: Cause = Field(description="the class", examples=["repository"])
    match: CausePattern = Field(
        description="a regular expression that is looked for in the message, whatever its case; `*` and `+` reach up to 100 characters",
        examples=[r"proxy\.example\.com.*502"],
    )
    module: Texts | None = Field(
        default=None, description="modules that tell it, one or a list; any when left out", examples=["apt"]
    )
    when: Literal["failed", "unreachable"] | None = Field(
        default=None, description="how the host ended; either when left out"
    )
    example: Texts = Field(
        description="a message as it was seen, or a list of them; each must match",
        examples=["Failed to fetch http://proxy.example.com:3128/x  502  Bad Gateway"],
    )
    words: Words | None = Field(default=None, description="what people are told; the words of the class when left out")

    def to_domain(self) -> Rule:
        """The rule as the rest of the program knows it."""
        return Rule(
            cause=CauseClass(self.cause),
            pattern=self.match,
            modules=tuple(short_module(name) for name in self.module or ()),
            results=(self.when,) if self.when else (),
            examples=tuple(self.example),
            words=self.words.to_domain() if self.words else None,
        )


class CausesFile(Shape):
    """What your own messages mean: rules that are asked before Wellkept's, in the order in which they stand."""

    causes: list[CauseRule] = Field(description="the rules; the first that matches names the cause")
