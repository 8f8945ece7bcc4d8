//! `wharf man`: manual pages and the command reference, from the definition of the command line.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Command, CommandFactory};

use super::Cli;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::reference;

/// Print the manual page of a command, or write all of them
///
/// For example: wharf man put | man -l -
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The command, such as `put` or `admin user add`; `wharf` itself when it is left out
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    out: Option<PathBuf>,
    /// Print the reference of all commands as Markdown
    #[arg(long, conflicts_with_all = ["command", "out"])]
    markdown: bool,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut root = Cli::command();
        root.build();
        if self.markdown {
            context
                .output
                .bytes(reference::markdown(&root).as_bytes())?;
            return Ok(Exit::Done);
        }
        if let Some(folder) = &self.out {
            std::fs::create_dir_all(folder)?;
            let count = write_all(&root, "wharf", folder)?;
            context
                .output
                .note(format_args!("Wrote {count} pages to {}.", folder.display()));
            return Ok(Exit::Done);
        }
        let mut command = &root;
        let mut title = "wharf".to_owned();
        for name in &self.command {
            command = command.find_subcommand(name).ok_or_else(|| {
                Failure::new(
                    Exit::NotFound,
                    format!("There is no command `{title} {name}`"),
                )
                .hint("See `wharf help`.")
            })?;
            title = format!("{title}-{name}");
        }
        context.output.bytes(&page(command, &title)?)?;
        Ok(Exit::Done)
    }
}

fn page(command: &Command, title: &str) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(title)
        .render(&mut text)?;
    Ok(text)
}

fn write_all(command: &Command, title: &str, folder: &Path) -> anyhow::Result<usize> {
    let path = folder.join(format!("{title}.1"));
    std::fs::write(&path, page(command, title)?)
        .with_context(|| format!("Could not write {}", path.display()))?;
    let mut count = 1;
    for below in command
        .get_subcommands()
        .filter(|below| reference::is_shown(below))
    {
        count += write_all(below, &format!("{title}-{}", below.get_name()), folder)?;
    }
    Ok(count)
}
