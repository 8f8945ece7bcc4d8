use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use wharf_types::api::live::ServerFrame;
use wharf_types::api::log::{Body, Entry, EntryState, Member, MemberChange, Origin, Text};
use wharf_types::{AccountId, EntryHash, RoomId, SessionId};

use super::{Feed, GAP_WAIT_MS, HELD_ENTRIES_MAX, Reached, Want};
use crate::live::conn::Conn;
use crate::live::outbox::About;

const ROOM: RoomId = RoomId::from_bytes([7; 16]);

fn account(number: u8) -> AccountId {
    AccountId::from_bytes([number; 16])
}

fn conn(number: u8) -> Arc<Conn> {
    let session = SessionId::from_bytes([number; 16]);
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let conn = Conn::new(u64::from(number), account(number), session, address);
    Arc::new(conn)
}

fn hash(position: u64) -> EntryHash {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&position.to_be_bytes());
    EntryHash::from_bytes(hash)
}

fn entry_of(position: u64, body: Body) -> Entry {
    Entry {
        position,
        at_ms: 0,
        account: Some(account(1)),
        hook: None,
        name: None,
        origin: Origin {
            session: None,
            door: "http".to_owned(),
            address: Some("192.0.2.1".to_owned()),
        },
        client_ms: None,
        countable: position,
        hash: hash(position),
        body: Some(body),
        state: EntryState::default(),
    }
}

fn entry(position: u64) -> Entry {
    let text = Text {
        text: position.to_string(),
        ..Text::default()
    };
    entry_of(position, Body::Text(text))
}

fn gone(position: u64, account: AccountId) -> Entry {
    let member = Member {
        account,
        change: MemberChange::Removed,
        role: None,
    };
    entry_of(position, Body::Member(member))
}

fn announce(feed: &mut Feed, positions: impl IntoIterator<Item = u64>) {
    for position in positions {
        feed.announce(Arc::new(entry(position)));
    }
}

/// The positions that a connection was told, and whether entries were dropped.
fn told(conn: &Conn) -> (Vec<u64>, bool) {
    let (taken, dropped) = conn.outbox.take();
    let frames = taken.told.iter().flat_map(|told| told.frames().iter());
    let positions = frames
        .map(|frame| match frame {
            ServerFrame::Entry { entry, .. } => {
                assert_eq!(
                    entry.origin.address, None,
                    "only its author is told an address"
                );
                entry.position
            }
            other => panic!("{other:?}"),
        })
        .collect();
    (positions, dropped.contains(&About::Entries(ROOM)))
}

fn begun(feed: &mut Feed, conn: &Arc<Conn>, head: u64) {
    feed.follow(conn);
    feed.begin(conn, head, hash(head));
}

#[test]
fn entries_are_told_in_order_whatever_the_order_they_are_announced_in() {
    let mut feed = Feed::new(ROOM);
    let one = conn(1);
    begun(&mut feed, &one, 3);
    announce(&mut feed, [6, 4, 2]);
    assert_eq!(feed.advance(0).want, Want::Look);
    assert_eq!(told(&one), (vec![4], false));
    announce(&mut feed, [5, 7]);
    let moved = feed.advance(1);
    assert_eq!((moved.want, moved.told_count), (Want::Nothing, 3));
    assert_eq!(told(&one), (vec![5, 6, 7], false));
    announce(&mut feed, [5, 6, 7]);
    assert_eq!(feed.advance(2).told_count, 0, "nothing is told twice");
}

#[test]
fn what_is_announced_between_following_and_the_snapshot_is_told_once() {
    let mut feed = Feed::new(ROOM);
    let one = conn(1);
    feed.follow(&one);
    // The snapshot was read at 5, after 4 and 5 and before 6 were announced.
    announce(&mut feed, [4, 5, 6]);
    assert_eq!(feed.advance(0).told_count, 0);
    assert!(!feed.begin(&one, 5, hash(5)));
    feed.advance(0);
    assert_eq!(told(&one), (vec![6], false));
}

#[test]
fn a_snapshot_behind_the_feed_is_told_where_the_log_stands() {
    let mut feed = Feed::new(ROOM);
    let (one, two) = (conn(1), conn(2));
    begun(&mut feed, &one, 3);
    feed.follow(&two);
    announce(&mut feed, [4, 5]);
    feed.advance(0);
    assert!(feed.begin(&two, 3, hash(3)));
    assert_eq!(told(&two), (vec![], true));
    assert_eq!(feed.catch_up(&two), Some((5, hash(5))));
    two.outbox.forget(About::Entries(ROOM));
    announce(&mut feed, [6]);
    feed.advance(0);
    assert_eq!(told(&two), (vec![6], false));
    assert_eq!(told(&one), (vec![4, 5, 6], false));
}

