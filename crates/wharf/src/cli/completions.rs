//! `wharf completions`: completions for shells, from the definition of the command line.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use crate::context::Context;
use crate::exit::Exit;

/// Print completions for a shell
///
/// For bash: wharf completions bash > ~/.local/share/bash-completion/completions/wharf
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "wharf", &mut text);
        context.output.bytes(&text)?;
        Ok(Exit::Done)
    }
}
