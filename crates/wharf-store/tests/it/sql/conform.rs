//! The subset of SQL that both engines understand alike, and the values that pass through it.

use wharf_store::sql::{Engine, Error, Kind, Lock, Result, Value};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::{ChunkHash, NodeId};

use super::{names, put};

both_engines!(
    values_come_back_as_they_went,
    what_cannot_be_stored_is_refused,
    a_wrong_type_is_an_error_of_the_row,
    pages_by_key_follow_the_bytes,
    a_prefix_is_a_range,
    upserts_return_what_they_left,
    rows_are_inserted_from_a_query,
    rows_are_updated_from_another_table,
    paths_are_walked_by_recursion,
    windows_number_rows,
    sums_counts_and_conditions_are_integers,
    arithmetic_on_a_marker_is_wide,
    taken_keys_and_missing_parents_are_told_apart,
    one_row_is_asked_for_and_given,
    arguments_are_counted,
    statements_that_give_rows_are_not_executed,
    a_reader_cannot_write,
    large_values_are_kept,
);

async fn values_come_back_as_they_went(db: TestDb) {
    let node = NodeId::from_bytes([7; 16]);
    let hash = ChunkHash::of(b"content");
    db.write(Lock::None, move |tx| {
        tx.exec(
            "INSERT INTO change (room_id, position, node_id, kind, at_ms, account_id, parent_id, name, node_kind, \
             bytes, content, mtime_ns, superseded_ms, manifest) \
             VALUES (?1, ?2, ?3, 0, ?4, ?5, ?3, ?6, 1, ?7, ?8, ?9, ?10, ?11)",
            &[
                (&[1; 16]).into(),
                1_u32.into(),
                node.into(),
                i64::MIN.into(),
                Value::NullBytes,
                "é\u{301} \u{1F600}\n".into(),
                (i64::MAX.unsigned_abs()).into(),
                (&hash).into(),
                Value::NullInt,
                Some(5_i64).into(),
                Value::Bytes(&[]),
            ],
        )
    })
    .await
    .unwrap();
    let read = db.read(move |tx| {
        tx.one(
            "SELECT node_id, at_ms, account_id, name, bytes, content, mtime_ns, superseded_ms, manifest FROM change",
            &[],
            |row| {
                assert_eq!(row.id::<NodeId>(0)?, node);
                assert_eq!(row.int(1)?, i64::MIN);
                assert_eq!(row.opt_id::<NodeId>(2)?, None);
                assert_eq!(row.text(3)?, "é\u{301} \u{1F600}\n");
                assert_eq!(row.uint(4)?, i64::MAX.unsigned_abs());
                assert_eq!(row.opt_id::<ChunkHash>(5)?, Some(hash));
                assert_eq!(row.opt_int(6)?, None);
                assert_eq!(row.opt_uint(7)?, Some(5));
                assert_eq!(row.opt_bytes(8)?, Some(&[][..]));
                Ok(())
            },
        )
    });
    read.await.unwrap();
}

async fn what_cannot_be_stored_is_refused(db: TestDb) {
    let subject = "INSERT INTO attempt (subject, window_ms, failed_count) VALUES (?1, 0, 0)";
    let window = "INSERT INTO attempt (subject, window_ms, failed_count) VALUES ('x', ?1, 0)";
    for (sql, value) in [
        (window, Value::Uint(u64::MAX)),
        (subject, Value::Text("a\0b")),
        (window, Value::Text("many")),
        (window, Value::Bytes(b"1")),
        (subject, Value::NullText),
    ] {
        let refused: Result<u64> = db.write(Lock::None, move |tx| tx.exec(sql, &[value])).await;
        assert!(
            matches!(refused, Err(Error::Other(_))),
            "{value:?}: {refused:?}"
        );
    }
}

