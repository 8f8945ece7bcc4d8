//! Webhooks: who may have them, what they let in, and whose turn a delivery is.

use wharf_core::drive::RoomRef;
use wharf_core::hook::{Delivery, Failure};
use wharf_core::{HouseConfig, MessageLimits};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::account::SignupPolicy;
use wharf_types::api::hook::{CreateHook, Hook, HookDirection, HookMessage};
use wharf_types::api::log::{Appended, Body, Draft, Recall};
use wharf_types::api::room::{EditRoom, Role, SetRole};
use wharf_types::{ErrorCode, RoomId};

use crate::support::{House, Visitor, code, from};

both_engines!(
    owners_alone_have_webhooks_and_hand_them_over,
    a_room_of_two_has_none,
    what_comes_in_is_bounded_and_stops_with_the_room,
    a_claim_is_one_process_s_for_a_minute,
    a_clock_that_went_back_holds_no_delivery_up,
    what_is_erased_or_not_kept_is_not_delivered,
    an_address_given_meanwhile_is_a_fresh_start,
);

impl House {
    async fn hook(&self, by: &Visitor, room: RoomId, url: Option<&str>) -> Hook {
        let create = create(url);
        self.wharf
            .hooks()
            .create(&by.caller, RoomRef::Id(room), create)
            .await
            .unwrap()
    }

    async fn post(
        &self,
        hook: &Hook,
        text: &str,
        id: Option<&str>,
    ) -> Result<Appended, wharf_core::Error> {
        let message = HookMessage {
            text: text.into(),
            id: id.map(Into::into),
        };
        let secret = hook.secret.as_deref().unwrap();
        self.wharf
            .hooks()
            .post(from("192.0.2.9"), hook.id, secret, message)
            .await
    }

    /// The one webhook that is due, claimed.
    async fn claim(&self) -> Option<Delivery> {
        let due = self.wharf.hooks().due(10).await.unwrap();
        let [hook] = due[..] else {
            assert!(due.is_empty(), "there is one webhook in this test");
            return None;
        };
        self.wharf.hooks().claim(hook).await.unwrap()
    }
}

fn create(url: Option<&str>) -> CreateHook {
    CreateHook {
        direction: url.map_or(HookDirection::Incoming, |_| HookDirection::Outgoing),
        name: "bot".into(),
        url: url.map(Into::into),
    }
}

fn positions(delivery: &Delivery) -> Vec<u64> {
    let entries = delivery.body.entries.iter();
    entries.map(|entry| entry.position).collect()
}

fn failure() -> Failure {
    Failure {
        reason: "no connection".into(),
        retry_after_seconds: None,
        is_final: false,
    }
}

async fn owners_alone_have_webhooks_and_hand_them_over(db: TestDb) {
    let house = House::open(db).await;
    let owner = house.operator().await;
    let room = house.group(&owner, "Team").await;
    let editor = house.member("editor").await;
    house.bring(&owner, room, &editor, Role::Editor).await;
    let hook = house.hook(&owner, room, None).await;
    let hooks = house.wharf.hooks();
    let at = RoomRef::Id(room);
    let refused = hooks.list(&editor.caller, at).await;
    assert_eq!(code(refused), Some(ErrorCode::Denied));
    let refused = hooks.create(&editor.caller, at, create(None)).await;
    assert_eq!(code(refused), Some(ErrorCode::Denied));
    let refused = hooks.remove(&editor.caller, at, hook.id).await;
    assert_eq!(code(refused), Some(ErrorCode::Denied));

    let owns = SetRole { role: Role::Owner };
    let rooms = house.wharf.rooms();
    rooms
        .set_role(&owner.caller, at, editor.id(), owns)
        .await
        .unwrap();
    assert_eq!(hooks.list(&editor.caller, at).await.unwrap().items.len(), 1);
    let refused = hooks.list(&owner.caller, at).await;
    assert_eq!(code(refused), Some(ErrorCode::Denied));
    house.post(&hook, "still here", None).await.unwrap();
    // A webhook is the room's: by way of another one it is not there.
    let refused = hooks.remove(&editor.caller, RoomRef::Home, hook.id).await;
    assert_eq!(code(refused), Some(ErrorCode::NotFound));
    hooks.remove(&editor.caller, at, hook.id).await.unwrap();
    assert_eq!(
        code(house.post(&hook, "gone", None).await),
        Some(ErrorCode::NotFound)
    );
}

