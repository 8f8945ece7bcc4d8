//! Which database a server keeps its rows in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// The embedded database, or PostgreSQL.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum DatabaseUrl {
    /// SQLite in the data folder.
    Sqlite,
    /// PostgreSQL, by its connection URL or by words such as `host=/run/postgresql dbname=wharf`. May hold a password.
    Postgres(String),
}

/// A text that names no database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected \"sqlite\" or \"postgres://USER@HOST/DATABASE\"")]
pub(crate) struct InvalidDatabase;

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabase;

    fn from_str(text: &str) -> Result<Self, InvalidDatabase> {
        if text == "sqlite" {
            Ok(Self::Sqlite)
        } else if is_url(text) || is_words(text) {
            Ok(Self::Postgres(text.to_owned()))
        } else {
            Err(InvalidDatabase)
        }
    }
}

fn is_url(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

fn is_words(text: &str) -> bool {
    // The parameters of a URL have the same sign.
    if text.contains("://") {
        return false;
    }
    let mut words = text.split_whitespace().peekable();
    words.peek().is_some() && words.all(|word| word.contains('=') && !word.starts_with('='))
}

/// Without the password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite => f.write_str("sqlite"),
            Self::Postgres(text) if is_words(text) => {
                let shown = text
                    .split_whitespace()
                    .filter(|word| !word.starts_with("password="));
                f.write_str(&shown.collect::<Vec<_>>().join(" "))
            }
            Self::Postgres(text) => match url::Url::parse(text) {
                Ok(mut url) => {
                    // Only a URL without a host cannot hold a password, and then there is none to hide.
                    if url.password().is_some() {
                        url.set_password(Some("***")).unwrap_or_default();
                    }
                    // A password may also be a parameter.
                    url.set_query(None);
                    f.write_str(url.as_str())
                }
                Err(_) => f.write_str("postgres://…"),
            },
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl<'de> Deserialize<'de> for DatabaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::DatabaseUrl;

    #[test]
    fn a_password_is_never_shown() {
        let url: DatabaseUrl = "postgres://wharf:secret@db/wharf?password=secret"
            .parse()
            .unwrap();
        assert_eq!(url.to_string(), "postgres://wharf:***@db/wharf");
        assert_eq!(format!("{url:?}"), "postgres://wharf:***@db/wharf");
        let words: DatabaseUrl = "host=/run/postgresql password=secret dbname=wharf"
            .parse()
            .unwrap();
        assert_eq!(words.to_string(), "host=/run/postgresql dbname=wharf");
        for text in ["", "mysql://x", "sqlite3", "host= and more"] {
            assert!(text.parse::<DatabaseUrl>().is_err(), "{text}");
        }
    }
}
