//! Asking, answering, ending, blocking, and what each side sees of what the other does.

use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode::{Denied, Exists, Invalid, Limited, NotFound, TooLarge};
use wharf_types::api::contact::{
    AskContact, Contact, ContactState, EditContact, EditContactGroup, EditProfile,
};
use wharf_types::api::room::{Role, RoomKind};
use wharf_types::{AccountId, ContactGroupId};

use super::member_changes;
use crate::support::{House, Visitor, code, signup};

both_engines!(
    people_are_found_exactly_and_not_by_trying,
    a_request_that_is_accepted_makes_two_contacts_and_their_room,
    two_who_ask_each_other_are_contacts,
    a_declined_request_looks_to_the_asker_like_one_that_waits,
    who_asks_again_is_not_told_twice,
    a_withdrawn_request_is_gone_on_both_sides,
    an_ended_contact_leaves_a_room_that_can_be_read,
    who_is_blocked_notices_no_more_than_that_nothing_can_be_written,
    a_block_is_put_on_and_taken_off_a_stranger,
    contacts_are_noted_and_grouped,
    what_others_see_of_a_person_is_changed_everywhere,
    requests_that_wait_are_bounded
);

async fn contact(house: &House, of: &Visitor, other: AccountId) -> Option<Contact> {
    let list = house.wharf.contacts().list(&of.caller).await.unwrap();
    list.items
        .into_iter()
        .find(|contact| contact.person.id == other)
}

async fn state(house: &House, of: &Visitor, other: &Visitor) -> Option<ContactState> {
    contact(house, of, other.id())
        .await
        .map(|contact| contact.state)
}

async fn edit(
    house: &House,
    by: &Visitor,
    other: &Visitor,
    request: EditContact,
) -> Result<Contact, wharf_core::Error> {
    house
        .wharf
        .contacts()
        .edit(&by.caller, other.id(), request)
        .await
}

fn block(is_blocked: bool) -> EditContact {
    EditContact {
        is_blocked: Some(is_blocked),
        ..EditContact::default()
    }
}

async fn people_are_found_exactly_and_not_by_trying(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let mut request = signup("Grace");
    request.email = Some("grace@example.org".into());
    let grace = house.sign_up(request).await.unwrap();
    let contacts = house.wharf.contacts();
    let number = grace.logged_in.account.number.to_string();
    for who in ["grace", " GRACE ", "Grace@example.ORG", number.as_str()] {
        let found = contacts.find(&ada.caller, who).await.unwrap();
        assert_eq!(found.id, grace.id(), "{who}");
        assert_eq!(found.nickname, "Grace");
    }
    for nobody in ["grac", "grace2", "grace@example", "1", "", "%"] {
        assert_eq!(
            code(contacts.find(&ada.caller, nobody).await),
            Some(NotFound)
        );
    }
    // Ten so far. Whoever goes on trying is stopped, and only they.
    for _ in 0..190 {
        let _tried = contacts.find(&ada.caller, "100000").await;
    }
    assert_eq!(
        code(contacts.find(&ada.caller, "grace").await),
        Some(Limited)
    );
    assert_eq!(code(house.ask(&ada, &grace).await), Some(Limited));
    assert_eq!(code(contacts.find(&grace.caller, "root").await), None);
    house.clock.advance_ms(15 * 60_000);
    assert_eq!(code(contacts.find(&ada.caller, "grace").await), None);
}

