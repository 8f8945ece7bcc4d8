//! What a command works with: the output, the environment, the flags that every command takes.

use std::path::PathBuf;

use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::cli::Global;
use crate::config::server::{DataArgs, DataSettings, Resolver, ServerArgs, ServerSettings};
use crate::config::{self, Loaded};
use crate::environment::Environment;
use crate::output::Output;
use crate::profile::ProfileStore;

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) output: Output,
    pub(crate) environment: Environment,
    pub(crate) global: Global,
    /// What clap found, to tell flags from variables.
    matches: ArgMatches,
}

impl Context {
    /// Puts the parts together.
    pub(crate) fn new(
        output: Output,
        environment: Environment,
        global: Global,
        matches: ArgMatches,
    ) -> Self {
        Self {
            output,
            environment,
            global,
            matches,
        }
    }

    /// Reads the configuration file.
    pub(crate) fn config(&self) -> anyhow::Result<Loaded> {
        config::load(self.global.config.as_deref(), &self.environment)
    }

    /// Where the data of a server of this machine is.
    pub(crate) fn data_settings(&self, args: &DataArgs) -> anyhow::Result<DataSettings> {
        let file = self.config()?.file.server;
        let sources = |argument: &str| self.source(argument);
        Ok(Resolver::new(&sources).data(args, None, &file, &self.environment)?)
    }

    /// What a server of this machine runs by.
    pub(crate) fn server_settings(&self, args: &ServerArgs) -> anyhow::Result<ServerSettings> {
        let file = self.config()?.file;
        let sources = |argument: &str| self.source(argument);
        Ok(Resolver::new(&sources).server(args, &file, &self.environment)?)
    }

    /// Whether an argument of the command came from the command line or from a variable.
    pub(crate) fn source(&self, argument: &str) -> Option<ValueSource> {
        let mut matches = &self.matches;
        while let Some((_, deeper)) = matches.subcommand() {
            matches = deeper;
        }
        // An argument that the command does not have came from nowhere.
        matches
            .try_contains_id(argument)
            .ok()?
            .then(|| matches.value_source(argument))
            .flatten()
    }

    /// Where the client keeps logins and transfers.
    pub(crate) fn state_folder(&self) -> anyhow::Result<PathBuf> {
        Ok(self.environment.state_folder()?)
    }

    /// The servers that were logged in to.
    pub(crate) fn profiles(&self) -> anyhow::Result<ProfileStore> {
        Ok(ProfileStore::new(&self.state_folder()?))
    }
}
