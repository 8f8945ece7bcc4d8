//! Notices: who gets one of what, when, and how often. What a push service makes of them is tested at the server's door.

use std::sync::Arc;

use wharf_core::drive::RoomRef;
use wharf_core::push::{NoticeId, Outcome, Posting};
use wharf_core::{HouseConfig, Outgoing, Wharf};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::account::SignupPolicy;
use wharf_types::api::contact::{EditContact, Status};
use wharf_types::api::live::{Hello, VERSION};
use wharf_types::api::log::{Draft, Mentions, Recall, Text};
use wharf_types::api::push::SubscribePush;
use wharf_types::api::room::{EditPreferences, Notify, Role};
use wharf_types::{ErrorCode, RoomId};
use wharf_wire::push::Vapid;

use crate::support::{House, PASSWORD, Visitor, code};

both_engines!(
    members_who_want_it_are_told_and_nobody_else,
    who_is_busy_is_left_alone,
    what_was_read_taken_back_or_muted_meanwhile_is_not_told,
    what_is_said_meanwhile_is_one_notice_and_what_is_said_later_another,
    a_notice_whose_outcome_nobody_told_is_sent_once_more_and_not_again,
    what_fails_is_sent_again_later_and_what_is_gone_is_not,
    what_nobody_took_in_time_is_let_go,
    a_subscription_ends_with_its_session,
    a_browser_is_one_session_s,
    the_key_is_one_for_all_processes_and_stays,
    an_address_is_a_public_https_one,
);

/// Longer than a person who looks may take to read.
const GRACE_MS: u32 = 5_000;

impl House {
    async fn subscribe(&self, who: &Visitor, endpoint: &str) {
        let subscribed = self.try_subscribe(who, endpoint).await;
        subscribed.unwrap();
    }

    async fn try_subscribe(&self, who: &Visitor, endpoint: &str) -> Result<(), wharf_core::Error> {
        let request = SubscribePush {
            endpoint: endpoint.into(),
            p256dh: Vapid::new(&[7; 32]).unwrap().public(),
            auth: "BTBZMqHH6r4Tts7J_aSIgg".into(),
            hides_content: false,
        };
        let subscribed = self.wharf.pushes().subscribe(&who.caller, request).await;
        subscribed.map(drop)
    }

    async fn is_subscribed(&self, who: &Visitor) -> bool {
        let state = self.wharf.pushes().state(&who.caller).await.unwrap();
        state.subscription.is_some()
    }

    async fn prefer(&self, who: &Visitor, room: RoomId, edit: EditPreferences) {
        let rooms = self.wharf.rooms();
        let edited = rooms.edit_preferences(&who.caller, RoomRef::Id(room), edit);
        edited.await.unwrap();
    }

    async fn notify(&self, who: &Visitor, room: RoomId, notify: Notify) {
        let edit = EditPreferences {
            notify: Some(notify),
            ..EditPreferences::default()
        };
        self.prefer(who, room, edit).await;
    }

    /// What there is to send once people who look have had their time, claimed.
    async fn told(&self) -> Vec<Posting> {
        self.wharf.pushes().gather().await.unwrap();
        self.clock.advance_ms(GRACE_MS);
        claim_all(&self.wharf).await
    }

    async fn outcome(&self, posting: &Posting, outcome: Outcome) {
        let told = self.wharf.pushes().told(posting, outcome);
        told.await.unwrap();
    }
}

async fn claim_all(wharf: &Wharf) -> Vec<Posting> {
    let mut claimed = Vec::new();
    for id in due(wharf).await {
        claimed.extend(wharf.pushes().claim(id).await.unwrap());
    }
    claimed
}

async fn due(wharf: &Wharf) -> Vec<NoticeId> {
    wharf.pushes().due(100).await.unwrap()
}

