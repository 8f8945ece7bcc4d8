//! What every engine must do alike, and what each must survive.

mod conform;
mod copy;
mod group;
mod locks;
mod migration;
mod to_read;
mod trouble;

use wharf_store::sql::{Db, Result, Tx};

/// Writes one row of the simplest table there is.
fn put(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<u64> {
    tx.exec(
        "INSERT INTO setting (name, value) VALUES (?1, ?2)",
        &[name.into(), value.into()],
    )
}

/// Its names, in order.
async fn names(db: &Db) -> Vec<String> {
    let names = db.read(|tx| {
        tx.all("SELECT name FROM setting ORDER BY name", &[], |row| {
            row.text(0).map(str::to_owned)
        })
    });
    names.await.unwrap()
}
