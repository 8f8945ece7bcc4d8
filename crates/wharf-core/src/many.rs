//! Many values in one statement: on PostgreSQL each statement is a round trip.
//!
//! A statement has a fixed number of places, so that there is one to prepare. Fewer values are padded with the last one,
//! which an `IN` takes as if it were there once.

use wharf_store::sql::Value;

/// Values in one statement.
pub(crate) const MANY: usize = 64;

/// The places of [`MANY`] values, of which the first has this number.
pub(crate) fn markers(first: usize) -> String {
    let markers: Vec<String> = (first..first + MANY)
        .map(|place| format!("?{place}"))
        .collect();
    markers.join(",")
}

fn padded<'a, T>(values: &'a [T]) -> impl Iterator<Item = Value<'a>>
where
    Value<'a>: From<&'a T>,
{
    values
        .iter()
        .chain(values.last().into_iter().cycle())
        .take(MANY)
        .map(Value::from)
}

/// [`MANY`] of `values`.
pub(crate) fn places<'a, T>(values: &'a [T]) -> Vec<Value<'a>>
where
    Value<'a>: From<&'a T>,
{
    padded(values).collect()
}

/// A first value and then [`MANY`] of `values`.
pub(crate) fn after<'a, T>(first: Value<'a>, values: &'a [T]) -> Vec<Value<'a>>
where
    Value<'a>: From<&'a T>,
{
    std::iter::once(first).chain(padded(values)).collect()
}
