//! What an object store must do, one scenario each. The definition of the port: every form passes all of them.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinSet;
use wharf_store::blob::{Blob, Error};

/// Makes a module `NAME` with a test for each scenario of the suite, on a store that `$open` makes, an expression of
/// `(impl Blob, guard)`; the guard lives as long as the scenario runs.
#[macro_export]
macro_rules! blob_suite {
    ($name:ident, $open:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "what the expression needs")]
            use super::*;

            $crate::blob_suite!(@ $open;
                what_was_put_is_read_back,
                ranges_are_exact_or_refused,
                a_key_is_put_once,
                one_of_many_puts_of_a_key_wins,
                what_is_not_there_is_missing,
                what_was_deleted_is_gone_and_may_be_put_again,
                lists_are_in_the_order_of_bytes_in_pages,
                keys_that_are_none_are_refused,
                many_parts_and_none_make_an_object,
                a_reader_sees_all_of_an_object_or_nothing,
            );
        }
    };
    (@ $open:expr; $($scenario:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $scenario() {
            let (blob, _guard) = $open;
            $crate::blob::suite::$scenario(std::sync::Arc::new(blob)).await;
        }
    )+};
}

async fn put(blob: &Arc<impl Blob + ?Sized>, key: &str, content: &'static [u8]) {
    blob.put(key, vec![Bytes::from_static(content)])
        .await
        .expect("put");
}

async fn whole(blob: &Arc<impl Blob + ?Sized>, key: &str) -> Bytes {
    let bytes = blob.size(key).await.expect("size");
    blob.get_range(key, 0, bytes).await.expect("get")
}

#[expect(missing_docs, reason = "the names say it, and blob_suite lists them")]
mod scenarios {
    use super::{Arc, Blob, Bytes, Error, JoinSet, put, whole};

    pub async fn what_was_put_is_read_back(blob: Arc<impl Blob>) {
        put(&blob, "a/b", b"first").await;
        put(&blob, "c", b"second").await;
        assert_eq!(whole(&blob, "a/b").await, "first");
        assert_eq!(whole(&blob, "c").await, "second");
        assert_eq!(blob.size("a/b").await.expect("size"), 5);
    }

    pub async fn ranges_are_exact_or_refused(blob: Arc<impl Blob>) {
        put(&blob, "a", b"0123456789").await;
        assert_eq!(blob.get_range("a", 3, 4).await.expect("within"), "3456");
        assert_eq!(blob.get_range("a", 9, 1).await.expect("the last"), "9");
        assert_eq!(
            blob.get_range("a", 10, 0)
                .await
                .expect("nothing, at the end"),
            ""
        );
        for (offset, bytes) in [
            (9, 2),
            (10, 1),
            (0, 11),
            (11, 0),
            (1, u64::MAX),
            (u64::MAX, 1),
        ] {
            let refused = blob.get_range("a", offset, bytes).await;
            assert!(
                matches!(refused, Err(Error::Range { .. })),
                "{offset}+{bytes}: {refused:?}"
            );
        }
    }

    pub async fn a_key_is_put_once(blob: Arc<impl Blob>) {
        put(&blob, "a", b"first").await;
        let again = blob.put("a", vec![Bytes::from_static(b"second")]).await;
        assert!(matches!(again, Err(Error::Exists { .. })), "{again:?}");
        assert_eq!(whole(&blob, "a").await, "first");
    }

    pub async fn one_of_many_puts_of_a_key_wins(blob: Arc<impl Blob + 'static>) {
        let mut puts = JoinSet::new();
        for number in 0..16_u8 {
            let blob = Arc::clone(&blob);
            puts.spawn(async move {
                let content = Bytes::from(vec![number; 100_000]);
                blob.put("a", vec![content.clone()]).await.map(|()| content)
            });
        }
        let done = puts.join_all().await;
        let won: Vec<&Bytes> = done.iter().filter_map(|done| done.as_ref().ok()).collect();
        assert_eq!(won.len(), 1);
        assert_eq!(whole(&blob, "a").await, won[0]);
        let lost = done
            .iter()
            .filter(|done| matches!(done, Err(Error::Exists { .. })));
        assert_eq!(lost.count(), 15);
    }

    pub async fn what_is_not_there_is_missing(blob: Arc<impl Blob>) {
        put(&blob, "a/b", b"x").await;
        for key in ["b", "a/c", "a/b/c", "c/d"] {
            let read = blob.get_range(key, 0, 0).await;
            assert!(
                matches!(read, Err(Error::Missing { .. })),
                "{key}: {read:?}"
            );
            let size = blob.size(key).await;
            assert!(
                matches!(size, Err(Error::Missing { .. })),
                "{key}: {size:?}"
            );
            blob.delete(key)
                .await
                .expect("what is not there is deleted already");
        }
    }