async fn a_room_of_two_has_none(db: TestDb) {
    let house = House::open(db).await;
    let (ada, bob) = (house.operator().await, house.member("bob").await);
    let room = house.befriend(&ada, &bob).await;
    for person in [&ada, &bob] {
        let made = house
            .wharf
            .hooks()
            .create(&person.caller, RoomRef::Id(room), create(None))
            .await;
        assert!(made.is_err());
    }
}

async fn what_comes_in_is_bounded_and_stops_with_the_room(db: TestDb) {
    let config = HouseConfig {
        signup: SignupPolicy::Open,
        messages: MessageLimits {
            account_burst: 3,
            account_per_minute: 60,
            ..MessageLimits::default()
        },
        ..HouseConfig::default()
    };
    let house = House::open_with(db, config).await;
    let owner = house.operator().await;
    let room = house.group(&owner, "Team").await;
    let (hook, other) = (
        house.hook(&owner, room, None).await,
        house.hook(&owner, room, None).await,
    );
    let first = house.post(&hook, "one", Some("a")).await.unwrap();
    let again = house.post(&hook, "one", Some("a")).await.unwrap();
    assert_eq!((again.position, again.repeated), (first.position, true));
    let elsewhere = house.post(&other, "one", Some("a")).await.unwrap();
    assert_ne!(
        elsewhere.position, first.position,
        "names are each webhook's own"
    );
    house.post(&hook, "two", None).await.unwrap();
    assert_eq!(
        code(house.post(&hook, "three", None).await),
        Some(ErrorCode::Limited)
    );
    house.clock.advance_ms(1_000);
    house.post(&hook, "three", None).await.unwrap();
    assert_eq!(
        code(house.post(&other, "x", Some(&"x".repeat(101))).await),
        Some(ErrorCode::Invalid)
    );

    let archive = EditRoom {
        archived: Some(true),
        ..EditRoom::default()
    };
    let rooms = house.wharf.rooms();
    rooms
        .edit(&owner.caller, RoomRef::Id(room), archive)
        .await
        .unwrap();
    house.clock.advance_ms(60_000);
    assert_eq!(
        code(house.post(&hook, "four", None).await),
        Some(ErrorCode::Denied)
    );
    let repeated = house.post(&hook, "one", Some("a")).await.unwrap();
    assert!(repeated.repeated, "what was taken stays answered");
}

async fn a_claim_is_one_process_s_for_a_minute(db: TestDb) {
    let house = House::open(db).await;
    let owner = house.operator().await;
    let room = owner.home();
    let hook = house.hook(&owner, room, Some("https://example.org/")).await;
    let hooks = house.wharf.hooks();
    assert!(house.claim().await.is_none(), "there is nothing to say");
    house.say(&owner.caller, room, "one").await.unwrap();
    let second = house.second_process().await;
    let first = house.claim().await.unwrap();
    assert_eq!(positions(&first), [1]);
    assert!(second.hooks().claim(hook.id).await.unwrap().is_none());
    assert!(second.hooks().due(10).await.unwrap().is_empty());
    house.say(&owner.caller, room, "two").await.unwrap();

    // The process that had it died. What it may have posted is posted again, as it was.
    house.clock.advance_ms(60_000);
    let again = second.hooks().claim(hook.id).await.unwrap().unwrap();
    assert_eq!((again.name(), positions(&again)), (first.name(), vec![1]));
    second.hooks().delivered(&again).await.unwrap();
    // It had not died, and is late: the cursor does not go back, and is not told of a failure.
    hooks.failed(&first, failure()).await.unwrap();
    hooks.delivered(&first).await.unwrap();
    let listed = hooks.list(&owner.caller, RoomRef::Id(room)).await.unwrap();
    assert_eq!(listed.items[0].delivered, Some(1));
    assert_eq!(listed.items[0].last_error, None);
    let next = house.claim().await.unwrap();
    assert_eq!(positions(&next), [2]);
    assert_ne!(next.name(), again.name());
}

