//! Accounts of the server, through its API.

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use wharf_client::Api;
use wharf_client::net::Options;
use wharf_types::api::account::{Account, AddAccount, Login};

/// Accounts that are made at once: the server hashes two passwords at a time.
const AT_ONCE: usize = 8;
/// The password of everybody who is made here.
const PASSWORD: &str = "correct horse battery";

/// The server, and its operator.
#[derive(Clone, clap::Args)]
pub(crate) struct Server {
    /// The URL of the API.
    #[arg(long = "server")]
    pub(crate) url: String,
    /// The operator's username.
    #[arg(long)]
    pub(crate) username: String,
    /// The operator's password.
    #[arg(long)]
    pub(crate) password: String,
}

/// Somebody who is logged in.
pub(crate) struct Person {
    pub(crate) api: Api,
    pub(crate) token: String,
    pub(crate) account: Account,
}

impl Server {
    pub(crate) async fn operator(&self) -> Result<Person> {
        self.log_in(&self.username, &self.password).await
    }

    async fn log_in(&self, username: &str, password: &str) -> Result<Person> {
        let mut options = Options::new(self.url.parse()?);
        options.connections = 1;
        let anybody = Api::connect(options).await.context("connecting")?;
        let login = Login {
            login: username.to_owned(),
            password: password.to_owned(),
            device: Some("load".to_owned()),
        };
        let logged_in = anybody.login(&login).await.context("logging in")?;
        Ok(Person {
            api: anybody.with_token(&logged_in.token)?,
            token: logged_in.token,
            account: logged_in.account,
        })
    }

    /// Makes this many accounts and logs them in.
    pub(crate) async fn members(&self, count: usize) -> Result<Vec<Person>> {
        let operator = self.operator().await?.api;
        let mut making = JoinSet::new();
        let mut members = Vec::new();
        for number in 0..count {
            if making.len() >= AT_ONCE {
                members.push(making.join_next().await.context("nothing under way")???);
            }
            let (server, operator) = (self.clone(), operator.clone());
            making.spawn(async move { server.member(&operator, number).await });
        }
        while let Some(made) = making.join_next().await {
            members.push(made??);
        }
        Ok(members)
    }

    async fn member(&self, operator: &Api, number: usize) -> Result<Person> {
        let add = AddAccount {
            // Of its own in each run on the same server.
            username: format!("p{number}-{:08x}", rand::random::<u32>()),
            password: Some(PASSWORD.to_owned()),
            ..AddAccount::default()
        };
        operator.admin_add_account(&add).await?;
        self.log_in(&add.username, PASSWORD).await
    }
}
