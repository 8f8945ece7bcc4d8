//! Everything that the house can be asked for, each with what it takes to be answered.

use std::future::Future;
use std::pin::Pin;

use wharf_core::drive::{FindQuery, Manifests, Page, RoomRef};
use wharf_core::log::Range;
use wharf_core::transfer::{OpenAssembly, OpenPartial, Place, Put};
use wharf_core::{Caller, Error};
use wharf_types::api::account::{ChangePassword, CreateJwt, RenameSession};
use wharf_types::api::app_password::{AppDoor, CreateAppPassword};
use wharf_types::api::contact::{AskContact, EditContact, EditContactGroup, EditProfile};
use wharf_types::api::diary::{DaysQuery, DiaryFormat, DiaryQuery};
use wharf_types::api::drive::{At, Commit, Expect, Op, Retention};
use wharf_types::api::hook::{CreateHook, EditHook, HookDirection};
use wharf_types::api::journal::{ClaimDiary, CreateJournalKey, JournalKeyId, JournalKeyKind};
use wharf_types::api::live::Sending;
use wharf_types::api::log::{Append, AppendOutcome, Draft, Text};
use wharf_types::api::portage::{ExportQuery, ImportBatch};
use wharf_types::api::push::SubscribePush;
use wharf_types::api::room::{
    CreateLink, CreateRoom, EditPreferences, EditRoom, InviteToRoom, JoinRoom, Role, SaveToDrive,
    SetRole,
};
use wharf_types::api::search::SearchQuery;
use wharf_types::{
    AccountId, ChunkHash, CommitId, ContactGroupId, DeviceId, HookId, ImportId, NodeId, PartialId,
    RoomId, SessionId,
};
use wharf_wire::push::Vapid;

use crate::people::fresh;
use crate::support::{House, PASSWORD};

/// What somebody must be to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Anybody, of what is theirs.
    Account,
    /// A member of the room.
    Member,
    /// A member who may write in it now.
    Editor,
    /// Its owner.
    Owner,
}

/// Whether it changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    Look,
    Change,
}

/// What is there to be tried on.
pub(super) struct World {
    pub(super) house: House,
    /// Somebody in the room, and a session of theirs.
    pub(super) owner: AccountId,
    pub(super) session: SessionId,
    pub(super) node: NodeId,
    pub(super) hook: HookId,
    pub(super) link: String,
    pub(super) chunk: ChunkHash,
    pub(super) group: ContactGroupId,
}

type Outcome<'w> = Pin<Box<dyn Future<Output = Result<String, Error>> + 'w>>;

/// One operation, tried by somebody on a room. It answers with all that it was told.
pub(super) struct Attempt {
    pub(super) name: &'static str,
    pub(super) needs: Needs,
    pub(super) does: Does,
    pub(super) run: for<'w> fn(&'w World, Caller, RoomId) -> Outcome<'w>,
}

/// What asks for no caller, and why nobody gets anything by it that they should not.
pub(super) const WITHOUT_CALLER: [(&str, &str); 39] = [
    (
        "accounts::authenticate",
        "is what makes a caller of a token",
    ),
    (
        "accounts::authenticate_jwt",
        "is what makes a caller of a JSON Web Token",
    ),
    (
        "accounts::authenticate_ticket",
        "is what makes a caller of a gateway's ticket",
    ),
    (
        "accounts::enter_as_configured",
        "is for a door whose operator has named the account",
    ),
    (
        "accounts::login",
        "takes a password, and is bounded: accounts::limits",
    ),
    (
        "accounts::login_by_app_password",
        "takes a password, and is bounded: accounts::app_passwords",
    ),
    (
        "accounts::signup",
        "makes an account as the policy says: accounts::signup",
    ),
    (
        "accounts::signup_by_door",
        "makes an account as the policy says: accounts::app_passwords",
    ),
    ("accounts::info", "is for anybody"),
    (
        "accounts::renew_epoch",
        "is the program's own, on a database that nothing else has open",
    ),
    ("drive::retain_all", "is a job's"),
    ("drive::recount_usage", "is a job's"),
    ("drive::mentions", "is the program's own, on a database"),
    (
        "hook::post",
        "takes the webhook's secret: a_webhook_is_nobody_s_without_its_secret",
    ),
    ("hook::due", "is a job's"),
    ("hook::claim", "is a job's"),
    ("hook::delivered", "is a job's"),
    ("hook::failed", "is a job's"),
    (
        "hook::said",
        "rings when something was said, and tells nothing",
    ),
    (
        "journal::find_keys",
        "gives the doors what they verify datagrams with",
    ),
    (
        "journal::save",
        "takes what a door has verified with a key: a_key_writes_only_as_its_owner_may",
    ),
    (
        "journal::diary_of",
        "says where an address' diary goes, to the door alone",
    ),
    (
        "journal::diary_write",
        "writes where diary_of said: a_diary_ends_with_its_owner_s_right",
    ),
    (
        "journal::diary_read",
        "reads where diary_of said: a_diary_ends_with_its_owner_s_right",
    ),
    (
        "journal::diary_clients",
        "reads where diary_of said: a_diary_ends_with_its_owner_s_right",
    ),
    ("log::retain_all", "is a job's"),
    ("log::verify", "is the program's own, on a database"),
    ("portage::clear_abandoned", "is a job's"),
    ("portage::clear_abandoned_part", "is a job's"),
    ("push::gather", "is a job's"),
    ("push::due", "is a job's"),
    ("push::claim", "is a job's"),
    ("push::told", "is a job's"),
    (
        "push::spoken",
        "rings when something was said, and tells nothing",
    ),
    ("search::catch_up", "is a job's"),
    (
        "transfer::next",
        "goes on with a download that was let begin",
    ),
    (
        "transfer::push",
        "goes on with an upload that was let begin",
    ),
    (
        "transfer::commit",
        "ends an upload that was let begin, by a commit",
    ),
    (
        "transfer::finish",
        "ends a piece of an upload that was let begin",
    ),
];