async fn a_request_that_is_accepted_makes_two_contacts_and_their_room(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let asked = house.ask(&ada, &bob).await.unwrap();
    assert_eq!(
        (asked.state, asked.word.as_str(), asked.room),
        (ContactState::Asked, "it is me", None)
    );
    let asking = contact(&house, &bob, ada.id()).await.unwrap();
    assert_eq!(
        (asking.state, asking.word.as_str()),
        (ContactState::Asking, "it is me")
    );
    // Only who was asked can accept.
    let contacts = house.wharf.contacts();
    assert_eq!(
        code(contacts.accept(&ada.caller, bob.id()).await),
        Some(NotFound)
    );
    house.clock.advance_ms(5);
    let accepted = contacts.accept(&bob.caller, ada.id()).await.unwrap();
    assert_eq!(accepted.state, ContactState::Contact);
    assert_eq!(accepted.word, "");
    let room = accepted.room.unwrap();
    let again = contacts.accept(&bob.caller, ada.id()).await.unwrap();
    assert_eq!(again, accepted, "accepting twice changes nothing");

    let seen_by_ada = house.view(&ada, room).await;
    let seen_by_bob = house.view(&bob, room).await;
    assert_eq!(seen_by_ada.kind, RoomKind::Direct);
    assert_eq!(seen_by_ada.peer.as_ref().unwrap().id, bob.id());
    assert_eq!(seen_by_bob.peer.as_ref().unwrap().id, ada.id());
    assert_eq!(
        (seen_by_ada.role, seen_by_bob.role),
        (Role::Owner, Role::Editor)
    );
    assert_eq!(seen_by_ada.owner, ada.id());
    assert!(seen_by_ada.can_write && seen_by_bob.can_write);
    assert_eq!(seen_by_bob.unread, 0);
    house.say(&ada.caller, room, "hello").await.unwrap();
    house
        .say(&bob.caller, room, "hello yourself")
        .await
        .unwrap();
    let seen = house.view(&ada, room).await;
    assert_eq!((seen.unread, seen.member_count), (1, 2));
    assert_eq!(seen.last.unwrap().account, Some(bob.id()));
    assert_eq!(member_changes(&house.log(&ada, room).await).len(), 2);
}

async fn two_who_ask_each_other_are_contacts(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    house.ask(&ada, &bob).await.unwrap();
    let contact = house.ask(&bob, &ada).await.unwrap();
    assert_eq!(contact.state, ContactState::Contact);
    assert_eq!(state(&house, &ada, &bob).await, Some(ContactState::Contact));
    let room = house.view(&ada, contact.room.unwrap()).await;
    assert_eq!(room.owner, ada.id(), "who asked first owns it");
    assert_eq!(
        house.ask(&ada, &bob).await.unwrap().state,
        ContactState::Contact
    );
    assert_eq!(code(house.ask(&ada, &ada).await), Some(Invalid));
}

async fn a_declined_request_looks_to_the_asker_like_one_that_waits(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let contacts = house.wharf.contacts();
    let before = house.ask(&ada, &bob).await.unwrap();
    let version = house.wharf.rooms().changes(&ada.caller, 0).await.unwrap();
    contacts.decline(&bob.caller, ada.id()).await.unwrap();
    assert_eq!(state(&house, &bob, &ada).await, None);
    assert_eq!(contact(&house, &ada, bob.id()).await, Some(before));
    let after = house.wharf.rooms().changes(&ada.caller, 0).await.unwrap();
    assert_eq!(after, version, "nothing was told");
    assert_eq!(
        code(contacts.decline(&bob.caller, ada.id()).await),
        Some(NotFound)
    );
    // The one who declined may still want it.
    let contact = house.ask(&bob, &ada).await.unwrap();
    assert_eq!(contact.state, ContactState::Contact);
    assert_eq!(state(&house, &ada, &bob).await, Some(ContactState::Contact));
}

async fn who_asks_again_is_not_told_twice(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    house.ask(&ada, &bob).await.unwrap();
    house
        .wharf
        .contacts()
        .decline(&bob.caller, ada.id())
        .await
        .unwrap();
    house.ask(&ada, &bob).await.unwrap();
    assert_eq!(state(&house, &bob, &ada).await, None);
}

async fn a_withdrawn_request_is_gone_on_both_sides(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let contacts = house.wharf.contacts();
    house.ask(&ada, &bob).await.unwrap();
    contacts.remove(&ada.caller, bob.id()).await.unwrap();
    assert_eq!(state(&house, &ada, &bob).await, None);
    assert_eq!(state(&house, &bob, &ada).await, None);
    assert_eq!(
        code(contacts.remove(&ada.caller, bob.id()).await),
        Some(NotFound)
    );
}

async fn an_ended_contact_leaves_a_room_that_can_be_read(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let room = house.befriend(&ada, &bob).await;
    house.say(&bob.caller, room, "hello").await.unwrap();
    let contacts = house.wharf.contacts();
    contacts.remove(&bob.caller, ada.id()).await.unwrap();
    for (one, other) in [(&ada, &bob), (&bob, &ada)] {
        assert_eq!(state(&house, one, other).await, None);
        assert_eq!(code(house.say(&one.caller, room, "?").await), Some(Denied));
        assert!(!house.view(one, room).await.can_write);
        assert_eq!(house.log(one, room).await.len(), 3);
    }
    // The friendship comes back to the same room.
    assert_eq!(house.befriend(&bob, &ada).await, room);
    house.say(&ada.caller, room, "again").await.unwrap();
    assert_eq!(house.view(&ada, room).await.owner, ada.id());
}

