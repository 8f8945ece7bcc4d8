//! One connection to the server and the statements it keeps prepared.

use std::collections::HashMap;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls, SimpleQueryMessage, Statement};

use crate::sql::error::{Error, Result};
use crate::sql::tx::{Place, Row, Session, Sql, place_of};
use crate::sql::value::Value;

const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// A connection whose other end says nothing for about this long is given up.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Kept statements; the program has some hundreds.
const STATEMENTS_MAX: usize = 1024;
/// A holder of a lock that hangs is put out by the server, so that others get on.
///
/// A statement is planned a few times and the plan then kept. One that was planned while its table was small would go on
/// reading the whole of it when it has grown to millions of rows: every statement here has an index to go by, so reading
/// whole tables is made the last resort.
const SETTINGS: &str = "SET lock_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s'; \
     SET enable_seqscan = off";

/// How to connect.
pub(super) struct Connector {
    config: Config,
}

/// A connection and its prepared statements, found by the address of their text.
pub(super) struct Connection {
    client: Client,
    statements: HashMap<Place, Statement>,
}

/// A value on its way to the server.
#[derive(Debug)]
struct Bound<'a>(&'a Value<'a>);

impl Connector {
    pub(super) fn new(url: &str) -> Result<Self> {
        let mut config: Config = url.parse().map_err(error_of)?;
        config
            .keepalives_idle(SILENCE_MAX)
            .tcp_user_timeout(SILENCE_MAX);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_WAIT);
        }
        if config.get_application_name().is_none() {
            config.application_name("wharf");
        }
        Ok(Self { config })
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// `Unavailable`, whatever is in the way.
    pub(super) fn connect(&self) -> Result<Connection> {
        let connect = || {
            let mut client = self.config.connect(NoTls)?;
            client.batch_execute(SETTINGS)?;
            Ok(client)
        };
        let client = connect().map_err(|error| Error::Unavailable(text_of(&error)))?;
        Ok(Connection {
            client,
            statements: HashMap::new(),
        })
    }
}