/// What operators' hands do, which nobody gets without being one: `accounts::admin`.
pub(super) const OPERATORS: [&str; 7] = [
    "accounts::add",
    "accounts::list",
    "accounts::find",
    "accounts::edit",
    "accounts::create_invitation",
    "accounts::invitations",
    "accounts::end_invitation",
];

macro_rules! attempts {
    ($($name:literal, $needs:ident, $does:ident, |$world:ident, $by:ident, $room:ident| $ask:expr;)*) => {
        vec![$(Attempt {
            name: $name,
            needs: Needs::$needs,
            does: Does::$does,
            run: |$world, $by, $room| {
                let _unused = ($world, $room);
                Box::pin(async move {
                    let $by = &$by;
                    let answer = $ask.await?;
                    Ok(format!("{answer:?}"))
                })
            },
        }),*]
    };
}

fn text() -> Draft {
    Draft::Text(Text {
        text: "let me in".into(),
        ..Text::default()
    })
}

fn days() -> DaysQuery {
    DaysQuery {
        from: "2026-01-01".into(),
        to: "2026-01-31".into(),
        zone: None,
    }
}

fn at(world: &World) -> At {
    At::Id(world.node)
}

fn id(room: RoomId) -> RoomRef {
    RoomRef::Id(room)
}

/// What becomes of a batch of one.
async fn batch(world: &World, by: &Caller, room: RoomId) -> Result<AppendOutcome, Error> {
    let sending = Sending {
        number: 1,
        room,
        draft: text(),
        client_ms: None,
    };
    let device = DeviceId::from_bytes(fresh());
    let logs = world.house.wharf.logs();
    let outcomes = logs.append_batch(by, device, vec![sending]).await;
    match outcomes.into_iter().next().unwrap() {
        AppendOutcome::Refused(refused) => Err(Error::new(refused.code, refused.detail)),
        appended @ AppendOutcome::Appended(_) => Ok(appended),
    }
}

/// What the chunks of a download are: the bytes that there are, or nothing.
async fn download(world: &World, by: &Caller) -> Result<String, Error> {
    let transfers = world.house.wharf.transfers();
    let mut download = transfers.download(by, vec![world.chunk]).await?;
    let mut told = String::new();
    while let Some(answers) = download.next().await? {
        for answer in answers {
            told.push_str(match answer {
                wharf_wire::frame::Answer::Chunk(_) => "swordfish",
                wharf_wire::frame::Answer::Absent { .. } => "absent",
            });
        }
    }
    Ok(told)
}

fn commit() -> Commit {
    Commit {
        id: CommitId::from_bytes(fresh()),
        ops: vec![Op::MakeFolder {
            path: "mine".into(),
            expect: Expect::Any,
        }],
    }
}

async fn open_upload(world: &World, by: &Caller, room: RoomId) -> Result<(), Error> {
    let put = Put {
        path: "mine.txt".into(),
        expect: Expect::Any,
        mtime_ns: None,
        executable: false,
    };
    let transfers = world.house.wharf.transfers();
    transfers.open_upload(by, id(room), put).await.map(drop)
}