async fn who_is_blocked_notices_no_more_than_that_nothing_can_be_written(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let eve = house.member("eve").await;
    let room = house.befriend(&ada, &bob).await;
    assert!(
        edit(&house, &ada, &bob, block(true))
            .await
            .unwrap()
            .is_blocked
    );
    assert_eq!(state(&house, &bob, &ada).await, Some(ContactState::Contact));
    for one in [&ada, &bob] {
        assert_eq!(code(house.say(&one.caller, room, "?").await), Some(Denied));
        assert!(!house.view(one, room).await.can_write);
    }
    assert!(
        !edit(&house, &ada, &bob, block(false))
            .await
            .unwrap()
            .is_blocked
    );
    house.say(&bob.caller, room, "hello").await.unwrap();

    // The end of a contact keeps the block, and a request of who is blocked reaches nobody.
    edit(&house, &ada, &bob, block(true)).await.unwrap();
    let contacts = house.wharf.contacts();
    contacts.remove(&ada.caller, bob.id()).await.unwrap();
    assert_eq!(state(&house, &bob, &ada).await, None);
    let asked = house.ask(&bob, &ada).await.unwrap();
    let eves = house.ask(&eve, &ada).await.unwrap();
    assert_eq!(
        (asked.state, asked.is_blocked),
        (eves.state, eves.is_blocked)
    );
    let kept = contact(&house, &ada, bob.id()).await.unwrap();
    assert_eq!(
        (kept.state, kept.is_blocked),
        (ContactState::Stranger, true)
    );
    assert_eq!(code(house.ask(&ada, &bob).await), Some(Denied));
    edit(&house, &ada, &bob, block(false)).await.unwrap();
    // Bob's request still waits on his side: one word of Ada's is enough.
    let contact = house.ask(&ada, &bob).await.unwrap();
    assert_eq!(contact.state, ContactState::Contact);
    assert_eq!(contact.room, Some(room));
}

async fn a_block_is_put_on_and_taken_off_a_stranger(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let blocked = edit(&house, &ada, &bob, block(true)).await.unwrap();
    assert_eq!(
        (blocked.state, blocked.is_blocked),
        (ContactState::Stranger, true)
    );
    let free = edit(&house, &ada, &bob, block(false)).await.unwrap();
    assert_eq!(
        (free.state, free.is_blocked),
        (ContactState::Stranger, false)
    );
    assert_eq!(state(&house, &ada, &bob).await, None);
    assert_eq!(
        code(edit(&house, &ada, &bob, block(false)).await),
        Some(NotFound)
    );
    assert_eq!(
        code(edit(&house, &ada, &ada, block(true)).await),
        Some(Invalid)
    );
    // A block ends what was asked, either way.
    house.ask(&bob, &ada).await.unwrap();
    edit(&house, &ada, &bob, block(true)).await.unwrap();
    assert_eq!(
        state(&house, &ada, &bob).await,
        Some(ContactState::Stranger)
    );
    assert_eq!(state(&house, &bob, &ada).await, Some(ContactState::Asked));
    let carol = house.member("carol").await;
    house.ask(&ada, &carol).await.unwrap();
    edit(&house, &ada, &carol, block(true)).await.unwrap();
    assert_eq!(state(&house, &carol, &ada).await, None);
}

