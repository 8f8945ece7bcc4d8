//! Which room the diary of an address goes to.
//!
//! A diary's client proves nothing but that answers reach its address, and is shown what is written there. So an account
//! claims the one address that it asks from, where its own clients are too, for a while; and never loopback, which everybody
//! on the server's machine shares, and behind a proxy on it everybody else too.

use std::net::IpAddr;

use wharf_store::sql::{self, Lock, Row, Tx};
use wharf_types::api::account::AccountRole;
use wharf_types::api::journal::{ClaimDiary, DiaryAddress, DiaryShow};
use wharf_types::limit::DIARY_ADDRESSES_MAX;
use wharf_types::{AccountId, ErrorCode};

use crate::Ground;
use crate::access::{Right, enter, require_writer};
use crate::caller::Caller;
use crate::drive::RoomRef;
use crate::error::{Error, Result};

/// How long a claim holds.
const CLAIM_MS: i64 = 30 * 24 * 3_600_000;

pub(super) async fn claim(
    ground: &Ground,
    by: &Caller,
    room: RoomRef,
    request: &ClaimDiary,
) -> Result<DiaryAddress> {
    let by = *by;
    let account = by.account()?;
    let room = room.id(&by)?;
    let (asked, show) = (request.address, request.show);
    let claimed_ms = ground.clock.now_ms();
    ground
        .db
        .write(Lock::Global, move |tx| {
            enter(tx, &by, room, Right::Edit)?;
            let claim = DiaryAddress {
                address: claimable(&by, asked)?,
                room,
                show,
                claimed_ms,
                expires_ms: claimed_ms + CLAIM_MS,
            };
            check_free(tx, &claim, account)?;
            tx.exec(
                "INSERT INTO diary_address (address, account_id, room_id, show, claimed_ms, expires_ms) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (address) DO UPDATE SET \
                 account_id = excluded.account_id, room_id = excluded.room_id, show = excluded.show, \
                 claimed_ms = excluded.claimed_ms, expires_ms = excluded.expires_ms",
                &[
                    (&claim.address.to_string()).into(),
                    account.into(),
                    room.into(),
                    show_text(claim.show).into(),
                    claim.claimed_ms.into(),
                    claim.expires_ms.into(),
                ],
            )?;
            Ok(claim)
        })
        .await
}

/// The address that the caller may claim.
fn claimable(by: &Caller, asked: Option<IpAddr>) -> Result<IpAddr> {
    let own = by.origin().address.to_canonical();
    let address = asked.map_or(own, |address| address.to_canonical());
    if by.person()?.role == AccountRole::Operator {
        return Ok(address);
    }
    if address != own {
        return Err(Error::denied(
            "an address is claimed from there: log in on that device and claim it without naming it",
        ));
    }
    if address.is_loopback() {
        return Err(Error::denied(
            "everybody on the server's own machine has this address: only an operator may claim it",
        ));
    }
    Ok(address)
}

fn check_free(tx: &mut Tx<'_>, claim: &DiaryAddress, account: AccountId) -> Result<()> {
    let holder = tx.opt(
        "SELECT account_id FROM diary_address WHERE address = ?1 AND expires_ms > ?2",
        &[(&claim.address.to_string()).into(), claim.claimed_ms.into()],
        |row| row.id::<AccountId>(0),
    )?;
    match holder {
        Some(holder) if holder == account => return Ok(()),
        Some(_) => {
            return Err(Error::new(
                ErrorCode::Exists,
                "another account has claimed this address",
            ));
        }
        None => {}
    }
    let count = tx.one(
        "SELECT count(*) FROM diary_address WHERE account_id = ?1 AND expires_ms > ?2",
        &[account.into(), claim.claimed_ms.into()],
        |row| row.uint(0),
    )?;
    if count >= u64::from(DIARY_ADDRESSES_MAX) {
        return Err(Error::new(
            ErrorCode::TooLarge,
            format!("an account claims {DIARY_ADDRESSES_MAX} addresses at most"),
        ));
    }
    Ok(())
}

/// The addresses of an account whose claims hold.
pub(super) fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    now_ms: i64,
) -> sql::Result<Vec<DiaryAddress>> {
    tx.all(
        "SELECT address, room_id, show, claimed_ms, expires_ms FROM diary_address \
         WHERE account_id = ?1 AND expires_ms > ?2 ORDER BY address",
        &[account.into(), now_ms.into()],
        from_row,
    )
}

pub(super) async fn release(ground: &Ground, by: &Caller, address: IpAddr) -> Result<()> {
    let by = *by;
    let address = address.to_canonical().to_string();
    ground
        .db
        .write(Lock::Global, move |tx| {
            let person = require_writer(tx, &by)?;
            let released = if person.role == AccountRole::Operator {
                tx.exec(
                    "DELETE FROM diary_address WHERE address = ?1",
                    &[(&address).into()],
                )?
            } else {
                tx.exec(
                    "DELETE FROM diary_address WHERE address = ?1 AND account_id = ?2",
                    &[(&address).into(), person.account.into()],
                )?
            };
            if released == 0 {
                return Err(Error::not_found("you have not claimed this address"));
            }
            Ok(())
        })
        .await
}

fn from_row(row: &Row<'_>) -> sql::Result<DiaryAddress> {
    let address = row.text(0)?;
    Ok(DiaryAddress {
        address: address
            .parse()
            .map_err(|_| sql::Error::corrupt(format!("diary address {address:?}")))?,
        room: row.id(1)?,
        show: show_of(row.text(2)?)?,
        claimed_ms: row.int(3)?,
        expires_ms: row.int(4)?,
    })
}

const fn show_text(show: DiaryShow) -> &'static str {
    match show {
        DiaryShow::Diary => "diary",
        DiaryShow::All => "all",
    }
}

pub(super) fn show_of(text: &str) -> sql::Result<DiaryShow> {
    match text {
        "diary" => Ok(DiaryShow::Diary),
        "all" => Ok(DiaryShow::All),
        other => Err(sql::Error::corrupt(format!("diary show {other:?}"))),
    }
}
