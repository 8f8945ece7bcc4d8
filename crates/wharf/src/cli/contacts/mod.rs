//! `wharf contacts`: whom one knows.

mod group;
mod presence;

use std::collections::BTreeMap;

use clap::Subcommand;
use wharf_types::api::contact::{AskContact, Contact, ContactState, Contacts, EditContact};
use wharf_types::api::room::Person;
use wharf_types::{AccountId, ContactGroupId};

use crate::context::Context;
use crate::directory::Directory;
use crate::exit::{Exit, Failure};
use crate::format;
use crate::output::{Align, Output, Paint, Table};
use crate::prompt;
use crate::session::{About, Session};

/// List, find, ask and arrange your contacts
///
/// Only contacts and members of common rooms can write to you. A person is named by username, six-digit number, your own
/// name for them, or nickname; for `find` and `ask` exactly, by username, number or e-mail address. With a contact comes a
/// room of the two of you, which is written @USERNAME.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wharf contacts ask grace --word \"We met in Bath\"\n  \
                        wharf contacts accept grace\n  \
                        wharf contacts group put family grace ada\n  \
                        wharf say @grace Hello"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List contacts by group, and who waits for whose word (what `wharf contacts` does by itself)
    List,
    /// Show who is there now
    Online,
    /// Find somebody by username, number or e-mail address, exactly
    Find {
        /// Whom
        who: String,
    },
    /// Ask somebody to become a contact
    Ask {
        /// Username, number or e-mail address, exactly
        who: String,
        /// What to say with it
        #[arg(
            long,
            short,
            value_name = "TEXT",
            default_value = "",
            hide_default_value = true
        )]
        word: String,
    },
    /// Accept who asked
    Accept {
        /// Who asked
        #[arg(required = true)]
        who: Vec<String>,
    },
    /// Decline who asked; they are not told
    Decline {
        /// Who asked
        #[arg(required = true)]
        who: Vec<String>,
    },
    /// End contacts; what was said stays readable
    Remove {
        /// Whom
        #[arg(required = true)]
        who: Vec<String>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Block people: they can neither ask, nor write to you alone, nor see whether you are there
    Block {
        /// Whom; somebody who is no contact by username, number or e-mail address
        #[arg(required = true)]
        who: Vec<String>,
    },
    /// Let people be again who were blocked
    Unblock {
        /// Whom
        #[arg(required = true)]
        who: Vec<String>,
    },
    /// Give somebody a name of your own
    Name {
        /// Whom
        who: String,
        /// The name, which only you see; none takes it away
        #[arg(default_value = "", hide_default_value = true)]
        name: String,
    },
    /// Arrange contacts in groups of your own
    Group(group::Args),
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        if matches!(self.action, Some(Action::Online)) {
            presence::show(context).await?;
            return Ok(Exit::Done);
        }
        let session = Session::open(context).await?;
        match self.action.unwrap_or(Action::List) {
            Action::Online => {}
            Action::List => list(&session.api.contacts().await?, &context.output)?,
            Action::Find { who } => {
                let person = session.api.find_person(&who).await.about(&who)?;
                context
                    .output
                    .result(&person, |person| described(person, &context.output))?;
            }
            Action::Ask { who, word } => ask(context, &session, who, word).await?,
            Action::Name { who, name } => {
                let edit = EditContact {
                    remark: Some(name),
                    ..EditContact::default()
                };
                edit_one(context, &session, &who, &edit).await?;
            }
            Action::Accept { who } => each(context, &session, &who, Answer::Accept).await?,
            Action::Decline { who } => each(context, &session, &who, Answer::Decline).await?,
            Action::Remove { who, yes } => {
                let count = format::count(who.len() as u64, "contact", "contacts");
                prompt::consent(&format!("End {count}?"), yes)?;
                each(context, &session, &who, Answer::Remove).await?;
            }
            Action::Block { who } => block(context, &session, &who, true).await?,
            Action::Unblock { who } => block(context, &session, &who, false).await?,
            Action::Group(args) => args.run(context, &session).await?,
        }
        Ok(Exit::Done)
    }
}

async fn ask(
    context: &Context,
    session: &Session,
    who: String,
    word: String,
) -> anyhow::Result<()> {
    let name = who.strip_prefix('@').unwrap_or(&who).to_owned();
    let asked = AskContact { who: name, word };
    let contact = session.api.ask_contact(&asked).await.about(&who)?;
    let output = &context.output;
    output.result(&contact, |contact| {
        let name = output.name(&contact.person.username);
        match contact.state {
            ContactState::Contact => format!("You and {name} are contacts: wharf say @{name} …"),
            _ => format!("Asked {name}. You can write to each other when they accept."),
        }
    })
}

/// What is done with people of the list, one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Accept,
    Decline,
    Remove,
}

async fn each(
    context: &Context,
    session: &Session,
    who: &[String],
    answer: Answer,
) -> anyhow::Result<()> {
    let directory = session.directory().await?;
    let mut meant = Vec::with_capacity(who.len());
    for who in who {
        let contact = directory.contact(who)?;
        if answer != Answer::Remove && contact.state != ContactState::Asking {
            return Err(not_asking(contact).into());
        }
        meant.push(contact);
    }
    for contact in meant {
        let (id, name) = (contact.person.id, &contact.person.username);
        let name = context.output.name(name);
        match answer {
            Answer::Accept => {
                let contact = session.api.accept_contact(id).await.about(&name)?;
                context.output.result(&contact, |_| {
                    format!("You and {name} are contacts: wharf say @{name} …")
                })?;
            }
            Answer::Decline => {
                session.api.decline_contact(id).await.about(&name)?;
                context.output.note(format_args!("Declined {name}."));
            }
            Answer::Remove => {
                session.api.remove_contact(id).await.about(&name)?;
                context.output.note(format_args!(
                    "{name} is no longer in your contacts. What was said stays in the room."
                ));
            }
        }
    }
    Ok(())
}