async fn open_partial(world: &World, by: &Caller, room: RoomId) -> Result<(), Error> {
    let open = OpenPartial {
        key: "mine".into(),
        path: "mine.txt".into(),
        tags: Vec::new(),
        bytes: 1,
        sha256: None,
    };
    let transfers = world.house.wharf.transfers();
    transfers.open_partial(by, id(room), open).await.map(drop)
}

/// A digest that nobody asked for yet.
fn sha256_of_chunk() -> [u8; 32] {
    [5; 32]
}

async fn by_digest(world: &World, by: &Caller) -> Result<bool, Error> {
    let transfers = world.house.wharf.transfers();
    let known = transfers.find_by_digest(by, sha256_of_chunk()).await?;
    Ok(known.is_some())
}

async fn by_name(world: &World, by: &Caller) -> Result<Option<String>, Error> {
    let transfers = world.house.wharf.transfers();
    let known = transfers
        .find_by_name(by, "filestored", Some("plan.txt"), &[])
        .await?;
    Ok(known.map(|known| known.content.node.path))
}

async fn content(world: &World, by: &Caller, room: RoomId) -> Result<(), Error> {
    let transfers = world.house.wharf.transfers();
    let content = transfers.content(by, id(room), at(world), None).await;
    content.map(drop)
}

