//! Plays the story on a new house.

mod contents;
mod days;
mod deeds;
mod journal;
mod people;

use std::collections::HashMap;

use anyhow::Context as _;
use wharf_core::{Caller, Clock, Origin, Random, Wharf};
use wharf_types::api::account::{CreateInvitation, Signup};
use wharf_types::{AccountId, DeviceId, RoomId};

use super::story::{self, Place, When};
use days::Days;
use journal::Desks;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// When the accounts were made: long enough ago that there are other years to look back to.
const BEGAN_DAYS_AGO: i64 = 1150;

/// What there is to see.
#[derive(Debug, Clone)]
pub(crate) struct Filled {
    /// Usernames and nicknames; the first one is the operator.
    pub(crate) people: Vec<(&'static str, &'static str)>,
    /// A code with which somebody else can make an account.
    pub(crate) invitation: String,
}

/// Fills a house that nobody has used and where anybody may sign up, up to `now_ms`. Everybody gets the same password.
///
/// `clock` is the house's own, and is left at `now_ms`.
///
/// # Errors
/// The house refuses something, or cannot write.
pub(crate) async fn fill(
    wharf: &Wharf,
    clock: &Clock,
    now_ms: i64,
    password: &str,
) -> anyhow::Result<Filled> {
    let days = Days::new(now_ms);
    let mut teller = Teller::begin(wharf, clock, days, password).await?;
    teller.meet().await?;
    teller.found().await?;
    teller.play().await?;
    teller.end().await?;
    clock.set_wall_ms(now_ms);
    let by = teller.known(0)?.caller;
    let invitation = wharf
        .accounts()
        .admin(&by)?
        .create_invitation(CreateInvitation {
            uses: 5,
            expires_seconds: None,
        })
        .await?;
    Ok(Filled {
        people: story::PEOPLE
            .iter()
            .map(|person| (person.username, person.nickname))
            .collect(),
        invitation: invitation.code.unwrap_or_default(),
    })
}

/// Somebody of the story who has an account.
struct Known {
    caller: Caller,
    account: AccountId,
    home: RoomId,
    device: DeviceId,
    /// The last number that the device used.
    number: u64,
}

struct Teller<'a> {
    wharf: &'a Wharf,
    clock: &'a Clock,
    random: Random,
    days: Days,
    people: Vec<Known>,
    groups: Vec<RoomId>,
    /// Direct rooms, by the two who are in them, the lesser number first.
    direct: HashMap<(usize, usize), RoomId>,
    /// The texts and files of each room, in their order.
    said: HashMap<RoomId, Vec<u64>>,
    desks: Desks,
}

impl<'a> Teller<'a> {
    async fn begin(
        wharf: &'a Wharf,
        clock: &'a Clock,
        days: Days,
        password: &str,
    ) -> anyhow::Result<Self> {
        clock.set_wall_ms(days.at(When::Day(BEGAN_DAYS_AGO, 9, 0)));
        let mut teller = Self {
            wharf,
            clock,
            random: Random::system(),
            days,
            people: Vec::new(),
            groups: Vec::new(),
            direct: HashMap::new(),
            said: HashMap::new(),
            desks: Desks::new(password),
        };
        let accounts = wharf.accounts();
        for (index, person) in story::PEOPLE.iter().enumerate() {
            let signup = Signup {
                username: person.username.to_owned(),
                password: password.to_owned(),
                email: None,
                nickname: Some(person.nickname.to_owned()),
                code: accounts.setup_code(),
                device: Some(if index == 0 { "Laptop" } else { "Phone" }.to_owned()),
            };
            let made = accounts.signup(signup, Origin::internal()).await?;
            teller.know(accounts, person, &made.token).await?;
        }
        Ok(teller)
    }

    fn known(&self, who: usize) -> anyhow::Result<&Known> {
        self.people
            .get(who)
            .context("the story has nobody of this number")
    }

    fn room(&self, who: usize, place: Place) -> anyhow::Result<RoomId> {
        match place {
            Place::Home => Ok(self.known(who)?.home),
            Place::In(group) => self.groups.get(group).copied().context("no such group"),
            Place::With(other) => self
                .direct
                .get(&(who.min(other), who.max(other)))
                .copied()
                .context("these two have no room"),
        }
    }
}
