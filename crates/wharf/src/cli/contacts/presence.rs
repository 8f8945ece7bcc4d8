//! `wharf contacts online`: who is there now.

use tokio::time::{Duration, Instant, timeout_at};
use wharf_client::chat::{ContactView, Event};
use wharf_types::api::contact::{ContactState, Status};

use crate::context::Context;
use crate::conversation::Conversations;
use crate::exit::{Exit, Failure};
use crate::format;
use crate::output::{Align, Paint, Table};

/// How long the server may take to say who is there; it gathers for a second.
const PATIENCE: Duration = Duration::from_secs(5);

/// Shows who of the contacts is there, and since when the others are not.
pub(super) async fn show(context: &Context) -> anyhow::Result<()> {
    let mut conversations = Conversations::open(context).await?;
    if !conversations.is_live().await? {
        let failure = Failure::new(Exit::Unavailable, "The server cannot be reached")
            .hint("Who is there is only known while it can be.");
        return Err(failure.into());
    }
    let contacts = told(&mut conversations).await?;
    let output = &context.output;
    if output.is_json() {
        let presences = contacts.iter().filter_map(|view| view.presence.as_ref());
        return presences
            .into_iter()
            .try_for_each(|presence| output.object(presence));
    }
    let mut table = Table::new(&[
        ("STATUS", Align::Left),
        ("SEEN", Align::Left),
        ("USERNAME", Align::Left),
        ("NAME", Align::Left),
    ]);
    for view in &contacts {
        let presence = view.presence.as_ref();
        let (paint, word) = word(presence.map(|presence| presence.status).unwrap_or_default());
        let seen = presence.and_then(|presence| presence.seen_ms);
        table.painted_row([
            (paint, word.to_owned()),
            (
                Paint::Plain,
                seen.map_or_else(|| "-".to_owned(), format::time_ms),
            ),
            (
                Paint::Plain,
                output.name(&view.contact.person.username).into_owned(),
            ),
            (Paint::Bold, output.name(&view.title).into_owned()),
        ]);
    }
    table.write(output)
}

/// The contacts once the server has said how all of them are, those who are there first.
async fn told(conversations: &mut Conversations) -> anyhow::Result<Vec<ContactView>> {
    let of_all = |conversations: &Conversations| -> anyhow::Result<Vec<ContactView>> {
        let mut items = conversations.chat.contacts()?.items;
        items
            .retain(|view| view.contact.state == ContactState::Contact && !view.contact.is_blocked);
        Ok(items)
    };
    let mut contacts = of_all(conversations)?;
    conversations
        .chat
        .watch(contacts.iter().map(|view| view.contact.person.id));
    let until = Instant::now() + PATIENCE;
    while contacts.iter().any(|view| view.presence.is_none()) {
        match timeout_at(until, conversations.next()).await {
            Ok(Ok(Event::Presence(_) | Event::Reload)) => contacts = of_all(conversations)?,
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(error),
            Err(_) => break,
        }
    }
    contacts.sort_by_key(|view| {
        let status = view.presence.as_ref().map(|presence| presence.status);
        matches!(status, None | Some(Status::Offline | Status::Invisible))
    });
    Ok(contacts)
}

const fn word(status: Status) -> (Paint, &'static str) {
    match status {
        Status::Online => (Paint::Green, "online"),
        Status::Away => (Paint::Yellow, "away"),
        Status::Busy => (Paint::Red, "busy"),
        Status::Offline | Status::Invisible => (Paint::Dim, "offline"),
    }
}