fn not_asking(contact: &Contact) -> Failure {
    let name = &contact.person.username;
    match contact.state {
        ContactState::Contact => Failure::new(
            Exit::Conflict,
            format!("You and {name} are contacts already"),
        )
        .hint(format!("To end it: wharf contacts remove {name}")),
        ContactState::Asked => Failure::new(
            Exit::Conflict,
            format!("You asked {name}, and it is their turn to answer"),
        )
        .hint(format!("To take it back: wharf contacts remove {name}")),
        ContactState::Asking | ContactState::Stranger => {
            Failure::new(Exit::NotFound, format!("There is no request of {name}"))
                .hint(format!("You can ask: wharf contacts ask {name}"))
        }
    }
}

async fn block(
    context: &Context,
    session: &Session,
    who: &[String],
    is_blocked: bool,
) -> anyhow::Result<()> {
    for who in who {
        let id = anybody(session, who).await?;
        let edit = EditContact {
            is_blocked: Some(is_blocked),
            ..EditContact::default()
        };
        let contact = session.api.edit_contact(id, &edit).await.about(who)?;
        let output = &context.output;
        output.result(&contact, |contact| {
            let name = output.name(&contact.person.username);
            if is_blocked {
                format!(
                    "{name} is blocked. Let them be again with `wharf contacts unblock {name}`."
                )
            } else {
                format!("{name} is not blocked any more.")
            }
        })?;
    }
    Ok(())
}

/// Somebody in the list, or whoever has exactly this name.
async fn anybody(session: &Session, who: &str) -> anyhow::Result<AccountId> {
    match session.directory().await?.contact(who) {
        Ok(contact) => Ok(contact.person.id),
        Err(failure) if failure.parts().0 == Exit::NotFound => {
            let name = who.strip_prefix('@').unwrap_or(who);
            Ok(session.api.find_person(name).await.about(who)?.id)
        }
        Err(failure) => Err(failure.into()),
    }
}

async fn edit_one(
    context: &Context,
    session: &Session,
    who: &str,
    edit: &EditContact,
) -> anyhow::Result<()> {
    let id = session.directory().await?.contact(who)?.person.id;
    let contact = session.api.edit_contact(id, edit).await.about(who)?;
    let output = &context.output;
    output.result(&contact, |contact| {
        let name = output.name(&contact.person.username);
        if contact.remark.is_empty() {
            format!("{name} goes by their own name.")
        } else {
            format!("{name} is {} to you.", output.name(&contact.remark))
        }
    })
}

fn described(person: &Person, output: &Output) -> String {
    let status = if person.status_text.is_empty() {
        String::new()
    } else {
        format!(": {}", output.name(&person.status_text))
    };
    format!(
        "{} ({}, number {:06}){status}",
        output.name(&person.nickname),
        output.name(&person.username),
        person.number
    )
}

fn list(contacts: &Contacts, output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return contacts
            .items
            .iter()
            .try_for_each(|contact| output.object(contact));
    }
    if contacts.items.is_empty() {
        output.note("You have no contacts. Ask somebody with `wharf contacts ask NAME`.");
        return Ok(());
    }
    let groups: BTreeMap<ContactGroupId, &str> = contacts
        .groups
        .iter()
        .map(|group| (group.id, group.name.as_str()))
        .collect();
    let mut table = Table::new(&[
        ("NAME", Align::Left),
        ("USERNAME", Align::Left),
        ("NUMBER", Align::Left),
        ("GROUP", Align::Left),
        ("", Align::Left),
    ]);
    let directory = Directory::new(Vec::new(), contacts.items.clone());
    for contact in arranged(contacts) {
        let group = contact.group.and_then(|group| groups.get(&group).copied());
        let (paint, state) = standing(contact);
        let said = [state, contact.word.as_str(), &contact.person.status_text]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(": ");
        table.painted_row([
            (
                Paint::Bold,
                output.name(directory.name_of(&contact.person)).into_owned(),
            ),
            (
                Paint::Plain,
                output.name(&contact.person.username).into_owned(),
            ),
            (Paint::Plain, format!("{:06}", contact.person.number)),
            (Paint::Plain, output.name(group.unwrap_or("-")).into_owned()),
            (paint, output.name(&said).into_owned()),
        ]);
    }
    table.write(output)
}

/// Who waits for an answer first, then by group in the groups' order, those in none last, and blocked ones after all.
fn arranged(contacts: &Contacts) -> Vec<&Contact> {
    let place = |contact: &Contact| {
        let group = contact
            .group
            .and_then(|id| contacts.groups.iter().position(|group| group.id == id));
        (
            contact.is_blocked,
            contact.state != ContactState::Asking,
            group.unwrap_or(usize::MAX),
        )
    };
    let mut items: Vec<&Contact> = contacts.items.iter().collect();
    // The list comes by name, and the sort keeps that.
    items.sort_by_key(|contact| place(contact));
    items
}

fn standing(contact: &Contact) -> (Paint, &'static str) {
    match (contact.is_blocked, contact.state) {
        (true, _) => (Paint::Red, "blocked"),
        (false, ContactState::Asking) => (Paint::Yellow, "asks"),
        (false, ContactState::Asked) => (Paint::Dim, "asked by you"),
        (false, ContactState::Contact) => (Paint::Plain, ""),
        (false, ContactState::Stranger) => (Paint::Dim, "no contact"),
    }
}
