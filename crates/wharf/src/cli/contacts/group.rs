//! `wharf contacts group`: one's own groups of contacts.

use clap::Subcommand;
use wharf_types::api::contact::{ContactGroup, EditContact, EditContactGroup};

use crate::context::Context;
use crate::directory::fold;
use crate::exit::{Exit, Failure};
use crate::format;
use crate::output::{Align, Table};
use crate::session::{About, Session};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the groups, in their order
    List,
    /// Make a group
    Add {
        /// Its name
        name: String,
        /// Where it stands: groups are listed by this number, then by name
        #[arg(long, value_name = "NUMBER")]
        order: Option<u32>,
    },
    /// Rename a group or give it another place
    Edit {
        /// The group
        group: String,
        /// What to call it
        #[arg(long, value_name = "NAME", required_unless_present = "order")]
        name: Option<String>,
        /// Where it stands
        #[arg(long, value_name = "NUMBER")]
        order: Option<u32>,
    },
    /// Remove a group; the contacts in it stay, in none
    Remove {
        /// The group
        group: String,
    },
    /// Put contacts into a group; each is in one at most
    Put {
        /// The group
        group: String,
        /// Whom
        #[arg(required = true)]
        who: Vec<String>,
    },
    /// Take contacts out of their groups
    Take {
        /// Whom
        #[arg(required = true)]
        who: Vec<String>,
    },
}

impl Args {
    pub(super) async fn run(self, context: &Context, session: &Session) -> anyhow::Result<()> {
        let output = &context.output;
        match self.action {
            Action::List => list(context, session).await,
            Action::Add { name, order } => {
                let edit = EditContactGroup {
                    name: Some(name.clone()),
                    order,
                };
                let group = session.api.create_contact_group(&edit).await.about(&name)?;
                output.result(&group, |group| {
                    format!("Made the group {}.", output.name(&group.name))
                })
            }
            Action::Edit { group, name, order } => {
                let id = find(session, &group).await?.id;
                let edit = EditContactGroup { name, order };
                let group = session
                    .api
                    .edit_contact_group(id, &edit)
                    .await
                    .about(&group)?;
                output.result(&group, |group| {
                    format!(
                        "The group is called {} and stands at {}.",
                        output.name(&group.name),
                        group.order
                    )
                })
            }
            Action::Remove { group } => {
                let found = find(session, &group).await?;
                session
                    .api
                    .remove_contact_group(found.id)
                    .await
                    .about(&group)?;
                output.note(format_args!(
                    "Removed the group {}.",
                    output.name(&found.name)
                ));
                Ok(())
            }
            Action::Put { group, who } => {
                let group = find(session, &group).await?;
                let edit = EditContact {
                    group: Some(group.id),
                    ..EditContact::default()
                };
                let count = change(context, session, &who, &edit).await?;
                let name = output.name(&group.name);
                output.note(format_args!("Put {count} into {name}."));
                Ok(())
            }
            Action::Take { who } => {
                let edit = EditContact {
                    ungroup: true,
                    ..EditContact::default()
                };
                let count = change(context, session, &who, &edit).await?;
                output.note(format_args!("Took {count} out of their groups."));
                Ok(())
            }
        }
    }
}

async fn change(
    context: &Context,
    session: &Session,
    who: &[String],
    edit: &EditContact,
) -> anyhow::Result<String> {
    let directory = session.directory().await?;
    let mut ids = Vec::with_capacity(who.len());
    for who in who {
        ids.push(directory.contact(who)?.person.id);
    }
    for (id, who) in ids.iter().zip(who) {
        let contact = session.api.edit_contact(*id, edit).await.about(who)?;
        if context.output.is_json() {
            context.output.object(&contact)?;
        }
    }
    Ok(format::count(ids.len() as u64, "contact", "contacts"))
}

async fn find(session: &Session, name: &str) -> anyhow::Result<ContactGroup> {
    let groups = session.api.contacts().await?.groups;
    let folded = fold(name);
    groups
        .into_iter()
        .find(|group| fold(&group.name) == folded)
        .ok_or_else(|| {
            Failure::new(Exit::NotFound, format!("You have no group {name}"))
                .hint("See them with `wharf contacts group list`, or make it with `wharf contacts group add`.")
                .into()
        })
}

async fn list(context: &Context, session: &Session) -> anyhow::Result<()> {
    let contacts = session.api.contacts().await?;
    let output = &context.output;
    if output.is_json() {
        return contacts
            .groups
            .iter()
            .try_for_each(|group| output.object(group));
    }
    if contacts.groups.is_empty() {
        output.note("You have no groups. Make one with `wharf contacts group add NAME`.");
        return Ok(());
    }
    let mut table = Table::new(&[
        ("ORDER", Align::Right),
        ("CONTACTS", Align::Right),
        ("NAME", Align::Left),
    ]);
    for group in &contacts.groups {
        let is_in = |contact: &&wharf_types::api::contact::Contact| contact.group == Some(group.id);
        table.row([
            group.order.to_string(),
            contacts.items.iter().filter(is_in).count().to_string(),
            output.name(&group.name).into_owned(),
        ]);
    }
    table.write(output)
}
