//! `wharf room link`: links that let people into a group.

use clap::Subcommand;
use wharf_client::Room as Named;
use wharf_types::api::room::{CreateLink, RoomLink};

use super::group;
use super::list::role;
use super::people::EntryRole;
use crate::context::Context;
use crate::directory::Where;
use crate::exit::{Exit, Failure};
use crate::format;
use crate::output::{Align, Output, Table};
use crate::session::{About, Session};

const DAY_SECONDS: u64 = 24 * 60 * 60;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a link; its code is shown once
    Create {
        /// The group
        #[arg(value_name = "WHERE")]
        room: Where,
        /// What who enters may do
        #[arg(long, value_name = "ROLE", default_value = "editor")]
        role: EntryRole,
        /// How many people it lets in; any number when it is left out
        #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
        uses: Option<u32>,
        /// How many days it holds
        #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..=365))]
        days: u64,
    },
    /// List the links that still hold
    List {
        /// The group
        #[arg(value_name = "WHERE")]
        room: Where,
    },
    /// End a link
    Revoke {
        /// The group
        #[arg(value_name = "WHERE")]
        room: Where,
        /// Its id, as `wharf room link list` shows it
        id: String,
    },
}

impl Args {
    pub(super) async fn run(self, context: &Context, session: &Session) -> anyhow::Result<()> {
        let output = &context.output;
        match self.action {
            Action::Create {
                room,
                role,
                uses,
                days,
            } => {
                let named = Named::Id(group(session, &room).await?.id);
                let create = CreateLink {
                    role: Some(role.into()),
                    uses,
                    expires_seconds: Some(days * DAY_SECONDS),
                };
                let link = session.api.create_link(named, &create).await.about(&room)?;
                made(&link, output)
            }
            Action::List { room } => {
                let named = Named::Id(group(session, &room).await?.id);
                list(&session.api.links(named).await.about(&room)?.items, output)
            }
            Action::Revoke { room, id } => {
                let named = Named::Id(group(session, &room).await?.id);
                let links = session.api.links(named).await.about(&room)?.items;
                let known = links.iter().any(|link| link.id == id);
                if !known {
                    let failure =
                        Failure::new(Exit::NotFound, format!("There is no link {id} into {room}"))
                            .hint(format!("See them with `wharf room link list {room}`."));
                    return Err(failure.into());
                }
                session.api.remove_link(named, &id).await.about(&id)?;
                output.note(format_args!("The link {id} is ended."));
                Ok(())
            }
        }
    }
}

fn made(link: &RoomLink, output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return output.object(link);
    }
    if let Some(code) = &link.code {
        output.note(format_args!(
            "It holds until {} for {}. They run: wharf room join CODE. Its code, shown this once:",
            format::time_ms(link.expires_ms),
            uses(link),
        ));
        output.line(code)?;
    }
    Ok(())
}

fn uses(link: &RoomLink) -> String {
    link.uses_left.map_or_else(
        || "any number of people".to_owned(),
        |uses| format::count(u64::from(uses), "person", "people"),
    )
}

fn list(links: &[RoomLink], output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return links.iter().try_for_each(|link| output.object(link));
    }
    if links.is_empty() {
        output.note("There are no links.");
        return Ok(());
    }
    let mut table = Table::new(&[
        ("ID", Align::Left),
        ("ROLE", Align::Left),
        ("UNTIL", Align::Left),
        ("FOR", Align::Left),
    ]);
    for link in links {
        table.row([
            link.id.clone(),
            role(link.role).to_owned(),
            format::time_ms(link.expires_ms),
            uses(link),
        ]);
    }
    table.write(output)
}
