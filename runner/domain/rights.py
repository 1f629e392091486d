"""Who may do what only some people may: the teams' word, or everybody who can use the command while no team says anything."""

from __future__ import annotations

from collections.abc import Mapping

from runner.domain.settings import Team
from runner.domain.who import Right


def holders(right: Right, teams: Mapping[str, Team]) -> tuple[str, ...] | None:
    """The people who have a right, in the order of the file; None for anybody, which holds until any team says `may:`."""
    if not any(team.may for team in teams.values()):
        return None
    members = (member for team in teams.values() if right in team.may for member in team.members)
    return tuple(dict.fromkeys(members))


def may(person: str, right: Right, teams: Mapping[str, Team]) -> bool:
    """Whether a person has a right."""
    found = holders(right, teams)
    return found is None or person in found


def holders_in_words(right: Right, teams: Mapping[str, Team]) -> str:
    """Who has a right, by team."""
    if holders(right, teams) is None:
        return "anybody who can use the command"
    told = [f"{', '.join(team.members)} ({team.name})" for team in teams.values() if right in team.may and team.members]
    return "; ".join(told) or f"nobody: no team with a member has may: [{right}]"


def team_with(right: Right, teams: Mapping[str, Team]) -> str | None:
    """The first team whose members have a right because it says so."""
    return next((team.name for team in teams.values() if right in team.may and team.members), None)
