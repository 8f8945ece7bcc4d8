//! `wharf chat`: contacts, rooms and conversations in a terminal.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::Context as _;
use jiff::tz::TimeZone;

use crate::context::Context;
use crate::conversation::Conversations;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::ColorChoice;
use crate::tui::{Keymap, Login, Look, Notices, Teller, Theme, run};

/// Talk: contacts, rooms, conversations and their files, in the whole terminal
///
/// F1 or Ctrl-/ shows what the keys do; Ctrl-Q leaves. What is written while the server is away is sent once it is back.
/// Works over ssh and in 80 by 24 characters. docs/guide/chat.md has the rest.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How new messages are told while nobody looks
    #[arg(long, value_name = "HOW", value_enum, default_value_t)]
    notify: Notices,
    /// Leave the mouse to the terminal, for instance to select text
    #[arg(long)]
    no_mouse: bool,
    /// Draw with plain ASCII signs, for terminals and fonts that have no others
    #[arg(long)]
    ascii: bool,
    /// Where fetched files are offered to go, instead of Downloads in the home folder or the current folder
    #[arg(long, value_name = "FOLDER")]
    downloads: Option<PathBuf>,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
            return Err(Failure::usage("`wharf chat` needs a terminal").into());
        }
        let keys = context.config()?.keymap()?;
        let Conversations { session, chat, .. } = Conversations::open(context).await?;
        let username = session.username().await?;
        let me = match chat.me()? {
            Some(me) => me.account,
            None => session.api.account().await?.id,
        };
        let home = context.environment.get("HOME").map(PathBuf::from);
        let login = Login {
            server: session.server.to_string(),
            username,
            transfers: context.state_folder()?.join("transfers.db"),
            home: home.clone(),
            zone: TimeZone::system().iana_name().map(str::to_owned),
        };
        let look = self.look(context, home, keys)?;
        run(chat, me, login, look).await?;
        Ok(Exit::Done)
    }

    fn look(self, context: &Context, home: Option<PathBuf>, keys: Keymap) -> anyhow::Result<Look> {
        let environment = &context.environment;
        let has_colors = match context.global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => environment.get("NO_COLOR").is_none(),
        };
        let downloads = match (self.downloads, home.map(|home| home.join("Downloads"))) {
            (Some(folder), _) => folder,
            (None, Some(folder)) if folder.is_dir() => folder,
            (None, _) => std::env::current_dir().context("The current folder is gone")?,
        };
        Ok(Look {
            keys,
            theme: Theme::new(has_colors, self.ascii || is_ascii(environment)),
            teller: Teller::choose(self.notify, environment),
            has_mouse: !self.no_mouse,
            downloads,
        })
    }
}

/// Whether the locale names an encoding that is not UTF-8. Where nothing is set, as in many containers, UTF-8 is taken for
/// granted.
fn is_ascii(environment: &Environment) -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| environment.get(name))
        .is_some_and(|locale| {
            let locale = locale.to_string_lossy().to_lowercase();
            !locale.contains("utf-8") && !locale.contains("utf8")
        })
}

#[cfg(test)]
mod tests {
    use super::is_ascii;
    use crate::environment::Environment;

    #[test]
    fn the_locale_says_whether_there_are_signs() {
        assert!(!is_ascii(&Environment::of(&[])));
        assert!(!is_ascii(&Environment::of(&[("LANG", "de_CH.UTF-8")])));
        assert!(!is_ascii(&Environment::of(&[
            ("LANG", "C"),
            ("LC_ALL", "C.utf8")
        ])));
        assert!(is_ascii(&Environment::of(&[("LANG", "C")])));
    }
}