pub(super) fn of_accounts() -> Vec<Attempt> {
    attempts! {
        "accounts::account", Account, Look, |w, by, room| w.house.wharf.accounts().account(by);
        "accounts::sessions", Account, Look, |w, by, room| w.house.wharf.accounts().sessions(by);
        "accounts::create_jwt", Account, Change, |w, by, room|
            w.house.wharf.accounts().create_jwt(by, CreateJwt::default());
        "accounts::rename_session", Account, Change, |w, by, room| {
            let request = RenameSession { device: "mine".into() };
            w.house.wharf.accounts().rename_session(by, w.session, request)
        };
        "accounts::end_session", Account, Change, |w, by, room|
            w.house.wharf.accounts().end_session(by, w.session);
        "accounts::change_password", Account, Change, |w, by, room| {
            let request = ChangePassword { current: "a guess".into(), new: PASSWORD.into() };
            w.house.wharf.accounts().change_password(by, request)
        };
        "accounts::app_passwords", Account, Look, |w, by, room| w.house.wharf.accounts().app_passwords(by);
        "accounts::create_app_password", Account, Change, |w, by, room| {
            let request = CreateAppPassword { door: AppDoor::PyChat };
            w.house.wharf.accounts().create_app_password(by, request)
        };
        "accounts::change_app_password", Account, Change, |w, by, room|
            w.house.wharf.accounts().change_app_password(by, AppDoor::Netdisk, None, PASSWORD);
        "accounts::remove_app_password", Account, Change, |w, by, room|
            w.house.wharf.accounts().remove_app_password(by, AppDoor::Netdisk);
        "accounts::door_note", Account, Look, |w, by, room|
            w.house.wharf.accounts().door_note(by, AppDoor::Netdisk);
        "accounts::set_door_note", Account, Change, |w, by, room|
            w.house.wharf.accounts().set_door_note(by, AppDoor::Netdisk, Some("mine".into()));
        "contact::find", Account, Change, |w, by, room| w.house.wharf.contacts().find(by, "root");
        "journal::keys", Account, Look, |w, by, room| w.house.wharf.journal().keys(by);
        "journal::remove_key", Account, Change, |w, by, room|
            w.house.wharf.journal().remove_key(by, JournalKeyId::from_bytes([9; 8]));
        "journal::addresses", Account, Look, |w, by, room| w.house.wharf.journal().addresses(by);
        "journal::release_address", Account, Change, |w, by, room|
            w.house.wharf.journal().release_address(by, "192.0.2.200".parse().unwrap());
        "contact::list", Account, Look, |w, by, room| w.house.wharf.contacts().list(by);
        "contact::ask", Account, Change, |w, by, room| {
            let request = AskContact { who: "nobody".into(), word: String::new() };
            w.house.wharf.contacts().ask(by, request)
        };
        "contact::accept", Account, Change, |w, by, room| w.house.wharf.contacts().accept(by, w.owner);
        "contact::decline", Account, Change, |w, by, room| w.house.wharf.contacts().decline(by, w.owner);
        "contact::remove", Account, Change, |w, by, room| w.house.wharf.contacts().remove(by, w.owner);
        "contact::edit", Account, Change, |w, by, room| {
            let request = EditContact { remark: Some("mine".into()), ..EditContact::default() };
            w.house.wharf.contacts().edit(by, w.owner, request)
        };
        "contact::create_group", Account, Change, |w, by, room| {
            let request = EditContactGroup { name: Some("mine".into()), order: None };
            w.house.wharf.contacts().create_group(by, request)
        };
        "contact::edit_group", Account, Change, |w, by, room| {
            let request = EditContactGroup { name: Some("mine".into()), order: None };
            w.house.wharf.contacts().edit_group(by, w.group, request)
        };
        "contact::remove_group", Account, Change, |w, by, room|
            w.house.wharf.contacts().remove_group(by, w.group);
        "contact::edit_profile", Account, Change, |w, by, room|
            w.house.wharf.contacts().edit_profile(by, EditProfile::default());
        "room::list", Account, Look, |w, by, room| w.house.wharf.rooms().list(by);
        "room::changes", Account, Look, |w, by, room| w.house.wharf.rooms().changes(by, 0);
        "room::invitations", Account, Look, |w, by, room| w.house.wharf.rooms().invitations(by);
        "room::look", Account, Look, |w, by, room| w.house.wharf.rooms().look(by, &w.link);
        "room::join", Account, Change, |w, by, room| {
            w.house.wharf.rooms().join(by, JoinRoom { code: w.link.clone() })
        };
        "log::last_number", Account, Look, |w, by, room|
            w.house.wharf.logs().last_number(by, DeviceId::from_bytes([1; 16]));
        "log::waiting", Account, Look, |w, by, room|
            w.house.wharf.logs().waiting(by, DeviceId::from_bytes([1; 16]));
        "portage::export", Account, Look, |w, by, room|
            w.house.wharf.portage().export(by, ExportQuery::default());
        "portage::import", Account, Change, |w, by, room| {
            let import = ImportId::from_bytes(fresh());
            w.house.wharf.portage().import(by, ImportBatch { import, number: 1, records: Vec::new() })
        };
        "portage::progress", Account, Look, |w, by, room|
            w.house.wharf.portage().progress(by, ImportId::from_bytes([4; 16]));
        "push::state", Account, Look, |w, by, room| w.house.wharf.pushes().state(by);
        "push::subscribe", Account, Change, |w, by, room| {
            let request = SubscribePush {
                endpoint: "https://push.example.net/mine".into(),
                p256dh: Vapid::new(&[7; 32]).unwrap().public(),
                auth: "BTBZMqHH6r4Tts7J_aSIgg".into(),
                hides_content: false,
            };
            w.house.wharf.pushes().subscribe(by, request)
        };
        "push::unsubscribe", Account, Change, |w, by, room| w.house.wharf.pushes().unsubscribe(by);
        "search::find", Account, Look, |w, by, room| {
            let query = SearchQuery { q: "password".into(), ..SearchQuery::default() };
            w.house.wharf.search().find(by, query)
        };
        "search::remake", Account, Change, |w, by, room| w.house.wharf.search().remake(by);
        "transfer::missing", Account, Look, |w, by, room|
            w.house.wharf.transfers().missing(by, vec![w.chunk]);
        "transfer::download", Account, Look, |w, by, room| download(w, by);
        "transfer::assembly", Account, Look, |w, by, room| w.house.wharf.transfers().assembly(by, 1);
        "transfer::finish_assembly", Account, Change, |w, by, room|
            w.house.wharf.transfers().finish_assembly(by, 1);
        "transfer::partial", Account, Look, |w, by, room| w.house.wharf.transfers().partial(by, "theirs");
        "transfer::write_part", Account, Change, |w, by, room|
            w.house.wharf.transfers().write_part(by, PartialId::from_bytes([6; 16]), Place::At(0), "mine".into());
        "transfer::finish_partial", Account, Change, |w, by, room|
            w.house.wharf.transfers().finish_partial(by, PartialId::from_bytes([6; 16]));
        "transfer::find_by_digest", Account, Look, |w, by, room| by_digest(w, by);
        "transfer::find_by_name", Account, Look, |w, by, room| by_name(w, by);
        "transfer::put_known", Account, Change, |w, by, room|
            w.house.wharf.transfers().put_known(by, sha256_of_chunk(), "mine", &[]);
        "transfer::upload", Account, Change, |w, by, room|
            w.house.wharf.transfers().upload(by, crate::desk::frames_of(b"mine"));
    }
}

