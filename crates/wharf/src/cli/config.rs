//! `wharf config`: what the configuration says.

use std::path::PathBuf;

use clap::Subcommand;
use serde::Serialize;

use crate::config::server::{Resolver, ServerArgs, Shown};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Align, Paint, Table};

/// Check and show the configuration
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check the configuration without starting anything
    ///
    /// Faults are shown with their line. It takes the flags of `wharf serve`, so that a whole command line can be checked.
    Check(Box<ServerArgs>),
    /// Show every setting of a server, and where it comes from
    Show(Box<ServerArgs>),
}

/// What `--json` shows.
#[derive(Serialize)]
struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    settings: Vec<Shown>,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let loaded = context.config()?;
        let sources = |argument: &str| context.source(argument);
        let mut resolver = Resolver::new(&sources);
        let (args, is_check) = match &self.action {
            Action::Check(args) => (args, true),
            Action::Show(args) => (args, false),
        };
        resolver.server(args, &loaded.file, &context.environment)?;
        loaded.keymap()?;
        let settings = Settings {
            file: loaded.path,
            settings: resolver.into_shown(),
        };
        let output = &context.output;
        if output.is_json() {
            output.object(&settings)?;
        } else if is_check {
            match &settings.file {
                Some(path) => output.line(format_args!("{} is in order.", path.display()))?,
                None => output.line(
                    "There is no configuration file, and the flags and variables are in order.",
                )?,
            }
        } else {
            show(context, &settings)?;
        }
        Ok(Exit::Done)
    }
}

fn show(context: &Context, settings: &Settings) -> anyhow::Result<()> {
    let file = settings
        .file
        .as_ref()
        .map_or_else(|| "no file".to_owned(), |path| path.display().to_string());
    context
        .output
        .note(format_args!("Configuration file: {file}"));
    let mut table = Table::new(&[
        ("SETTING", Align::Left),
        ("FROM", Align::Left),
        ("VALUE", Align::Left),
    ]);
    for shown in &settings.settings {
        table.painted_row([
            (Paint::Bold, shown.key.to_owned()),
            (Paint::Dim, shown.from.word().to_owned()),
            (Paint::Plain, shown.value.clone()),
        ]);
    }
    table.write(&context.output)
}