    pub async fn what_was_deleted_is_gone_and_may_be_put_again(blob: Arc<impl Blob>) {
        put(&blob, "a", b"first").await;
        assert_eq!(whole(&blob, "a").await, "first");
        blob.delete("a").await.expect("delete");
        let read = blob.get_range("a", 0, 5).await;
        assert!(matches!(read, Err(Error::Missing { .. })), "{read:?}");
        assert_eq!(blob.list("", None, 10).await.expect("list"), []);
        put(&blob, "a", b"again").await;
        assert_eq!(whole(&blob, "a").await, "again");
    }

    pub async fn lists_are_in_the_order_of_bytes_in_pages(blob: Arc<impl Blob>) {
        let keys = [
            "a-b", "a/1", "a/2/x", "a/2-x", "a0", "b", "b/x.y", "c/0", "c/1", "c/2",
        ];
        // A folder cannot hold both a file and a folder of one name, and no caller wants to.
        let keys: Vec<&str> = keys.into_iter().filter(|key| *key != "b").collect();
        for key in keys.iter().rev() {
            put(&blob, key, b"12").await;
        }
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        for limit in [1, 2, 3, 100] {
            let mut listed = Vec::new();
            let mut after: Option<String> = None;
            loop {
                let page = blob.list("", after.as_deref(), limit).await.expect("list");
                assert!(page.len() <= limit);
                let Some(last) = page.last() else { break };
                after = Some(last.key.clone());
                assert!(page.iter().all(|info| info.bytes == 2));
                listed.extend(page.into_iter().map(|info| info.key));
            }
            assert_eq!(listed, sorted, "in pages of {limit}");
        }
        let names = async |prefix: &str, after: Option<&str>| {
            let page = blob.list(prefix, after, 100).await.expect("list");
            page.into_iter().map(|info| info.key).collect::<Vec<_>>()
        };
        assert_eq!(names("c/", None).await, ["c/0", "c/1", "c/2"]);
        assert_eq!(names("c/", Some("c/1")).await, ["c/2"]);
        assert_eq!(names("c/", Some("a0")).await, ["c/0", "c/1", "c/2"]);
        assert_eq!(names("a/2", None).await, ["a/2-x", "a/2/x"]);
        assert_eq!(names("c/", Some("d")).await, [""; 0]);
        assert_eq!(names("nothing/", None).await, [""; 0]);
    }

    pub async fn keys_that_are_none_are_refused(blob: Arc<impl Blob>) {
        let long = "x".repeat(256);
        for key in ["", "/", "../x", "a//b", "a/", ".hidden", "A", "a b", &long] {
            let refused = [
                blob.put(key, Vec::new()).await.err(),
                blob.get_range(key, 0, 0).await.err(),
                blob.size(key).await.err(),
                blob.delete(key).await.err(),
            ];
            for refused in refused {
                assert!(
                    matches!(refused, Some(Error::Key { .. })),
                    "{key:?}: {refused:?}"
                );
            }
        }
    }

    pub async fn many_parts_and_none_make_an_object(blob: Arc<impl Blob>) {
        blob.put("none", Vec::new()).await.expect("no parts");
        assert_eq!(whole(&blob, "none").await, "");
        let part = |number: u32| Bytes::from(vec![number.to_le_bytes()[0]; number as usize % 7]);
        let parts: Vec<Bytes> = (0..5_000).map(part).collect();
        let content = parts.concat();
        blob.put("many", parts).await.expect("many parts");
        assert_eq!(whole(&blob, "many").await, content);
    }

    pub async fn a_reader_sees_all_of_an_object_or_nothing(blob: Arc<impl Blob + 'static>) {
        const BYTES: u64 = 4 * 1024 * 1024;
        let content = Bytes::from(vec![7; usize::try_from(BYTES).expect("a length in memory")]);
        let put = {
            let (blob, content) = (Arc::clone(&blob), content.clone());
            tokio::spawn(async move { blob.put("a", vec![content]).await })
        };
        loop {
            let is_done = put.is_finished();
            let size = blob.size("a").await;
            let is_absent = matches!(size, Err(Error::Missing { .. }));
            assert!(is_absent || size.is_ok_and(|bytes| bytes == BYTES));
            assert!(!(is_absent && is_done), "a put that returned is seen");
            for info in blob.list("", None, 10).await.expect("list") {
                assert_eq!((info.key.as_str(), info.bytes), ("a", BYTES));
            }
            if is_done {
                break;
            }
            tokio::task::yield_now().await;
        }
        put.await.expect("the put").expect("put");
        assert_eq!(whole(&blob, "a").await, content);
    }
}

pub use scenarios::{
    a_key_is_put_once, a_reader_sees_all_of_an_object_or_nothing, keys_that_are_none_are_refused,
    lists_are_in_the_order_of_bytes_in_pages, many_parts_and_none_make_an_object,
    one_of_many_puts_of_a_key_wins, ranges_are_exact_or_refused, what_is_not_there_is_missing,
    what_was_deleted_is_gone_and_may_be_put_again, what_was_put_is_read_back,
};