async fn contacts_are_noted_and_grouped(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let carol = house.member("carol").await;
    house.befriend(&ada, &bob).await;
    house.befriend(&ada, &carol).await;
    let contacts = house.wharf.contacts();
    let named = |name: &str, order| EditContactGroup {
        name: Some(name.into()),
        order,
    };
    let family = contacts
        .create_group(&ada.caller, named("Family", None))
        .await
        .unwrap();
    let work = contacts
        .create_group(&ada.caller, named("Work", Some(0)))
        .await
        .unwrap();
    for taken in ["family", "FAMILY "] {
        let again = contacts.create_group(&ada.caller, named(taken, None)).await;
        assert_eq!(code(again), Some(Exists));
    }
    assert_eq!(
        code(
            contacts
                .create_group(&ada.caller, EditContactGroup::default())
                .await
        ),
        Some(Invalid)
    );
    let put = EditContact {
        remark: Some(" Zed ".into()),
        group: Some(family.id),
        ..EditContact::default()
    };
    edit(&house, &ada, &bob, put.clone()).await.unwrap();
    let list = contacts.list(&ada.caller).await.unwrap();
    let shown: Vec<_> = list
        .items
        .iter()
        .map(|contact| {
            (
                contact.person.username.as_str(),
                contact.remark.as_str(),
                contact.group,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [("carol", "", None), ("bob", "Zed", Some(family.id))]
    );
    let groups: Vec<_> = list.groups.iter().map(|group| group.id).collect();
    assert_eq!(groups, [family.id, work.id], "by order, then by name");

    let renamed = contacts
        .edit_group(&ada.caller, family.id, named("family", Some(7)))
        .await
        .unwrap();
    assert_eq!((renamed.name.as_str(), renamed.order), ("family", 7));
    // Groups are their owner's alone.
    assert_eq!(code(edit(&house, &bob, &ada, put).await), Some(NotFound));
    let theirs = contacts.remove_group(&bob.caller, family.id).await;
    assert_eq!(code(theirs), Some(NotFound));
    contacts.remove_group(&ada.caller, family.id).await.unwrap();
    assert_eq!(contact(&house, &ada, bob.id()).await.unwrap().group, None);
    let nowhere = ContactGroupId::from_bytes([3; 16]);
    assert_eq!(
        code(
            contacts
                .edit_group(&ada.caller, nowhere, named("x", None))
                .await
        ),
        Some(NotFound)
    );
    let out = EditContact {
        ungroup: true,
        remark: Some(String::new()),
        ..EditContact::default()
    };
    assert_eq!(edit(&house, &ada, &bob, out).await.unwrap().remark, "");
}

async fn what_others_see_of_a_person_is_changed_everywhere(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let bob = house.member("bob").await;
    let room = house.befriend(&ada, &bob).await;
    let contacts = house.wharf.contacts();
    let request = EditProfile {
        nickname: Some("Bobby".into()),
        status_text: Some("at sea".into()),
    };
    let account = contacts.edit_profile(&bob.caller, request).await.unwrap();
    assert_eq!(
        (account.nickname.as_str(), account.status_text.as_str()),
        ("Bobby", "at sea")
    );
    let person = contact(&house, &ada, bob.id()).await.unwrap().person;
    assert_eq!(person.status_text, "at sea");
    assert_eq!(house.view(&ada, room).await.peer, Some(person));
    let kept = EditProfile {
        status_text: Some(String::new()),
        ..EditProfile::default()
    };
    let account = contacts.edit_profile(&bob.caller, kept).await.unwrap();
    assert_eq!(
        (account.nickname.as_str(), account.status_text.as_str()),
        ("Bobby", "")
    );
    let empty = EditProfile {
        nickname: Some(" ".into()),
        ..EditProfile::default()
    };
    assert_eq!(
        code(contacts.edit_profile(&bob.caller, empty).await),
        Some(Invalid)
    );
}

async fn requests_that_wait_are_bounded(db: TestDb) {
    let house = House::open(db).await;
    let ada = house.operator().await;
    let me = ada.id();
    // Rows as a hundred requests leave them.
    house
        .db
        .write(wharf_store::sql::Lock::None, move |tx| -> wharf_store::sql::Result<()> {
            for number in 0..100_u8 {
                let other = AccountId::from_bytes([number; 16]);
                tx.exec(
                    "INSERT INTO contact (account_id, other_id, state, is_blocked, remark, word, since_ms) \
                     VALUES (?1, ?2, 'asked', 0, '', '', 0)",
                    &[me.into(), other.into()],
                )?;
            }
            Ok(())
        })
        .await
        .unwrap();
    let bob = house.member("bob").await;
    assert_eq!(code(house.ask(&ada, &bob).await), Some(TooLarge));
    let long = AskContact {
        who: "bob".into(),
        word: "x".repeat(501),
    };
    let asked = house.wharf.contacts().ask(&ada.caller, long).await;
    assert_eq!(code(asked), Some(Invalid));
    // Being asked is no request of one's own.
    house.ask(&bob, &ada).await.unwrap();
    assert_eq!(
        code(house.wharf.contacts().accept(&ada.caller, bob.id()).await),
        None
    );
}
