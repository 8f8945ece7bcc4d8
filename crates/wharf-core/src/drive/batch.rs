//! Rows inserted many at a time: on PostgreSQL each statement costs a turn of the wire.

use std::fmt::Write as _;
use std::sync::OnceLock;

use wharf_store::sql::{Result, Tx, Value};

/// An `INSERT` of rows of `COLUMNS` values, in a form for one row and in one for [`Batch::ROWS`].
#[derive(Debug)]
pub(super) struct Batch<const COLUMNS: usize> {
    head: &'static str,
    one: OnceLock<String>,
    many: OnceLock<String>,
}

impl<const COLUMNS: usize> Batch<COLUMNS> {
    /// Rows in one statement: enough to make the turns of the wire cheap, below the 1,000 or so markers where planning a
    /// statement starts to cost more than it saves.
    pub(super) const ROWS: usize = 64;

    /// `head` is the statement up to and with `VALUES `.
    pub(super) const fn new(head: &'static str) -> Self {
        Self {
            head,
            one: OnceLock::new(),
            many: OnceLock::new(),
        }
    }

    /// Inserts a row for each of `items`.
    pub(super) fn insert<'i, Item>(
        &'static self,
        tx: &mut Tx<'_>,
        items: &'i [Item],
        values: impl Fn(&'i Item) -> [Value<'i>; COLUMNS],
    ) -> Result<()> {
        let (many, rest) = items.as_chunks::<64>();
        for items in many {
            let args: Vec<_> = items.iter().flat_map(&values).collect();
            tx.exec(self.many.get_or_init(|| self.text(Self::ROWS)), &args)?;
        }
        for item in rest {
            tx.exec(self.one.get_or_init(|| self.text(1)), &values(item))?;
        }
        Ok(())
    }

    fn text(&self, row_count: usize) -> String {
        let mut text = self.head.to_owned();
        for row in 0..row_count {
            text.push_str(if row == 0 { "(" } else { ", (" });
            for column in 1..=COLUMNS {
                let comma = if column == 1 { "" } else { ", " };
                // Writing to a String cannot fail.
                let _ = write!(text, "{comma}?{}", row * COLUMNS + column);
            }
            text.push(')');
        }
        text
    }
}
