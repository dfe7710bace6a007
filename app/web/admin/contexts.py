"""From what was read to the contexts of the pages about accounts."""

from collections.abc import Sequence

from app.study.accounts import AccountListed
from app.study.api_tokens import TokenListed
from app.study.invitations import Invited
from app.web.admin.pages import AccountDetail, AccountRow, Accounts, InvitationRow
from app.web.desk import frame, token_row
from app.web.signed_in import CurrentAccount

ACCOUNTS = "/admin/accounts"
INVITATIONS = "/admin/invitations"
SECTION = "accounts"


def accounts_page(
    account: CurrentAccount, listed: Sequence[AccountListed], invited: Sequence[Invited], done: str
) -> Accounts:
    """Return the list of accounts and of pending invitations."""
    return Accounts(
        title="Accounts",
        **frame(account, SECTION),
        accounts=tuple(map(_account_row, listed)),
        invitations=tuple(map(_invitation_row, invited)),
        done=done,
    )


def account_page(
    account: CurrentAccount, found: AccountListed, tokens: Sequence[TokenListed], done: str
) -> AccountDetail:
    """Return the page of one account."""
    row = _account_row(found)
    return AccountDetail(
        title=found.email,
        **frame(account, SECTION),
        account=row,
        number=found.id,
        own=found.id == account.who.account_id,
        has_password=found.has_password,
        tokens=tuple(token_row(token, f"{row.href}/tokens/{token.id}/revoke") for token in tokens),
        done=done,
    )


def _account_row(found: AccountListed) -> AccountRow:
    return AccountRow(
        href=f"{ACCOUNTS}/{found.id}",
        email=found.email,
        role=found.role,
        created_at=found.created_at,
        disabled=found.disabled_at is not None,
        last_signed_in_at=found.last_signed_in_at,
        n_sessions=found.n_sessions,
        n_tokens=found.n_tokens,
    )


def _invitation_row(invited: Invited) -> InvitationRow:
    return InvitationRow(
        href=f"{INVITATIONS}/{invited.id}",
        email=invited.email,
        role=invited.role,
        created_at=invited.created_at,
        expires_at=invited.expires_at,
        expired=invited.expired,
    )