async fn a_clock_that_went_back_holds_no_delivery_up(db: TestDb) {
    let house = House::open(db).await;
    let owner = house.operator().await;
    let room = owner.home();
    house.hook(&owner, room, Some("https://example.org/")).await;
    house.say(&owner.caller, room, "one").await.unwrap();
    let delivery = house.claim().await.unwrap();
    let hooks = house.wharf.hooks();
    hooks.failed(&delivery, failure()).await.unwrap();
    assert!(house.claim().await.is_none());
    house
        .clock
        .set_wall_ms(house.clock.now_ms() - 365 * 24 * 3_600_000);
    let again = house.claim().await.unwrap();
    assert_eq!(again.name(), delivery.name());
}

async fn what_is_erased_or_not_kept_is_not_delivered(db: TestDb) {
    let house = House::open(db).await;
    let owner = house.operator().await;
    let room = owner.home();
    house.hook(&owner, room, Some("https://example.org/")).await;
    house.say(&owner.caller, room, "secret").await.unwrap();
    let delivery = house.claim().await.unwrap();
    let hooks = house.wharf.hooks();
    hooks.failed(&delivery, failure()).await.unwrap();
    let recall = Draft::Recall(Recall { target: 1 });
    house.append(&owner.caller, room, recall).await.unwrap();
    house.clock.advance_ms(10_000);
    let again = house.claim().await.unwrap();
    assert_eq!(again.name(), delivery.name());
    assert_eq!(again.body.entries[0].body, None, "it was taken back");
    hooks.failed(&again, failure()).await.unwrap();

    let keep = EditRoom {
        keep_days: Some(1),
        ..EditRoom::default()
    };
    let rooms = house.wharf.rooms();
    rooms
        .edit(&owner.caller, RoomRef::Id(room), keep)
        .await
        .unwrap();
    house.clock.advance_ms(26 * 3_600_000);
    house.say(&owner.caller, room, "news").await.unwrap();
    house.wharf.logs().retain_all().await.unwrap();
    let kept = house.claim().await.unwrap();
    let texts: Vec<&Body> = kept
        .body
        .entries
        .iter()
        .filter_map(|entry| entry.body.as_ref())
        .filter(|body| body.is_countable())
        .collect();
    assert_eq!(texts.len(), 1, "only the news are still there: {texts:?}");
    hooks.delivered(&kept).await.unwrap();
    assert!(house.claim().await.is_none());
}

async fn an_address_given_meanwhile_is_a_fresh_start(db: TestDb) {
    let house = House::open(db).await;
    let owner = house.operator().await;
    let room = owner.home();
    let hook = house
        .hook(&owner, room, Some("https://example.org/old"))
        .await;
    house.say(&owner.caller, room, "one").await.unwrap();
    let delivery = house.claim().await.unwrap();
    let hooks = house.wharf.hooks();
    let edit = wharf_types::api::hook::EditHook {
        name: None,
        url: Some("https://example.org/new".into()),
    };
    hooks
        .edit(&owner.caller, RoomRef::Id(room), hook.id, edit)
        .await
        .unwrap();
    hooks.failed(&delivery, failure()).await.unwrap();
    let listed = hooks.list(&owner.caller, RoomRef::Id(room)).await.unwrap();
    assert_eq!(listed.items[0].last_error, None, "that was the old address");
    let again = house.claim().await.unwrap();
    assert_eq!(again.url, "https://example.org/new");
    assert_eq!(again.name(), delivery.name());
}
