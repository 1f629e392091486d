from runner.domain.rights import holders, holders_in_words, may
from runner.domain.settings import Team
from runner.domain.who import Right

WEB = Team("web", ("ana", "bob"), (Right.APPROVE,))
OPS = Team("ops", ("cem",))
ON_CALL = Team("on-call", ("bob", "dora"), (Right.APPROVE, Right.OVERRIDE))


def teams(*several: Team) -> dict[str, Team]:
    return {team.name: team for team in several}


def test_while_no_team_says_may_anybody_may_do_anything() -> None:
    assert holders(Right.APPROVE, teams(OPS)) is None
    assert may("a stranger", Right.OVERRIDE, teams(OPS))
    assert holders_in_words(Right.APPROVE, teams(OPS)) == "anybody who can use the command"


def test_once_a_team_says_may_only_members_of_teams_with_that_right_have_it() -> None:
    found = teams(WEB, OPS, ON_CALL)

    assert holders(Right.APPROVE, found) == ("ana", "bob", "dora")
    assert [may(name, Right.OVERRIDE, found) for name in ("ana", "bob", "cem")] == [False, True, False]
    assert holders_in_words(Right.APPROVE, found) == "ana, bob (web); bob, dora (on-call)"


def test_a_right_that_no_team_has_is_nobodys_once_another_right_is_given() -> None:
    assert holders(Right.OVERRIDE, teams(WEB)) == ()
    assert holders_in_words(Right.OVERRIDE, teams(WEB)) == "nobody: no team with a member has may: [override]"