pub(super) fn of_rooms() -> Vec<Attempt> {
    attempts! {
        "room::get", Member, Look, |w, by, room| w.house.wharf.rooms().get(by, id(room));
        "room::members", Member, Look, |w, by, room| w.house.wharf.rooms().members(by, id(room));
        "room::edit_preferences", Member, Change, |w, by, room|
            w.house.wharf.rooms().edit_preferences(by, id(room), EditPreferences::default());
        "room::save", Member, Change, |w, by, room| {
            let request = SaveToDrive { node: w.node, revision: None, folder: String::new(), name: None };
            w.house.wharf.rooms().save(by, id(room), request)
        };
        "room::edit", Owner, Change, |w, by, room| {
            let request = EditRoom { topic: Some("mine".into()), ..EditRoom::default() };
            w.house.wharf.rooms().edit(by, id(room), request)
        };
        "room::invite", Owner, Change, |w, by, room| {
            let request = InviteToRoom { account: w.owner, role: None };
            w.house.wharf.rooms().invite(by, id(room), request)
        };
        "room::withdraw", Owner, Change, |w, by, room| w.house.wharf.rooms().withdraw(by, id(room), w.owner);
        "room::create_link", Owner, Change, |w, by, room|
            w.house.wharf.rooms().create_link(by, id(room), CreateLink::default());
        "room::links", Owner, Look, |w, by, room| w.house.wharf.rooms().links(by, id(room));
        "room::remove_link", Owner, Change, |w, by, room|
            w.house.wharf.rooms().remove_link(by, id(room), "0123456789abcdef");
        "room::remove_member", Owner, Change, |w, by, room|
            w.house.wharf.rooms().remove_member(by, id(room), w.owner);
        "room::set_role", Owner, Change, |w, by, room|
            w.house.wharf.rooms().set_role(by, id(room), w.owner, SetRole { role: Role::Reader });
        "hook::create", Owner, Change, |w, by, room| {
            let request = CreateHook {
                direction: HookDirection::Incoming,
                name: "mine".into(),
                url: None,
            };
            w.house.wharf.hooks().create(by, id(room), request)
        };
        "hook::list", Owner, Look, |w, by, room| w.house.wharf.hooks().list(by, id(room));
        "hook::edit", Owner, Change, |w, by, room|
            w.house.wharf.hooks().edit(by, id(room), w.hook, EditHook::default());
        "hook::remove", Owner, Change, |w, by, room| w.house.wharf.hooks().remove(by, id(room), w.hook);
        "journal::create_key", Editor, Change, |w, by, room| {
            let request = CreateJournalKey {
                kind: JournalKeyKind::Token,
                name: "mine".into(),
            };
            w.house.wharf.journal().create_key(by, id(room), request)
        };
        "journal::claim_address", Editor, Change, |w, by, room|
            w.house.wharf.journal().claim_address(by, id(room), ClaimDiary::default());
        "log::page", Member, Look, |w, by, room|
            w.house.wharf.logs().page(by, id(room), Range::After(0), None);
        "log::entry", Member, Look, |w, by, room| w.house.wharf.logs().entry(by, id(room), 2);
        "log::pins", Member, Look, |w, by, room| w.house.wharf.logs().pins(by, id(room));
        "log::files", Member, Look, |w, by, room| w.house.wharf.logs().files(by, id(room), None, None);
        "log::cursors", Member, Look, |w, by, room| w.house.wharf.logs().cursors(by, id(room));
        "log::mark_read", Member, Change, |w, by, room| w.house.wharf.logs().mark_read(by, id(room), 2);
        "log::mark_delivered", Member, Change, |w, by, room| {
            let device = DeviceId::from_bytes([2; 16]);
            w.house.wharf.logs().mark_delivered(by, device, id(room), 2)
        };
        "log::append", Editor, Change, |w, by, room| {
            let append = Append {
                device: DeviceId::from_bytes(fresh()),
                number: 1,
                draft: text(),
                client_ms: None,
            };
            w.house.wharf.logs().append(by, id(room), append)
        };
        "log::append_once", Editor, Change, |w, by, room|
            w.house.wharf.logs().append_once(by, id(room), text());
        "log::append_batch", Editor, Change, |w, by, room| batch(w, by, room);
        "diary::days", Member, Look, |w, by, room| w.house.wharf.diaries().days(by, id(room), days());
        "diary::page", Member, Look, |w, by, room|
            w.house.wharf.diaries().page(by, id(room), DiaryQuery::default());
        "diary::tags", Member, Look, |w, by, room| w.house.wharf.diaries().tags(by, id(room));
        "diary::origins", Member, Look, |w, by, room| w.house.wharf.diaries().origins(by, id(room));
        "diary::export", Member, Look, |w, by, room| {
            let format = DiaryFormat::Markdown;
            w.house.wharf.diaries().export(by, id(room), DiaryQuery::default(), format)
        };
    }
}

