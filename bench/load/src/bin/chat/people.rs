//! Accounts and rooms of Wharf for the other works.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use wharf_client::Api;
use wharf_client::net::Options;
use wharf_types::RoomId;
use wharf_types::api::account::{AddAccount, Login};
use wharf_types::api::room::{CreateLink, CreateRoom, JoinRoom};

/// Accounts that are made at once: the server hashes two passwords at a time.
const AT_ONCE: usize = 8;
/// The password of everybody.
const PASSWORD: &str = "correct horse battery";

#[derive(clap::Args)]
pub(crate) struct Prepare {
    /// The operator's username.
    #[arg(long)]
    username: String,
    /// The operator's password.
    #[arg(long)]
    password: String,
    /// How many accounts, all of them members of one room.
    #[arg(long, default_value_t = 64)]
    accounts: usize,
}

/// What the works need to know.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct People {
    /// The room that everybody is in.
    pub(crate) room: RoomId,
    people: Vec<Person>,
}

/// Somebody who is logged in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) token: String,
    pub(crate) home: RoomId,
}

impl People {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read(path).with_context(|| path.display().to_string())?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// The person with this number; past the last one they begin again, each with one more connection.
    pub(crate) fn person(&self, number: usize) -> Result<&Person> {
        self.people
            .get(number % self.people.len().max(1))
            .context("nobody was prepared")
    }
}

/// A client with one connection of its own, as somebody.
pub(crate) async fn api(address: &str, token: &str) -> Result<Api> {
    Ok(connect(address).await?.with_token(token)?)
}

async fn connect(address: &str) -> Result<Api> {
    let mut options = Options::new(format!("http://{address}").parse()?);
    options.connections = 1;
    Api::connect(options).await.context("connecting")
}

/// Makes the accounts, logs them in, and lets them into one room by a link.
pub(crate) async fn prepare(address: &str, path: &Path, options: &Prepare) -> Result<Value> {
    let anybody = connect(address).await?;
    let operator = anybody
        .login(&login(&options.username, &options.password))
        .await
        .context("logging in")?;
    let operator = anybody.with_token(&operator.token)?;
    let room = operator
        .create_room(&CreateRoom {
            name: "everybody".to_owned(),
            ..CreateRoom::default()
        })
        .await
        .context("making the room")?
        .id;
    let code = link(&operator, room).await?;
    let mut making = JoinSet::new();
    let mut people = Vec::new();
    for number in 0..options.accounts {
        if making.len() >= AT_ONCE {
            people.push(making.join_next().await.context("nothing under way")???);
        }
        let (operator, address, code) = (operator.clone(), address.to_owned(), code.clone());
        making.spawn(async move { person(&operator, &address, &code, number).await });
    }
    while let Some(made) = making.join_next().await {
        people.push(made??);
    }
    people.sort_by_key(|(number, _)| *number);
    let people = People {
        room,
        people: people.into_iter().map(|(_, person)| person).collect(),
    };
    std::fs::write(path, serde_json::to_vec(&people)?)?;
    Ok(json!({ "accounts": people.people.len() }))
}

async fn person(
    operator: &Api,
    address: &str,
    code: &str,
    number: usize,
) -> Result<(usize, Person)> {
    let username = format!("p{number}");
    let add = AddAccount {
        username: username.clone(),
        password: Some(PASSWORD.to_owned()),
        ..AddAccount::default()
    };
    operator.admin_add_account(&add).await?;
    let anybody = connect(address).await?;
    let logged_in = anybody.login(&login(&username, PASSWORD)).await?;
    let api = anybody.with_token(&logged_in.token)?;
    join(&api, code).await?;
    let person = Person {
        token: logged_in.token,
        home: logged_in.account.home,
    };
    Ok((number, person))
}

fn login(username: &str, password: &str) -> Login {
    Login {
        login: username.to_owned(),
        password: password.to_owned(),
        device: Some("load".to_owned()),
    }
}

/// The code of a new link into a room.
pub(crate) async fn link(api: &Api, room: RoomId) -> Result<String> {
    let link = api
        .create_link(wharf_client::Room::Id(room), &CreateLink::default())
        .await
        .context("making a link")?;
    link.code.context("a link without a code")
}

pub(crate) async fn join(api: &Api, code: &str) -> Result<()> {
    let join = JoinRoom {
        code: code.to_owned(),
    };
    api.join_room(&join).await.context("joining")?;
    Ok(())
}
