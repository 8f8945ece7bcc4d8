//! `wharf admin user`: accounts.

use anyhow::Context as _;
use clap::Subcommand;
use wharf_types::ErrorCode;
use wharf_types::api::account::{Account, AccountRole, AddAccount, AddedAccount, EditAccount};

use super::office::{Office, OfficeArgs};
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::format::{self, ByteSize};
use crate::output::{Align, Output, Paint, Table};
use crate::prompt::{Asked, PasswordArgs};
use crate::report::is_refusal;

/// Make, list, lock and reset accounts, and set their quotas
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Add(AddArgs),
    List(ListArgs),
    Lock(OneArgs),
    Unlock(UnlockArgs),
    Reset(ResetArgs),
    Quota(QuotaArgs),
}

/// Make an account; its password is chosen and shown once, unless one is given
#[derive(Debug, clap::Args)]
struct AddArgs {
    /// The username
    username: String,
    /// An e-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// The name shown to others
    #[arg(long, value_name = "NAME")]
    nickname: Option<String>,
    /// What it may use, such as `50 GiB`; the server's default when it is left out
    #[arg(long, value_name = "SIZE")]
    quota: Option<ByteSize>,
    /// Make it an operator's
    #[arg(long)]
    operator: bool,
    /// Ask for a password (or read it with --password-stdin) instead of choosing one
    #[arg(long)]
    set_password: bool,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    office: OfficeArgs,
}

/// List all accounts
#[derive(Debug, clap::Args)]
struct ListArgs {
    #[command(flatten)]
    office: OfficeArgs,
}

/// Lock an account: it cannot log in, and its devices are logged out
#[derive(Debug, clap::Args)]
struct OneArgs {
    #[command(flatten)]
    which: Which,
}

/// Unlock an account
#[derive(Debug, clap::Args)]
struct UnlockArgs {
    #[command(flatten)]
    which: Which,
}

/// Give an account a new password, shown once, and log its devices out
#[derive(Debug, clap::Args)]
struct ResetArgs {
    #[command(flatten)]
    which: Which,
}

/// Set what an account may use
#[derive(Debug, clap::Args)]
struct QuotaArgs {
    #[command(flatten)]
    which: Which,
    /// Such as `50 GiB`
    size: ByteSize,
}

#[derive(Debug, clap::Args)]
struct Which {
    /// Username, six-digit number or e-mail address
    #[arg(value_name = "ACCOUNT")]
    login: String,
    #[command(flatten)]
    office: OfficeArgs,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.action {
            Action::Add(args) => args.run(context).await?,
            Action::List(args) => list(&args.office.open(context).await?, &context.output).await?,
            Action::Lock(args) => {
                let request = EditAccount {
                    locked: Some(true),
                    ..EditAccount::default()
                };
                edit(context, args.which, request, |account| {
                    format!("{account} is locked.")
                })
                .await?;
            }
            Action::Unlock(args) => {
                let request = EditAccount {
                    locked: Some(false),
                    ..EditAccount::default()
                };
                edit(context, args.which, request, |account| {
                    format!("{account} is unlocked.")
                })
                .await?;
            }
            Action::Reset(args) => {
                let request = EditAccount {
                    reset_password: true,
                    ..EditAccount::default()
                };
                edit(context, args.which, request, |account| {
                    format!("{account} has a new password, and its devices are logged out.")
                })
                .await?;
            }
            Action::Quota(args) => {
                let request = EditAccount {
                    quota_bytes: Some(args.size.0),
                    ..EditAccount::default()
                };
                edit(context, args.which, request, |account| {
                    format!("{account} may use {}.", args.size)
                })
                .await?;
            }
        }
        Ok(Exit::Done)
    }
}

impl AddArgs {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let password = if self.set_password || self.password.is_from_stdin() {
            let asked = Asked {
                prompt: "Password of the new account",
                variable: "WHARF_NEW_PASSWORD",
                is_new: true,
            };
            Some(self.password.read(context, asked)?)
        } else {
            None
        };
        let office = self.office.open(context).await?;
        let added = office
            .add(AddAccount {
                username: self.username,
                password,
                email: self.email,
                nickname: self.nickname,
                quota_bytes: self.quota.map(|quota| quota.0),
                role: self.operator.then_some(AccountRole::Operator),
            })
            .await?;
        tell(&context.output, &added, |account| {
            format!("{account} is made.")
        })
    }
}

async fn edit(
    context: &Context,
    which: Which,
    request: EditAccount,
    people: impl FnOnce(&str) -> String,
) -> anyhow::Result<()> {
    let office = which.office.open(context).await?;
    let account = office
        .find(&which.login)
        .await
        .map_err(|error| unknown(error, &which.login))?;
    let edited = office.edit(account.id, request).await?;
    tell(&context.output, &edited, people)
}

fn unknown(error: anyhow::Error, login: &str) -> anyhow::Error {
    let from_data = error
        .downcast_ref()
        .is_some_and(|error: &wharf_core::Error| error.code() == ErrorCode::NotFound);
    if from_data || is_refusal(&error, ErrorCode::NotFound) {
        let failure = Failure::new(Exit::NotFound, format!("There is no account {login}"))
            .hint("See `wharf admin user list`.");
        return failure.into();
    }
    error
}

/// A password that was chosen goes to standard output, so that it can be kept: it is not shown again.
fn tell(
    output: &Output,
    added: &AddedAccount,
    people: impl FnOnce(&str) -> String,
) -> anyhow::Result<()> {
    if output.is_json() {
        return output.object(added);
    }
    let account = format!(
        "{} (number {:06})",
        added.account.username, added.account.number
    );
    output.note(people(&account));
    if let Some(password) = &added.password {
        output.note("Its password, shown this once:");
        output
            .line(password)
            .context("The account is changed, but its password could not be shown")?;
    }
    Ok(())
}

async fn list(office: &Office, output: &Output) -> anyhow::Result<()> {
    let mut accounts: Vec<Account> = Vec::new();
    let mut after = None;
    loop {
        let page = office.list(after).await?;
        accounts.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if output.is_json() {
        return accounts
            .iter()
            .try_for_each(|account| output.object(account));
    }
    let mut table = Table::new(&[
        ("NUMBER", Align::Right),
        ("USED", Align::Right),
        ("OF", Align::Right),
        ("SINCE", Align::Left),
        ("ROLE", Align::Left),
        ("USERNAME", Align::Left),
    ]);
    for account in &accounts {
        let role = match (account.locked, account.role) {
            (true, _) => (Paint::Red, "locked"),
            (false, AccountRole::Operator) => (Paint::Bold, "operator"),
            (false, AccountRole::Member) => (Paint::Plain, "member"),
        };
        table.painted_row([
            (Paint::Plain, format!("{:06}", account.number)),
            (Paint::Plain, format::bytes(account.used_bytes)),
            (Paint::Plain, format::bytes(account.quota_bytes)),
            (Paint::Plain, format::time_ms(account.created_ms)),
            (role.0, role.1.to_owned()),
            (Paint::Plain, named(account)),
        ]);
    }
    table.write(output)
}

fn named(account: &Account) -> String {
    let nickname = crate::output::printable(&account.nickname);
    let mut name = account.username.clone();
    if *nickname != account.username {
        name = format!("{name} ({nickname})");
    }
    match &account.email {
        Some(email) => format!("{name} <{}>", crate::output::printable(email)),
        None => name,
    }
}