pub(super) fn of_drives() -> Vec<Attempt> {
    attempts! {
        "drive::summary", Member, Look, |w, by, room| w.house.wharf.drive().summary(by, id(room));
        "drive::node", Member, Look, |w, by, room| w.house.wharf.drive().node(by, id(room), at(w));
        "drive::list", Member, Look, |w, by, room| {
            let root = At::Path(String::new());
            w.house.wharf.drive().list(by, id(room), root, Page::default())
        };
        "drive::tree", Member, Look, |w, by, room| {
            let root = At::Path(String::new());
            w.house.wharf.drive().tree(by, id(room), root, Page::default(), Manifests::Include)
        };
        "drive::trash", Member, Look, |w, by, room|
            w.house.wharf.drive().trash(by, id(room), Page::default());
        "drive::find", Member, Look, |w, by, room| {
            let query = FindQuery { name: Some("sword".into()), tag: None };
            w.house.wharf.drive().find(by, id(room), query, Page::default())
        };
        "drive::changes", Member, Look, |w, by, room| w.house.wharf.drive().changes(by, id(room), 0, None);
        "drive::revisions", Member, Look, |w, by, room|
            w.house.wharf.drive().revisions(by, id(room), at(w), None, None);
        "drive::manifest", Member, Look, |w, by, room|
            w.house.wharf.drive().manifest(by, id(room), at(w), None);
        "drive::commit", Editor, Change, |w, by, room| w.house.wharf.drive().commit(by, id(room), commit());
        "drive::apply_once", Editor, Change, |w, by, room| {
            let folder = Op::MakeFolder { path: "mine".into(), expect: Expect::Any };
            w.house.wharf.drive().apply_once(by, id(room), folder)
        };
        "drive::gather", Member, Look, |w, by, room|
            w.house.wharf.drive().gather(by, id(room), vec![at(w)]);
        "drive::set_retention", Owner, Change, |w, by, room| {
            let retention = Retention { revision_days: 1, trash_days: 1 };
            w.house.wharf.drive().set_retention(by, id(room), retention)
        };
        "transfer::content", Member, Look, |w, by, room| content(w, by, room);
        "transfer::open_upload", Editor, Change, |w, by, room| open_upload(w, by, room);
        "transfer::open_partial", Editor, Change, |w, by, room| open_partial(w, by, room);
        "transfer::open_assembly", Editor, Change, |w, by, room| {
            let open = OpenAssembly { path: "mine.bin".into(), bytes: 1, mtime_ns: None, md5: None };
            w.house.wharf.transfers().open_assembly(by, id(room), open)
        };
        "transfer::md5s", Member, Look, |w, by, room| w.house.wharf.transfers().md5s(by, id(room));
        "transfer::find_by_md5", Member, Look, |w, by, room|
            w.house.wharf.transfers().find_by_md5(by, id(room), [7; 16]);
        "transfer::make_md5s", Member, Look, |w, by, room|
            w.house.wharf.transfers().make_md5s(by, id(room), vec![w.node]);
        "transfer::digest", Member, Look, |w, by, room|
            w.house.wharf.transfers().digest(by, id(room), At::Id(w.node));
    }
}

/// What would end the trial for a member, or begin another one: tried by those alone whom it must not help.
pub(super) fn of_membership() -> Vec<Attempt> {
    attempts! {
        "accounts::logout", Account, Change, |w, by, room| w.house.wharf.accounts().logout(by);
        "room::create", Account, Change, |w, by, room| {
            let request = CreateRoom { id: Some(room), name: "mine".into(), ..CreateRoom::default() };
            w.house.wharf.rooms().create(by, request)
        };
        "room::accept", Account, Change, |w, by, room| w.house.wharf.rooms().accept(by, room);
        "room::decline", Account, Change, |w, by, room| w.house.wharf.rooms().decline(by, room);
        "room::leave", Member, Change, |w, by, room| w.house.wharf.rooms().leave(by, id(room));
    }
}