async fn a_wrong_type_is_an_error_of_the_row(db: TestDb) {
    db.write(Lock::None, |tx| put(tx, "a", "b")).await.unwrap();
    for column in 0..3 {
        let read: Result<i64> = db
            .read(move |tx| {
                tx.one("SELECT name, value FROM setting", &[], |row| {
                    row.int(column)
                })
            })
            .await;
        assert!(read.is_err(), "column {column}");
    }
}

async fn pages_by_key_follow_the_bytes(db: TestDb) {
    let sorted = ["A", "Z", "_x", "a", "a b", "ab", "b", "é", "\u{1F600}"];
    db.write(Lock::None, move |tx| {
        for name in sorted.iter().rev() {
            put(tx, name, "")?;
        }
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
    let mut seen: Vec<String> = Vec::new();
    loop {
        let after = seen.last().cloned().unwrap_or_default();
        let page = db.read(move |tx| {
            tx.all(
                "SELECT name FROM setting WHERE name > ?1 ORDER BY name LIMIT ?2",
                &[(&after).into(), 2_u32.into()],
                |row| row.text(0).map(str::to_owned),
            )
        });
        let page = page.await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, sorted);
}

async fn a_prefix_is_a_range(db: TestDb) {
    db.write(Lock::None, |tx| {
        for name in ["A/1", "a", "a/1", "a/2", "a/\u{10FFFF}", "a0", "b"] {
            put(tx, name, "")?;
        }
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
    let found = db.read(|tx| {
        tx.all(
            "SELECT name FROM setting WHERE name >= ?1 AND name < ?2 ORDER BY name",
            &["a/".into(), "a0".into()],
            |row| row.text(0).map(str::to_owned),
        )
    });
    assert_eq!(found.await.unwrap(), ["a/1", "a/2", "a/\u{10FFFF}"]);
}

async fn upserts_return_what_they_left(db: TestDb) {
    let mut counts = Vec::new();
    for _ in 0..3 {
        let count = db.write(Lock::None, |tx| {
            tx.one(
                "INSERT INTO attempt (subject, window_ms, failed_count) VALUES (?1, ?2, 1) \
                 ON CONFLICT (subject) DO UPDATE SET failed_count = attempt.failed_count + 1, window_ms = excluded.window_ms \
                 RETURNING failed_count",
                &["who".into(), 9_i64.into()],
                |row| row.int(0),
            )
        });
        counts.push(count.await.unwrap());
    }
    assert_eq!(counts, [1, 2, 3]);
    let ignored = db.write(Lock::None, |tx| {
        tx.opt(
            "INSERT INTO attempt (subject, window_ms, failed_count) VALUES ('who', 0, 0) \
             ON CONFLICT DO NOTHING RETURNING subject",
            &[],
            |row| row.text(0).map(str::to_owned),
        )
    });
    assert_eq!(ignored.await, Ok(None));
}

async fn rows_are_inserted_from_a_query(db: TestDb) {
    let inserted = db.write(Lock::None, |tx| {
        put(tx, "a", "1")?;
        put(tx, "b", "2")?;
        tx.exec(
            "INSERT INTO setting (name, value) SELECT value, name FROM setting WHERE true \
             ON CONFLICT (name) DO NOTHING",
            &[],
        )
    });
    assert_eq!(inserted.await, Ok(2));
    assert_eq!(names(&db).await, ["1", "2", "a", "b"]);
}

async fn rows_are_updated_from_another_table(db: TestDb) {
    let updated = db.write(Lock::None, |tx| {
        put(tx, "a", "1")?;
        tx.exec("INSERT INTO attempt (subject, window_ms, failed_count) VALUES ('a', 7, 0), ('b', 7, 0)", &[])?;
        tx.exec(
            "UPDATE attempt SET window_ms = ?1 FROM setting WHERE setting.name = attempt.subject",
            &[8_i64.into()],
        )
    });
    assert_eq!(updated.await, Ok(1));
}

async fn paths_are_walked_by_recursion(db: TestDb) {
    db.write(Lock::None, |tx| {
        for (name, parent) in [
            ("leaf", "branch"),
            ("branch", "root"),
            ("root", ""),
            ("other", "root"),
        ] {
            put(tx, name, parent)?;
        }
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
    let path = db.read(|tx| {
        tx.all(
            "WITH RECURSIVE up (name, parent, depth) AS ( \
               SELECT name, value, CAST(0 AS BIGINT) FROM setting WHERE name = ?1 \
               UNION ALL \
               SELECT s.name, s.value, up.depth + 1 FROM setting s JOIN up ON s.name = up.parent \
             ) SELECT name FROM up ORDER BY depth DESC",
            &["leaf".into()],
            |row| row.text(0).map(str::to_owned),
        )
    });
    assert_eq!(path.await.unwrap(), ["root", "branch", "leaf"]);
}

async fn windows_number_rows(db: TestDb) {
    db.write(Lock::None, |tx| {
        for (name, value) in [("a", "x"), ("b", "x"), ("c", "y")] {
            put(tx, name, value)?;
        }
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
    let numbers = db.read(|tx| {
        tx.all(
            "SELECT row_number() OVER (PARTITION BY value ORDER BY name) FROM setting ORDER BY name",
            &[],
            |row| row.int(0),
        )
    });
    assert_eq!(numbers.await.unwrap(), [1, 2, 1]);
}

async fn sums_counts_and_conditions_are_integers(db: TestDb) {
    db.write(Lock::None, |tx| {
        tx.exec("INSERT INTO attempt (subject, window_ms, failed_count) VALUES ('a', 5, 0), ('b', 6, 0)", &[])
    })
    .await
    .unwrap();
    let read = db.read(|tx| {
        tx.one(
            "SELECT CAST(sum(window_ms) AS BIGINT), count(*), EXISTS (SELECT 1 FROM attempt WHERE subject = 'a'), \
             CASE WHEN max(window_ms) > 5 THEN 1 ELSE 0 END, CAST(sum(window_ms) FILTER (WHERE subject = 'z') AS BIGINT) \
             FROM attempt",
            &[],
            |row| Ok((row.int(0)?, row.int(1)?, row.flag(2)?, row.flag(3)?, row.opt_int(4)?)),
        )
    });
    assert_eq!(read.await, Ok((11, 2, true, true, None)));
}

async fn arithmetic_on_a_marker_is_wide(db: TestDb) {
    let wide = 5_000_000_000_i64;
    let read = db.read(move |tx| tx.one("SELECT ?1 + 1", &[wide.into()], |row| row.int(0)));
    assert_eq!(read.await, Ok(wide + 1));
}

async fn taken_keys_and_missing_parents_are_told_apart(db: TestDb) {
    let taken: Result<()> = db
        .write(Lock::None, |tx| {
            put(tx, "a", "1")?;
            put(tx, "a", "2")?;
            Ok(())
        })
        .await;
    assert_eq!(taken, Err(Error::Unique));
    let orphan = |tx: &mut wharf_store::sql::Tx<'_>| {
        tx.exec(
            "INSERT INTO member (room_id, account_id, role, joined_ms) VALUES (?1, ?1, 'owner', 0)",
            &[(&[3; 16]).into()],
        )
    };
    assert_eq!(db.write(Lock::None, orphan).await, Err(Error::ForeignKey));
    assert_eq!(names(&db).await, [""; 0]);
}

async fn one_row_is_asked_for_and_given(db: TestDb) {
    db.write(Lock::None, |tx| {
        put(tx, "a", "x")?;
        put(tx, "b", "x")
    })
    .await
    .unwrap();
    let name = |row: &wharf_store::sql::Row<'_>| row.text(0).map(str::to_owned);
    let read = db.read(move |tx| {
        let missing = tx.one("SELECT name FROM setting WHERE name = 'z'", &[], name);
        assert_eq!(missing, Err(Error::Missing));
        // That was an answer, not a failure: the transaction goes on.
        assert_eq!(
            tx.opt("SELECT name FROM setting WHERE name = 'z'", &[], name)?,
            None
        );
        assert_eq!(
            tx.one("SELECT name FROM setting WHERE name = 'a'", &[], name)?,
            "a"
        );
        tx.opt("SELECT name FROM setting WHERE value = 'x'", &[], name)
    });
    assert_eq!(read.await, Err(Error::Ambiguous));
}

async fn arguments_are_counted(db: TestDb) {
    let args: [&'static [Value<'static>]; 2] = [&[], &[Value::Int(1), Value::Int(2)]];
    for args in args {
        let read: Result<i64> = db
            .read(move |tx| tx.one("SELECT CAST(?1 AS BIGINT)", args, |row| row.int(0)))
            .await;
        assert!(matches!(read, Err(Error::Other(_))), "{args:?}: {read:?}");
    }
}

async fn statements_that_give_rows_are_not_executed(db: TestDb) {
    db.write(Lock::None, |tx| put(tx, "a", "b")).await.unwrap();
    let executed = db
        .write(Lock::None, |tx| tx.exec("SELECT name FROM setting", &[]))
        .await;
    assert!(matches!(executed, Err(Error::Other(_))), "{executed:?}");
}

async fn a_reader_cannot_write(db: TestDb) {
    let written = db.read(|tx| put(tx, "a", "b")).await;
    assert!(matches!(written, Err(Error::Other(_))), "{written:?}");
    assert_eq!(names(&db).await, [""; 0]);
}

async fn large_values_are_kept(db: TestDb) {
    let large: Vec<u8> = (0..5_000_000_u32)
        .map(|number| number.to_le_bytes()[0])
        .collect();
    let sent = large.clone();
    db.write(Lock::None, move |tx| {
        tx.exec(
            "INSERT INTO change (room_id, position, node_id, kind, at_ms, name, node_kind, manifest) \
             VALUES (?1, 1, ?1, 0, 0, '', 1, ?2)",
            &[(&[1; 16]).into(), (&sent).into()],
        )
    })
    .await
    .unwrap();
    let read = db.read(|tx| {
        tx.one("SELECT manifest FROM change", &[], |row| {
            Ok(row.bytes(0)?.to_vec())
        })
    });
    assert!(read.await.unwrap() == large);
}

both_engines!(
    text_sorts_by_bytes_in_every_column,
    both_engines_have_these_tables
);

async fn text_sorts_by_bytes_in_every_column(db: TestDb) {
    if db.engine() == Engine::Sqlite {
        // Its columns do unless they say otherwise.
        let others = db.read(|tx| {
            tx.one(
                "SELECT count(*) FROM sqlite_schema WHERE lower(sql) LIKE '%collate%'",
                &[],
                |row| row.int(0),
            )
        });
        assert_eq!(others.await, Ok(0));
        return;
    }
    let others = db.read(|tx| {
        tx.all(
            "SELECT table_name || '.' || column_name FROM information_schema.columns \
             WHERE table_schema = current_schema() AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'",
            &[],
            |row| row.text(0).map(str::to_owned),
        )
    });
    assert_eq!(others.await.unwrap(), [""; 0]);
}

/// The list is SQLite's, read at the time of the test, so that each engine is compared with the other.
async fn both_engines_have_these_tables(db: TestDb) {
    let (mut these, mut others) = tokio::task::spawn_blocking(move || {
        let other = TestDb::open(match db.engine() {
            Engine::Sqlite => Engine::Postgres,
            Engine::Postgres => Engine::Sqlite,
        });
        (db.tables().unwrap(), other.tables().unwrap())
    })
    .await
    .unwrap();
    assert!(these.iter().any(|table| {
        table.name == "node"
            && table.columns.iter().any(|column| {
                column.name == "content" && column.kind == Kind::Bytes && column.is_nullable
            })
    }));
    these.sort_by(|a, b| a.name.cmp(&b.name));
    others.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(these, others);
}