#[test]
fn a_snapshot_ahead_of_the_feed_is_not_told_what_it_has() {
    let mut feed = Feed::new(ROOM);
    let (one, two) = (conn(1), conn(2));
    begun(&mut feed, &one, 3);
    begun(&mut feed, &two, 5);
    announce(&mut feed, [4, 5, 6]);
    feed.advance(0);
    assert_eq!(told(&one), (vec![4, 5, 6], false));
    assert_eq!(told(&two), (vec![6], false));
}

#[test]
fn an_entry_that_nobody_announces_is_read_from_the_log() {
    let mut feed = Feed::new(ROOM);
    let one = conn(1);
    begun(&mut feed, &one, 3);
    announce(&mut feed, [5]);
    assert_eq!(feed.advance(100).want, Want::Look);
    assert_eq!(feed.advance(99 + GAP_WAIT_MS).want, Want::Look);
    assert_eq!(
        feed.advance(100 + GAP_WAIT_MS).want,
        Want::Read { after: 3 }
    );
    feed.fill(vec![entry(4), entry(5), entry(6)], 6, hash(6));
    assert_eq!(feed.advance(0).want, Want::Nothing);
    assert_eq!(told(&one), (vec![4, 5, 6], false));
}

#[test]
fn a_hint_is_followed_at_once() {
    let mut feed = Feed::new(ROOM);
    let one = conn(1);
    begun(&mut feed, &one, 3);
    feed.hint(4);
    assert_eq!(feed.advance(0).want, Want::Read { after: 3 });
    feed.fill(vec![entry(4)], 4, hash(4));
    assert_eq!(feed.advance(0).want, Want::Nothing);
    feed.hint(2);
    assert_eq!(feed.advance(0).want, Want::Nothing);
    assert_eq!(told(&one), (vec![4], false));
}

#[test]
fn a_log_far_ahead_is_not_told_entry_by_entry() {
    let mut feed = Feed::new(ROOM);
    let one = conn(1);
    begun(&mut feed, &one, 0);
    let head = HELD_ENTRIES_MAX as u64 + 10;
    announce(&mut feed, 2..=head);
    let Want::Read { after: 0 } = feed.advance(0).want else {
        panic!("it was not read");
    };
    feed.fill(Vec::new(), head, hash(head));
    assert_eq!(told(&one), (vec![], true));
    assert_eq!(feed.catch_up(&one), Some((head, hash(head))));
    one.outbox.forget(About::Entries(ROOM));
    announce(&mut feed, [head + 1]);
    assert_eq!(feed.advance(0).want, Want::Nothing);
    assert_eq!(told(&one), (vec![head + 1], false));
}

#[test]
fn who_is_removed_is_told_nothing_from_the_removal_on() {
    let mut feed = Feed::new(ROOM);
    let (one, two) = (conn(1), conn(2));
    begun(&mut feed, &one, 0);
    begun(&mut feed, &two, 0);
    announce(&mut feed, [3]);
    feed.announce(Arc::new(gone(2, account(2))));
    announce(&mut feed, [1]);
    let moved = feed.advance(0);
    assert_eq!(moved.gone, [account(2)]);
    assert_eq!(told(&two), (vec![1], false));
    assert_eq!(told(&one), (vec![1, 2, 3], false));
    assert!(!feed.follows(&two));
}

#[test]
fn who_wants_no_entries_is_told_where_the_log_stands() {
    let mut feed = Feed::new(ROOM);
    let one = conn(1);
    one.set_wants_entries(false);
    begun(&mut feed, &one, 0);
    announce(&mut feed, [1, 2]);
    feed.advance(0);
    assert_eq!(told(&one), (vec![], true));
    assert_eq!(feed.catch_up(&one), Some((2, hash(2))));
}

#[test]
fn cursors_are_gathered_and_a_crowd_is_not_told_them() {
    let mut feed = Feed::new(ROOM);
    let one = conn(1);
    begun(&mut feed, &one, 0);
    let read = |position| Reached {
        read: Some(position),
        delivered: None,
    };
    assert!(feed.reached(account(2), read(5)));
    assert!(feed.reached(account(2), read(4)));
    assert_eq!(feed.flush_cursors(), 1);
    assert_eq!(feed.flush_cursors(), 0);
    let (taken, _) = one.outbox.take();
    assert_eq!(
        taken.told[0].frames(),
        [ServerFrame::Cursor {
            room: ROOM,
            account: account(2),
            read: Some(5),
            delivered: None
        }]
    );
    for number in 10..=super::PASSING_FOLLOWERS_MAX + 10 {
        begun(&mut feed, &conn(u8::try_from(number).unwrap()), 0);
    }
    assert!(!feed.reached(account(2), read(6)));
    assert_eq!(feed.typing(account(2), false), 0);
}
