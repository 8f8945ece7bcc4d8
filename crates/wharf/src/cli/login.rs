//! `wharf login`: opens a session and keeps it.

use std::net::Ipv4Addr;

use anyhow::Context as _;
use url::Url;
use wharf_types::ErrorCode;
use wharf_types::api::account::{LoggedIn, Login};

use crate::config::server::PORT_DEFAULT;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::profile::Profile;
use crate::prompt::{self, Asked, PasswordArgs};
use crate::session::{find_profile, open_api, parse_address, profile_name};

/// Log in to a server
///
/// The session is kept for later commands, in a file that only you can read, until `wharf logout`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    login: LoginArgs,
    /// Username, six-digit number or e-mail address
    #[arg(long, short, value_name = "NAME")]
    username: Option<String>,
    #[command(flatten)]
    password: PasswordArgs,
}

/// Which server to log in to, and under what names.
#[derive(Debug, clap::Args)]
pub(super) struct LoginArgs {
    /// The server's address, such as `https://wharf.example.org`; this machine's when it is left out
    #[arg(value_name = "SERVER")]
    address: Option<String>,
    /// What to call this server in --server; its host and port when it is left out
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What to call this device in `wharf devices`; the machine's name when it is left out
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
}

impl LoginArgs {
    /// The address that was given, or that of a server known by that name, or this machine's.
    pub(super) fn address(&self, context: &Context) -> anyhow::Result<Url> {
        let configured = context.config()?.file.client.server;
        let Some(meant) = self
            .address
            .clone()
            .or_else(|| context.global.server.clone())
            .or(configured)
        else {
            return Ok(parse_address(&format!(
                "http://{}:{PORT_DEFAULT}",
                Ipv4Addr::LOCALHOST
            ))?);
        };
        if let Some(name) = find_profile(context, &meant)?
            && let Some(profile) = context.profiles()?.get(&name)?
        {
            return Ok(parse_address(&profile.url)?);
        }
        Ok(parse_address(&meant)?)
    }

    /// What to call this device.
    pub(super) fn device(&self, context: &Context) -> String {
        let named = self.device.clone().filter(|name| !name.trim().is_empty());
        let machine = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let variable = || context.environment.text("HOSTNAME").ok().flatten();
        named
            .or_else(machine)
            .or_else(variable)
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "command line".to_owned())
    }
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let server = self.login.address(context)?;
        let api = open_api(context, server.clone()).await?;
        let known = find_profile(context, server.as_str())?;
        let known = known
            .map(|name| context.profiles()?.get(&name))
            .transpose()?
            .flatten();
        let username = match (self.username, known) {
            (Some(username), _) => username,
            (None, Some(known)) => known.username,
            (None, None) => {
                prompt::text("Username, number or e-mail address")?.ok_or_else(|| {
                    Failure::usage("A username is needed").hint("Add --username NAME.")
                })?
            }
        };
        let asked = Asked {
            prompt: "Password",
            variable: "WHARF_PASSWORD",
            is_new: false,
        };
        let password = self.password.read(context, asked)?;
        let device = Some(self.login.device(context));
        let logged_in = api
            .login(&Login { login: username.clone(), password, device })
            .await
            .map_err(|error| {
                let is_wrong = error.is(ErrorCode::Unauthenticated);
                let error = anyhow::Error::from(error);
                if is_wrong {
                    let hint = "Check the username and the password. The operator can give you a new password \
                                with `wharf admin user reset`.";
                    error.context(Failure::new(Exit::NotLoggedIn, format!("Could not log in as {username}")).hint(hint))
                } else {
                    error
                }
            })?;
        keep(context, &self.login, &server, &logged_in)?;
        context.output.result(&logged_in.account, |account| {
            format!("Logged in to {server} as {}.", account.username)
        })?;
        Ok(Exit::Done)
    }
}

/// Keeps a session for later commands.
pub(super) fn keep(
    context: &Context,
    args: &LoginArgs,
    server: &Url,
    logged_in: &LoggedIn,
) -> anyhow::Result<()> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => find_profile(context, server.as_str())?.unwrap_or_else(|| profile_name(server)),
    };
    let profile = Profile {
        url: server.to_string(),
        username: logged_in.account.username.clone(),
        token: logged_in.token.clone(),
    };
    context
        .profiles()?
        .put(&name, &profile)
        .context("The session is open, but it could not be kept on this device")
}