impl Connection {
    /// Runs statements of the transaction itself.
    pub(super) fn control(&mut self, sql: &str) -> Result<()> {
        self.client.batch_execute(sql).map_err(error_of)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Reads a setting of the server.
    pub(super) fn setting(&mut self, name: &'static str) -> Result<String> {
        let messages = self
            .client
            .simple_query(&format!("SHOW {name}"))
            .map_err(error_of)?;
        messages
            .iter()
            .find_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            })
            .ok_or_else(|| Error::other(format_args!("no setting {name}")))
    }

    fn prepare(&mut self, sql: Sql<'_>, args: &[Value<'_>]) -> Result<Statement> {
        let (text, place) = match sql {
            Sql::Kept(text) => (text, Some(place_of(text))),
            Sql::Once(text) => (text, None),
        };
        if let Some(statement) = place.and_then(|place| self.statements.get(&place)) {
            return Ok(statement.clone());
        }
        let (text, marker_count) = numbered(text);
        if marker_count != args.len() {
            return Err(Error::other(format_args!(
                "{} arguments for {marker_count} markers",
                args.len()
            )));
        }
        // The types of the arguments are those of the columns. Left to itself the server would take `?1 + 1` for a
        // 32-bit addition.
        let types: Vec<Type> = args.iter().map(type_of).collect();
        let statement = self.client.prepare_typed(&text, &types).map_err(error_of)?;
        if let Some(place) = place {
            if self.statements.len() >= STATEMENTS_MAX {
                self.statements.clear();
            }
            self.statements.insert(place, statement.clone());
        }
        Ok(statement)
    }

    /// Runs a statement to its end and returns how many rows it touched.
    fn run(
        &mut self,
        sql: Sql<'_>,
        args: &[Value<'_>],
        take: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<u64> {
        let statement = self.prepare(sql, args)?;
        if statement.params().len() != args.len() {
            return Err(Error::other(format_args!(
                "{} arguments for {} markers",
                args.len(),
                statement.params().len()
            )));
        }
        let mut rows = self
            .client
            .query_raw(&statement, args.iter().map(Bound))
            .map_err(error_of)?;
        while let Some(row) = rows.next().map_err(error_of)? {
            take(&Row::of_postgres(&row))?;
        }
        Ok(rows.rows_affected().unwrap_or(0))
    }
}

impl Session for Connection {
    fn exec(&mut self, sql: Sql<'_>, args: &[Value<'_>]) -> Result<u64> {
        self.run(sql, args, &mut |_| {
            Err(Error::other("a statement that gives rows was executed"))
        })
    }

    fn each(
        &mut self,
        sql: Sql<'_>,
        args: &[Value<'_>],
        take: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        self.run(sql, args, take).map(drop)
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        self.control(sql)
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        // The statement was prepared for the types of its first arguments, and nothing else would be understood.
        if type_of(self.0) != *kind {
            return Err(format!("{:?} where the statement had {kind} before", self.0).into());
        }
        match *self.0 {
            Value::Int(value) => out.put_i64(value),
            Value::Uint(value) => out.put_i64(i64::try_from(value)?),
            Value::Text(text) => out.put_slice(text.as_bytes()),
            Value::Bytes(bytes) => out.put_slice(bytes),
            Value::Id(id) => out.put_slice(&id),
            Value::NullInt | Value::NullText | Value::NullBytes => return Ok(IsNull::Yes),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The text with markers as the server wants them, and the highest of them.
fn numbered(sql: &str) -> (String, usize) {
    let mut parts = sql.split('?');
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut highest = 0;
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let number = part
            .get(..digits)
            .and_then(|digits| digits.parse().ok())
            .unwrap_or(0);
        highest = highest.max(number);
        text.push('$');
        text.push_str(part);
    }
    (text, highest)
}

fn type_of(value: &Value<'_>) -> Type {
    match value {
        Value::Int(_) | Value::Uint(_) | Value::NullInt => Type::INT8,
        Value::Text(_) | Value::NullText => Type::TEXT,
        Value::Bytes(_) | Value::Id(_) | Value::NullBytes => Type::BYTEA,
    }
}

/// Reads an integer. What SQLite has as 0 and 1 and calls integers may be a boolean or narrower here.
pub(in crate::sql) fn opt_int(row: &postgres::Row, column: usize) -> Result<Option<i64>> {
    let Some(kind) = row.columns().get(column).map(postgres::Column::type_) else {
        return Err(Error::other(format_args!("there is no column {column}")));
    };
    let value = match *kind {
        Type::BOOL => row
            .try_get::<_, Option<bool>>(column)
            .map(|value| value.map(i64::from)),
        Type::INT4 => row
            .try_get::<_, Option<i32>>(column)
            .map(|value| value.map(i64::from)),
        _ => row.try_get::<_, Option<i64>>(column),
    };
    value.map_err(error_of)
}

/// What an error of the server's, or of the way there, means here.
#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
pub(super) fn error_of(error: postgres::Error) -> Error {
    let text = text_of(&error);
    let Some(code) = error.code() else {
        // Without a code it is not the server who speaks: the connection broke, or a value does not fit the statement.
        return if error.is_closed() || is_io(&error) {
            Error::Unavailable(text)
        } else {
            Error::Other(text)
        };
    };
    match *code {
        SqlState::UNIQUE_VIOLATION => Error::Unique,
        SqlState::FOREIGN_KEY_VIOLATION | SqlState::RESTRICT_VIOLATION => Error::ForeignKey,
        SqlState::T_R_SERIALIZATION_FAILURE
        | SqlState::T_R_DEADLOCK_DETECTED
        | SqlState::LOCK_NOT_AVAILABLE => Error::Retry,
        SqlState::DISK_FULL => Error::Full,
        SqlState::IO_ERROR => Error::Io(text),
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => Error::Corrupt(text),
        SqlState::ADMIN_SHUTDOWN
        | SqlState::CRASH_SHUTDOWN
        | SqlState::CANNOT_CONNECT_NOW
        | SqlState::TOO_MANY_CONNECTIONS
        | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Error::Unavailable(text),
        _ => Error::Other(text),
    }
}

fn is_io(error: &postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

/// The error and its causes: by itself it only says "db error".
fn text_of(error: &postgres::Error) -> Box<str> {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text.into()
}
