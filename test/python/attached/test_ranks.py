from __future__ import annotations

import pytest

from thawline.attached.ranks import refuse_other_ranks
from thawline.errors import UserError


@pytest.mark.parametrize("environ", [{}, {"WORLD_SIZE": "1", "RANK": "0"}, {"WORLD_SIZE": ""}, {"WORLD_SIZE": "many"}])
def test_one_process_may_attach(environ: dict[str, str]) -> None:
    refuse_other_ranks(environ, leads_ranks=False)
    refuse_other_ranks(environ, leads_ranks=True)


@pytest.mark.parametrize("environ", [{"WORLD_SIZE": "2", "RANK": "0"}, {"WORLD_SIZE": "4"}])
def test_rank_0_of_several_attaches_where_it_says_that_it_leads(environ: dict[str, str]) -> None:
    refuse_other_ranks(environ, leads_ranks=True)
    with pytest.raises(UserError, match=f"this is rank 0 of {environ['WORLD_SIZE']} processes") as caught:
        refuse_other_ranks(environ, leads_ranks=False)
    assert "in rank 0 alone, with `leads_ranks=True`" in caught.value.hint


def test_another_rank_never_attaches() -> None:
    for leads in (False, True):
        with pytest.raises(UserError, match="this is rank 1 of 2"):
            refuse_other_ranks({"WORLD_SIZE": "2", "RANK": "1"}, leads_ranks=leads)