fn mention(who: &Visitor) -> Draft {
    Draft::Text(Text {
        text: "look".into(),
        mentions: Mentions {
            accounts: vec![who.id()],
            everybody: false,
        },
        ..Text::default()
    })
}

/// Whose sessions, in order.
fn whose(postings: &[Posting], of: &[(&'static str, &Visitor)]) -> Vec<&'static str> {
    let mut names: Vec<_> = postings
        .iter()
        .map(|posting| {
            let session = posting.id.session;
            let (name, _) = of
                .iter()
                .find(|(_, who)| who.logged_in.session.id == session)
                .unwrap();
            *name
        })
        .collect();
    names.sort_unstable();
    names
}

/// Two people with a room, of whom `bob` is subscribed.
async fn two(house: &House) -> (Visitor, Visitor, RoomId) {
    house.operator().await;
    let (ada, bob) = (house.member("ada").await, house.member("bob").await);
    let room = house.befriend(&ada, &bob).await;
    house.subscribe(&bob, "https://push.example.net/bob").await;
    (ada, bob, room)
}

async fn members_who_want_it_are_told_and_nobody_else(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let ada = house.member("ada").await;
    let room = house.group(&ada, "Harbour").await;
    let [bob, cy, dan, eve, fay] = [
        house.member("bob").await,
        house.member("cy").await,
        house.member("dan").await,
        house.member("eve").await,
        house.member("fay").await,
    ];
    for who in [&bob, &cy, &dan, &eve, &fay] {
        house.bring(&ada, room, who, Role::Editor).await;
    }
    let people = [
        ("ada", &ada),
        ("bob", &bob),
        ("cy", &cy),
        ("dan", &dan),
        ("fay", &fay),
    ];
    for (name, who) in people {
        let endpoint = format!("https://push.example.net/{name}");
        house.subscribe(who, &endpoint).await;
    }
    house.notify(&cy, room, Notify::Mentions).await;
    house.notify(&dan, room, Notify::Nothing).await;
    let hidden = EditPreferences {
        is_hidden: Some(true),
        ..EditPreferences::default()
    };
    house.prefer(&fay, room, hidden).await;
    assert!(house.told().await.is_empty(), "coming and going is no news");

    house.say(&ada.caller, room, "hello").await.unwrap();
    let told = house.told().await;
    assert_eq!(whose(&told, &people), ["bob"]);
    assert!(!told[0].is_urgent);
    house.outcome(&told[0], Outcome::Taken).await;
    house.append(&ada.caller, room, mention(&cy)).await.unwrap();
    let told = house.told().await;
    assert_eq!(whose(&told, &people), ["bob", "cy"]);
    for posting in &told {
        let is_cy = posting.id.session == cy.logged_in.session.id;
        assert_eq!(posting.is_urgent, is_cy);
        house.outcome(posting, Outcome::Taken).await;
    }
    // What somebody says themselves is no news to them, nor is what somebody says whom they have blocked.
    let block = EditContact {
        is_blocked: Some(true),
        ..EditContact::default()
    };
    let contacts = house.wharf.contacts();
    contacts.edit(&bob.caller, eve.id(), block).await.unwrap();
    house.say(&eve.caller, room, "it is me").await.unwrap();
    let told = house.told().await;
    assert_eq!(whose(&told, &people), ["ada"]);
    house.outcome(&told[0], Outcome::Taken).await;
    let home = bob.home();
    house.say(&bob.caller, home, "a note").await.unwrap();
    assert!(house.told().await.is_empty());
    assert!(due(&house.wharf).await.is_empty());
}

async fn who_is_busy_is_left_alone(db: TestDb) {
    let house = House::open(db).await;
    let (ada, bob, room) = two(&house).await;
    let connection = house.wharf.live().connect(&bob.caller).unwrap();
    let hello = Hello {
        version: VERSION,
        ..Hello::default()
    };
    connection.greet(&bob.caller, &hello).await.unwrap();
    connection.set_status(Status::Busy);
    house.say(&ada.caller, room, "hello").await.unwrap();
    assert!(house.told().await.is_empty());
    connection.set_status(Status::Online);
    house.say(&ada.caller, room, "and now?").await.unwrap();
    assert_eq!(house.told().await.len(), 1, "it was not read");
}

async fn what_was_read_taken_back_or_muted_meanwhile_is_not_told(db: TestDb) {
    let house = House::open(db).await;
    let (ada, bob, room) = two(&house).await;
    let (pushes, logs) = (house.wharf.pushes(), house.wharf.logs());
    let there = RoomRef::Id(room);
    let said = house.say(&ada.caller, room, "read").await.unwrap();
    assert_eq!(pushes.gather().await.unwrap(), 1);
    assert!(
        due(&house.wharf).await.is_empty(),
        "there is time to read it"
    );
    logs.mark_read(&bob.caller, there, said.position)
        .await
        .unwrap();
    assert!(house.told().await.is_empty());

    let said = house.say(&ada.caller, room, "taken back").await.unwrap();
    pushes.gather().await.unwrap();
    let recall = Draft::Recall(Recall {
        target: said.position,
    });
    house.append(&ada.caller, room, recall).await.unwrap();
    assert!(house.told().await.is_empty());

    house.say(&ada.caller, room, "muted").await.unwrap();
    pushes.gather().await.unwrap();
    house.notify(&bob, room, Notify::Nothing).await;
    assert!(house.told().await.is_empty());
    house.notify(&bob, room, Notify::All).await;

    let said = house
        .say(&ada.caller, room, "before it is gathered")
        .await
        .unwrap();
    logs.mark_read(&bob.caller, there, said.position)
        .await
        .unwrap();
    assert_eq!(pushes.gather().await.unwrap(), 0);
    assert!(
        due(&house.wharf).await.is_empty(),
        "none of it waits any more"
    );
}

async fn what_is_said_meanwhile_is_one_notice_and_what_is_said_later_another(db: TestDb) {
    let house = House::open(db).await;
    let (ada, _, room) = two(&house).await;
    for text in ["one", "two", "three"] {
        house.say(&ada.caller, room, text).await.unwrap();
    }
    let told = house.told().await;
    let [first] = &told[..] else {
        panic!("{told:?}");
    };
    house
        .say(&ada.caller, room, "while it is sent")
        .await
        .unwrap();
    assert!(house.told().await.is_empty(), "one is on its way");
    house.outcome(first, Outcome::Taken).await;
    assert!(
        due(&house.wharf).await.is_empty(),
        "there is time to read it"
    );
    let told = house.told().await;
    let [second] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(first.topic, second.topic, "it takes the place of the first");
    assert_ne!(first.body, second.body);
    house.outcome(second, Outcome::Taken).await;
    assert!(house.told().await.is_empty());
}

async fn a_notice_whose_outcome_nobody_told_is_sent_once_more_and_not_again(db: TestDb) {
    let house = House::open(db).await;
    let (ada, _, room) = two(&house).await;
    house.say(&ada.caller, room, "hello").await.unwrap();
    assert_eq!(house.told().await.len(), 1);
    // The process that had it is no more; there is another one.
    let other = house.second_process().await;
    assert!(claim_all(&other).await.is_empty());
    house.clock.advance_ms(61_000);
    assert_eq!(claim_all(&other).await.len(), 1);
    assert!(claim_all(&house.wharf).await.is_empty());
    house.clock.advance_ms(61_000);
    assert!(claim_all(&other).await.is_empty());
    assert!(due(&other).await.is_empty(), "it was let go");
}

async fn what_fails_is_sent_again_later_and_what_is_gone_is_not(db: TestDb) {
    let house = House::open(db).await;
    let (ada, bob, room) = two(&house).await;
    house.say(&ada.caller, room, "hello").await.unwrap();
    let mut postings = house.told().await;
    let later = |retry_after_seconds| Outcome::Later {
        retry_after_seconds,
    };
    house.outcome(&postings.remove(0), later(Some(120))).await;
    house.clock.advance_ms(115_000);
    assert!(due(&house.wharf).await.is_empty());
    house.clock.advance_ms(10_000);
    let mut postings = claim_all(&house.wharf).await;
    assert_eq!(postings.len(), 1);
    house.outcome(&postings.remove(0), later(None)).await;
    house.clock.advance_ms(15_000);
    assert!(due(&house.wharf).await.is_empty(), "pauses grow");
    house.clock.advance_ms(10_000);
    let mut postings = claim_all(&house.wharf).await;
    house.outcome(&postings.remove(0), Outcome::Refused).await;
    assert!(house.is_subscribed(&bob).await);
    house.clock.advance_ms(3_600_000);
    assert!(
        due(&house.wharf).await.is_empty(),
        "what is refused is not sent again"
    );

    house
        .say(&ada.caller, room, "are you there?")
        .await
        .unwrap();
    let mut postings = house.told().await;
    house.outcome(&postings.remove(0), Outcome::Gone).await;
    assert!(!house.is_subscribed(&bob).await);
    house.say(&ada.caller, room, "hello?").await.unwrap();
    assert!(house.told().await.is_empty());

    // A push service that takes nothing for days is one that will not.
    house
        .subscribe(&bob, "https://push.example.net/again")
        .await;
    for _ in 0..9 {
        house.say(&ada.caller, room, "hello?").await.unwrap();
        for posting in house.told().await {
            house.outcome(&posting, Outcome::Refused).await;
        }
        house.clock.advance_ms(10 * 3_600_000);
    }
    assert!(!house.is_subscribed(&bob).await);
}

async fn what_nobody_took_in_time_is_let_go(db: TestDb) {
    let house = House::open(db).await;
    let (ada, bob, room) = two(&house).await;
    house.say(&ada.caller, room, "hello").await.unwrap();
    let postings = house.told().await;
    assert!((86_000..86_400).contains(&postings[0].ttl_seconds));
    let later = Outcome::Later {
        retry_after_seconds: None,
    };
    house.outcome(&postings[0], later).await;
    house.clock.advance_ms(25 * 3_600_000);
    assert!(claim_all(&house.wharf).await.is_empty());
    assert!(due(&house.wharf).await.is_empty());
    assert!(house.is_subscribed(&bob).await);
}

async fn a_subscription_ends_with_its_session(db: TestDb) {
    let house = House::open(db).await;
    let (ada, bob, room) = two(&house).await;
    let phone = house.log_in("bob", PASSWORD, "192.0.2.7").await.unwrap();
    house
        .subscribe(&phone, "https://push.example.net/phone")
        .await;
    house.say(&ada.caller, room, "hello").await.unwrap();
    let people = [("bob", &bob), ("phone", &phone)];
    let told = house.told().await;
    assert_eq!(whose(&told, &people), ["bob", "phone"]);
    for posting in &told {
        house.outcome(posting, Outcome::Taken).await;
    }
    house.say(&ada.caller, room, "again").await.unwrap();
    house.wharf.pushes().gather().await.unwrap();
    let accounts = house.wharf.accounts();
    let ended = phone.logged_in.session.id;
    accounts.end_session(&bob.caller, ended).await.unwrap();
    let told = house.told().await;
    assert_eq!(whose(&told, &people), ["bob"], "its notice went with it");
    house.outcome(&told[0], Outcome::Taken).await;
    house.wharf.pushes().unsubscribe(&bob.caller).await.unwrap();
    house.wharf.pushes().unsubscribe(&bob.caller).await.unwrap();
    house.say(&ada.caller, room, "hello?").await.unwrap();
    assert!(house.told().await.is_empty());
}

async fn a_browser_is_one_session_s(db: TestDb) {
    let house = House::open(db).await;
    let (ada, bob, room) = two(&house).await;
    let eve = house.member("eve").await;
    // Bob's browser, where Eve has logged in after him.
    house.subscribe(&eve, "https://push.example.net/bob").await;
    assert!(!house.is_subscribed(&bob).await);
    assert!(house.is_subscribed(&eve).await);
    house.say(&ada.caller, room, "for bob alone").await.unwrap();
    assert!(house.told().await.is_empty());
    house.subscribe(&eve, "https://push.example.net/eve").await;
    let state = house.wharf.pushes().state(&eve.caller).await.unwrap();
    let subscription = state.subscription.unwrap();
    assert_eq!(subscription.endpoint, "https://push.example.net/eve");
}

async fn the_key_is_one_for_all_processes_and_stays(db: TestDb) {
    let house = House::open(db).await;
    let (_, bob, _) = two(&house).await;
    let other = house.second_process().await;
    let (one, two) = tokio::join!(
        house.wharf.pushes().state(&bob.caller),
        other.pushes().state(&bob.caller)
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert!(one.key.is_some());
    assert_eq!(one, two);
    let later = house.second_process().await;
    assert_eq!(later.pushes().state(&bob.caller).await.unwrap(), one);
}

async fn an_address_is_a_public_https_one(db: TestDb) {
    let house = House::open(db).await;
    house.operator().await;
    let bob = house.member("bob").await;
    for (endpoint, refusal) in [
        ("http://push.example.net/a", ErrorCode::Invalid),
        ("https://ada@push.example.net/a", ErrorCode::Invalid),
        ("https://push.example.net/a#b", ErrorCode::Invalid),
        ("push.example.net", ErrorCode::Invalid),
        ("https://127.0.0.1/a", ErrorCode::Unsupported),
        ("https://[::1]/a", ErrorCode::Unsupported),
        ("https://0x7f000001/a", ErrorCode::Unsupported),
        ("https://169.254.169.254/a", ErrorCode::Unsupported),
    ] {
        let refused = house.try_subscribe(&bob, endpoint).await;
        assert_eq!(code(refused), Some(refusal), "{endpoint}");
    }
    let long = format!("https://push.example.net/{}", "a".repeat(2_000));
    let refused = house.try_subscribe(&bob, &long).await;
    assert_eq!(code(refused), Some(ErrorCode::Invalid));
    for (p256dh, auth) in [
        ("", "BTBZMqHH6r4Tts7J_aSIgg"),
        ("BAAA", "BTBZMqHH6r4Tts7J_aSIgg"),
    ] {
        let request = SubscribePush {
            endpoint: "https://push.example.net/a".into(),
            p256dh: p256dh.into(),
            auth: auth.into(),
            hides_content: false,
        };
        let refused = house.wharf.pushes().subscribe(&bob.caller, request).await;
        assert_eq!(code(refused), Some(ErrorCode::Invalid));
    }
    assert!(!house.is_subscribed(&bob).await);

    let config = HouseConfig {
        signup: SignupPolicy::Open,
        push: Outgoing::Off,
        ..HouseConfig::default()
    };
    let blob = Arc::clone(&house.blob);
    let off = Wharf::open(
        config,
        (*house.db).clone(),
        blob,
        house.clock.clone(),
        wharf_core::Random::seeded(9),
    );
    let off = off.await.unwrap();
    assert_eq!(off.pushes().state(&bob.caller).await.unwrap().key, None);
    let request = SubscribePush {
        endpoint: "https://push.example.net/a".into(),
        p256dh: Vapid::new(&[7; 32]).unwrap().public(),
        auth: "BTBZMqHH6r4Tts7J_aSIgg".into(),
        hides_content: false,
    };
    let refused = off.pushes().subscribe(&bob.caller, request).await;
    assert_eq!(code(refused), Some(ErrorCode::Unsupported));
}
