//! The command line: one module for each command, which holds its flags, its help and what it does.

mod admin;
mod app_password;
mod backup;
mod cat;
mod chat;
mod completions;
mod config;
mod contacts;
mod demo;
mod devices;
mod df;
mod diary;
mod doctor;
mod entry;
mod export;
mod files;
mod find;
mod get;
mod history;
mod hook;
mod import;
mod inbox;
mod login;
mod logout;
mod ls;
mod man;
mod mkdir;
mod mv;
mod outbox;
mod passwd;
mod profile;
mod put;
mod restore;
mod restore_backup;
mod retention;
mod rm;
mod room;
mod say;
mod search;
mod send;
mod serve;
mod signup;
mod stat;
mod tag;
mod tail;
mod token;
mod transfers;
mod trash;
mod verify;
mod whoami;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use wharf_types::api::drive::Committed;

use crate::context::Context;
use crate::directory::Where;
use crate::exit::Exit;
use crate::output::{ColorChoice, Output, printable};
use crate::remote::RemotePath;

/// A home for a group's files, conversations and journals, on a server of its own.
///
/// Run `wharf serve` to start a server, and follow what it prints. Paths in the drive are written from its root:
/// `/docs/plan.txt`. Commands that run into trouble say what to do next; docs/guide has the rest.
#[derive(Debug, Parser)]
#[command(
    name = "wharf",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 not logged in, 4 not found, 5 denied, 6 conflict, \
                  7 over quota, 8 unavailable, 9 some files left out, 10 damage found, 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Print results as JSON: one object, or one object a line for lists
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say nothing but results, warnings and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value_t,
        hide_possible_values = false
    )]
    pub(crate) color: ColorChoice,
    /// Which server, by the name or address it was logged in to with
    #[arg(
        long,
        short = 'S',
        global = true,
        env = "WHARF_SERVER",
        value_name = "SERVER"
    )]
    pub(crate) server: Option<String>,
    /// The configuration file, instead of the user's or the machine's
    #[arg(long, global = true, env = "WHARF_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(serve::Args),
    Demo(demo::Args),
    Signup(signup::Args),
    Login(login::Args),
    Logout(logout::Args),
    Passwd(passwd::Args),
    Whoami(whoami::Args),
    Devices(devices::Args),
    AppPassword(app_password::Args),
    Token(token::Args),
    Put(put::Args),
    Get(get::Args),
    Cat(cat::Args),
    Chat(chat::Args),
    Ls(ls::Args),
    Stat(stat::Args),
    Mkdir(mkdir::Args),
    Mv(mv::Args),
    Rm(rm::Args),
    Trash(trash::Args),
    Restore(restore::Args),
    History(history::Args),
    Tag(tag::Args),
    Find(find::Args),
    Df(df::Args),
    Retention(retention::Args),
    Transfers(transfers::Args),
    Contacts(contacts::Args),
    Room(room::Args),
    Say(say::Args),
    Send(send::Args),
    Tail(tail::Args),
    Inbox(inbox::Args),
    Entry(entry::Args),
    Diary(diary::Args),
    Outbox(outbox::Args),
    Export(export::Args),
    Import(import::Args),
    Files(files::Args),
    Search(search::Args),
    Hook(hook::Args),
    Profile(profile::Args),
    Verify(verify::Args),
    Backup(backup::Args),
    RestoreBackup(restore_backup::Args),
    Doctor(doctor::Args),
    Admin(admin::Args),
    Config(config::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// The flag of commands that look at one drive as a whole.
#[derive(Debug, Clone, clap::Args)]
struct RoomArg {
    /// The drive of this room instead of your own: a group's name, @USERNAME, or the room's id
    #[arg(long, value_name = "WHERE")]
    room: Option<Where>,
}

impl RoomArg {
    fn get(&self) -> Option<&Where> {
        self.room.as_ref()
    }
}

impl Command {
    /// Does what was asked for.
    #[expect(
        clippy::cognitive_complexity,
        reason = "one arm for each command, and nothing else"
    )]
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self {
            Self::Demo(args) => args.run(context).await,
            Self::Serve(args) => args.run(context).await,
            Self::Signup(args) => args.run(context).await,
            Self::Login(args) => args.run(context).await,
            Self::Logout(args) => args.run(context).await,
            Self::Passwd(args) => args.run(context).await,
            Self::Whoami(args) => args.run(context).await,
            Self::Devices(args) => args.run(context).await,
            Self::AppPassword(args) => args.run(context).await,
            Self::Token(args) => args.run(context).await,
            Self::Put(args) => args.run(context).await,
            Self::Get(args) => args.run(context).await,
            Self::Cat(args) => args.run(context).await,
            Self::Chat(args) => args.run(context).await,
            Self::Ls(args) => args.run(context).await,
            Self::Stat(args) => args.run(context).await,
            Self::Mkdir(args) => args.run(context).await,
            Self::Mv(args) => args.run(context).await,
            Self::Rm(args) => args.run(context).await,
            Self::Trash(args) => args.run(context).await,
            Self::Restore(args) => args.run(context).await,
            Self::History(args) => args.run(context).await,
            Self::Tag(args) => args.run(context).await,
            Self::Find(args) => args.run(context).await,
            Self::Df(args) => args.run(context).await,
            Self::Retention(args) => args.run(context).await,
            Self::Transfers(args) => args.run(context).await,
            Self::Contacts(args) => args.run(context).await,
            Self::Room(args) => args.run(context).await,
            Self::Say(args) => args.run(context).await,
            Self::Send(args) => args.run(context).await,
            Self::Tail(args) => args.run(context).await,
            Self::Inbox(args) => args.run(context).await,
            Self::Entry(args) => args.run(context).await,
            Self::Diary(args) => args.run(context).await,
            Self::Outbox(args) => args.run(context).await,
            Self::Export(args) => args.run(context).await,
            Self::Import(args) => args.run(context).await,
            Self::Files(args) => args.run(context).await,
            Self::Search(args) => args.run(context).await,
            Self::Hook(args) => args.run(context).await,
            Self::Profile(args) => args.run(context).await,
            Self::Verify(args) => args.run(context).await,
            Self::Backup(args) => args.run(context).await,
            Self::RestoreBackup(args) => args.run(context).await,
            Self::Doctor(args) => args.run(context).await,
            Self::Admin(args) => args.run(context).await,
            Self::Config(args) => args.run(context),
            Self::Completions(args) => args.run(context),
            Self::Man(args) => args.run(context),
        }
    }
}

/// Names in one folder that differ only in letter case are kept apart here, but not by every device.
fn warn_of_case(output: &Output, committed: &Committed, paths: &[RemotePath]) {
    for (result, path) in committed.results.iter().zip(paths) {
        if !result.case_conflicts.is_empty() {
            let others = printable(&result.case_conflicts.join(", ")).into_owned();
            output.warn(format_args!(
                "{} differs only in letter case from: {others}",
                printable(&path.to_string())
            ));
        }
    }
}
