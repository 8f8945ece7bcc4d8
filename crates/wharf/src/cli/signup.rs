//! `wharf signup`: makes an account and logs in with it.

use wharf_types::api::account::Signup;

use super::login::{LoginArgs, keep};
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::prompt::{self, Asked, PasswordArgs};
use crate::session::open_api;

/// Make an account on a server, and log in with it
///
/// The first account of a server is its operator's and needs the one-time code that `wharf serve` prints. Later ones need
/// an invitation's code, where the server asks for one.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    login: LoginArgs,
    /// The server's one-time code, or an invitation's
    #[arg(long, env = "WHARF_CODE", hide_env_values = true, value_name = "CODE")]
    code: Option<String>,
    /// The username: letters, digits, '.', '_' and '-'
    #[arg(long, short, value_name = "NAME")]
    username: Option<String>,
    /// An e-mail address, which can be used to log in as well
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// The name shown to others, instead of the username
    #[arg(long, value_name = "NAME")]
    nickname: Option<String>,
    #[command(flatten)]
    password: PasswordArgs,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let server = self.login.address(context)?;
        let api = open_api(context, server.clone()).await?;
        let info = api.server().await?;
        let code = match self.code {
            None if info.needs_setup => prompt::text("One-time code that the server printed")?,
            code => code,
        };
        if info.needs_setup && code.is_none() {
            let failure = Failure::usage(
                "The first account needs the one-time code that the server printed",
            )
            .hint("Add --code CODE. The server prints it at each start until the account is made.");
            return Err(failure.into());
        }
        let username = match self.username {
            Some(username) => username,
            None => prompt::text("Username")?.ok_or_else(|| {
                Failure::usage("A username is needed").hint("Add --username NAME.")
            })?,
        };
        let asked = Asked {
            prompt: "Password",
            variable: "WHARF_PASSWORD",
            is_new: true,
        };
        let password = self.password.read(context, asked)?;
        let signup = Signup {
            username,
            password,
            email: self.email,
            nickname: self.nickname,
            code,
            device: Some(self.login.device(context)),
        };
        let logged_in = api.signup(&signup).await?;
        keep(context, &self.login, &server, &logged_in)?;
        context.output.result(&logged_in.account, |account| {
            format!(
                "Welcome, {}. Your number is {:06}. You are logged in to {server}.\n\
                 Put a folder on your drive with: wharf put FOLDER /",
                account.nickname, account.number
            )
        })?;
        Ok(Exit::Done)
    }
}
