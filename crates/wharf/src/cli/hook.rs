//! `wharf hook`: webhooks of a room.

use clap::Subcommand;
use wharf_client::Room as Named;
use wharf_types::api::hook::{CreateHook, EditHook, Hook, HookDirection};

use crate::context::Context;
use crate::directory::Where;
use crate::exit::{Exit, Failure};
use crate::format;
use crate::output::{Align, Output, Paint, Table};
use crate::prompt;
use crate::session::{About, Session};

/// Let other programs post into a room, or be told what is said there
///
/// An incoming webhook is an address with a secret in it: whoever knows it posts into the room under the webhook's name. An
/// outgoing one has the room's entries posted to an address of yours, signed with its secret, again and again until they are
/// taken. A room's owner makes them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  wharf hook create Team builds\n  \
                        wharf hook create Team mirror --to https://example.org/wharf\n  \
                        curl -d '{\"text\":\"Built\"}' -H 'Content-Type: application/json' ADDRESS")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the webhooks of a room
    List {
        /// The room
        #[arg(value_name = "WHERE")]
        room: Where,
    },
    /// Make a webhook; its address or secret is shown once
    Create {
        /// The room
        #[arg(value_name = "WHERE")]
        room: Where,
        /// What to call it; an incoming one posts under this name
        name: String,
        /// Where to post the room's entries to: an outgoing webhook
        #[arg(long, value_name = "URL")]
        to: Option<String>,
    },
    /// Rename a webhook, or give an outgoing one another address; deliveries that were given up start again
    Edit {
        /// The room
        #[arg(value_name = "WHERE")]
        room: Where,
        /// Its name or id
        hook: String,
        /// What to call it
        #[arg(long, value_name = "NAME", required_unless_present = "to")]
        name: Option<String>,
        /// Where an outgoing one posts to
        #[arg(long, value_name = "URL")]
        to: Option<String>,
    },
    /// Remove a webhook; its secret is worth nothing then
    Remove {
        /// The room
        #[arg(value_name = "WHERE")]
        room: Where,
        /// Its name or id
        hook: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        let output = &context.output;
        match self.action {
            Action::List { room } => {
                let named = named(&session, &room).await?;
                list(&session.api.hooks(named).await.about(&room)?.items, output)?;
            }
            Action::Create { room, name, to } => {
                let named = named(&session, &room).await?;
                let create = CreateHook {
                    direction: if to.is_some() {
                        HookDirection::Outgoing
                    } else {
                        HookDirection::Incoming
                    },
                    name,
                    url: to,
                };
                let hook = session.api.create_hook(named, &create).await.about(&room)?;
                made(&hook, &session, output)?;
            }
            Action::Edit {
                room,
                hook,
                name,
                to,
            } => {
                let named = named(&session, &room).await?;
                let id = find(&session, named, &room, &hook).await?.id;
                let edit = EditHook { name, url: to };
                let hook = session.api.edit_hook(named, id, &edit).await.about(&hook)?;
                output.result(&hook, |hook| {
                    format!("The webhook {} is changed.", output.name(&hook.name))
                })?;
            }
            Action::Remove { room, hook, yes } => {
                let named = named(&session, &room).await?;
                let found = find(&session, named, &room, &hook).await?;
                let name = output.name(&found.name).into_owned();
                prompt::consent(&format!("Remove the webhook {name}?"), yes)?;
                session
                    .api
                    .remove_hook(named, found.id)
                    .await
                    .about(&hook)?;
                output.note(format_args!("Removed the webhook {name}."));
            }
        }
        Ok(Exit::Done)
    }
}

async fn named(session: &Session, room: &Where) -> anyhow::Result<Named> {
    Ok(Named::Id(session.directory().await?.find(room)?.id))
}

async fn find(session: &Session, room: Named, meant: &Where, hook: &str) -> anyhow::Result<Hook> {
    let mut found = session.api.hooks(room).await.about(meant)?.items;
    found.retain(|item| item.name == hook || item.id.to_string() == hook);
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => Err(Failure::new(
            Exit::NotFound,
            format!("There is no webhook {hook} in {meant}"),
        )
        .hint(format!("See them with `wharf hook list {meant}`."))
        .into()),
        (Some(_), false) => Err(Failure::usage(format!(
            "There are several webhooks {hook} in {meant}"
        ))
        .hint("Give the id.")
        .into()),
    }
}

fn made(hook: &Hook, session: &Session, output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return output.object(hook);
    }
    let secret = hook.secret.as_deref().unwrap_or_default();
    match hook.direction {
        HookDirection::Incoming => {
            output.note("Whoever has this address can post into the room; it is shown this once:");
            let server = session.server.as_str().trim_end_matches('/');
            output.line(format_args!("{server}/api/v1/hooks/{}/{secret}", hook.id))
        }
        HookDirection::Outgoing => {
            output.note("What is posted is signed with this secret, which is shown this once:");
            output.line(secret)
        }
    }
}

fn list(hooks: &[Hook], output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return hooks.iter().try_for_each(|hook| output.object(hook));
    }
    if hooks.is_empty() {
        output.note("There are no webhooks.");
        return Ok(());
    }
    let mut table = Table::new(&[
        ("ID", Align::Left),
        ("WAY", Align::Left),
        ("MADE", Align::Left),
        ("NAME", Align::Left),
        ("STATE", Align::Left),
    ]);
    for hook in hooks {
        let (paint, state) = state(hook);
        let way = match hook.direction {
            HookDirection::Incoming => "in",
            HookDirection::Outgoing => "out",
        };
        table.painted_row([
            (Paint::Plain, hook.id.to_string()),
            (Paint::Plain, way.to_owned()),
            (Paint::Plain, format::time_ms(hook.created_ms)),
            (Paint::Bold, output.name(&hook.name).into_owned()),
            (paint, output.name(&state).into_owned()),
        ]);
    }
    table.write(output)
}

fn state(hook: &Hook) -> (Paint, String) {
    let url = hook.url.as_deref().unwrap_or_default();
    match (hook.is_stopped, &hook.last_error, hook.delivered) {
        (true, Some(error), _) => (Paint::Red, format!("{url}: given up: {error}")),
        (true, None, _) => (Paint::Red, format!("{url}: given up")),
        (false, Some(error), _) => (Paint::Yellow, format!("{url}: tries again: {error}")),
        (false, None, Some(delivered)) => (Paint::Plain, format!("{url}: up to entry {delivered}")),
        (false, None, None) => (Paint::Plain, url.to_owned()),
    }
}
