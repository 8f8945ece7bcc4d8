//! `wharf devices`: the account's sessions.

use clap::Subcommand;
use wharf_types::SessionId;
use wharf_types::api::account::{RenameSession, Session as Device};

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::format;
use crate::output::{Align, Output, Paint, Table};
use crate::session::Session;

/// List, name and log out the devices that are logged in to your account
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the devices (what `wharf devices` does by itself)
    List,
    /// Name a device
    Name {
        /// What to call it
        name: String,
        /// Its id or the beginning of it; this device when it is left out
        #[arg(value_name = "ID")]
        device: Option<String>,
    },
    /// Log devices out
    Revoke {
        /// Their ids or the beginnings of them
        #[arg(
            value_name = "ID",
            required_unless_present = "others",
            conflicts_with = "others"
        )]
        devices: Vec<String>,
        /// All but this one
        #[arg(long)]
        others: bool,
    },
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        let devices = session.api.sessions().await?;
        match self.action.unwrap_or(Action::List) {
            Action::List => list(&devices, &context.output)?,
            Action::Name { name, device } => {
                let id = match device {
                    Some(text) => find(&devices, &text)?,
                    None => current(&devices)?,
                };
                let renamed = session
                    .api
                    .rename_session(id, &RenameSession { device: name })
                    .await?;
                if context.output.is_json() {
                    context.output.object(&renamed)?;
                }
                context
                    .output
                    .note(format_args!("The device is now called {}.", renamed.device));
            }
            Action::Revoke {
                devices: texts,
                others,
            } => {
                let ids: Vec<SessionId> = if others {
                    devices
                        .iter()
                        .filter(|device| !device.current)
                        .map(|device| device.id)
                        .collect()
                } else {
                    texts
                        .iter()
                        .map(|text| find(&devices, text))
                        .collect::<Result<_, _>>()?
                };
                for id in &ids {
                    session.api.end_session(*id).await?;
                }
                let count = format::count(ids.len() as u64, "device", "devices");
                context.output.note(format_args!("Logged {count} out."));
            }
        }
        Ok(Exit::Done)
    }
}

fn list(devices: &[Device], output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return devices.iter().try_for_each(|device| output.object(device));
    }
    let mut table = Table::new(&[
        ("ID", Align::Left),
        ("LOGGED IN", Align::Left),
        ("LAST USED", Align::Left),
        ("FROM", Align::Left),
        ("DEVICE", Align::Left),
    ]);
    for device in devices {
        let name = output.name(&device.device);
        let name = if device.current {
            format!("{name} (this one)")
        } else {
            name.into_owned()
        };
        let paint = if device.current {
            Paint::Bold
        } else {
            Paint::Plain
        };
        table.painted_row([
            (Paint::Plain, device.id.to_string()),
            (Paint::Plain, format::time_ms(device.created_ms)),
            (Paint::Plain, format::time_ms(device.seen_ms)),
            (Paint::Plain, device.address.clone()),
            (paint, name),
        ]);
    }
    table.write(output)
}

fn current(devices: &[Device]) -> Result<SessionId, Failure> {
    let this = devices.iter().find(|device| device.current);
    this.map(|device| device.id)
        .ok_or_else(|| Failure::usage("This device is not in the list").hint("Give its id."))
}

/// The one device whose id begins with `text`. Ids of sessions that were opened close together begin alike, so endings
/// count as well.
fn find(devices: &[Device], text: &str) -> Result<SessionId, Failure> {
    let meant = text.to_lowercase();
    let is_meant = |device: &&Device| {
        let id = device.id.to_string();
        !meant.is_empty() && (id.starts_with(&meant) || id.ends_with(&meant))
    };
    let mut found = devices.iter().filter(is_meant);
    match (found.next(), found.next()) {
        (Some(device), None) => Ok(device.id),
        (None, _) => Err(
            Failure::new(Exit::NotFound, format!("No device has the id {text}"))
                .hint("See `wharf devices`."),
        ),
        (Some(_), Some(_)) => Err(
            Failure::usage(format!("Several devices have ids like {text}"))
                .hint("Give more of the id."),
        ),
    }
}
