//! The scenes of the session.

use wharf_core::drive::RoomRef;
use wharf_types::CommitId;
use wharf_types::api::contact::{EditContact, Status};
use wharf_types::api::drive::{Commit, Expect, Op};
use wharf_types::api::live::Typing;
use wharf_types::api::log::{Draft, Edit, Mentions, Pin, Reaction, Recall};
use wharf_types::api::room::{EditPreferences, EditRoom};

use super::device::WasCut;
use super::world::World;
use crate::chat::shared::Wanted;
use crate::chat::store;

/// What happens between two moments of rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scene {
    /// The device says much at once.
    Burst,
    /// Both speak in turns.
    Talk,
    /// The other person speaks.
    Hear,
    /// Reactions and pins are set and taken away.
    React,
    /// Something is changed and something taken back.
    Change,
    /// Something is refused; what is behind it is not.
    Refused,
    /// The person reads.
    Read,
    /// The device says what it has stored.
    Delivered,
    /// The other person reads, which is told within a second.
    OtherReads,
    /// Both type.
    Type,
    /// The person is busy and looks at who is there.
    Presence,
    /// The device asks whether the server is there.
    Ping,
    /// The account's list changes elsewhere.
    List,
    /// The drive changes.
    Drive,
    /// The account speaks and reads on another device.
    Elsewhere,
    /// The other person and the group are called otherwise.
    Renamed,
    /// Much was missed, and written, while there was no connection.
    Missed,
}

impl Scene {
    pub(super) const ALL: [Self; 17] = [
        Self::Burst,
        Self::Talk,
        Self::Hear,
        Self::React,
        Self::Change,
        Self::Refused,
        Self::Read,
        Self::Delivered,
        Self::OtherReads,
        Self::Type,
        Self::Presence,
        Self::Ping,
        Self::List,
        Self::Drive,
        Self::Elsewhere,
        Self::Renamed,
        Self::Missed,
    ];

    /// Whether the server gathers something over a second in it.
    pub(super) fn waits(self) -> bool {
        matches!(self, Self::OtherReads)
    }

    /// Whether something happens in the group in it.
    pub(super) fn is_in_group(self) -> bool {
        matches!(self, Self::Renamed)
    }

    /// Plays the scene, up to its end or the cut.
    pub(super) async fn play(self, world: &mut World) -> Result<(), WasCut> {
        match self {
            Self::Burst => burst(world).await,
            Self::Talk => talk(world).await,
            Self::Hear => hear(world).await,
            Self::React => react(world).await,
            Self::Change => change(world).await,
            Self::Refused => refused(world).await,
            Self::Read => read(world).await,
            Self::Delivered => delivered(world).await,
            Self::OtherReads => other_reads(world).await,
            Self::Type => types(world).await,
            Self::Presence => presence(world).await,
            Self::Ping => ping(world).await,
            Self::List => list(world).await,
            Self::Drive => drive(world).await,
            Self::Elsewhere => elsewhere(world).await,
            Self::Renamed => renamed(world).await,
            Self::Missed => missed(world).await,
        }
    }
}

async fn burst(world: &mut World) -> Result<(), WasCut> {
    for _ in 0..6 {
        world.say();
    }
    world.device.until_came("entry", 6).await
}

async fn talk(world: &mut World) -> Result<(), WasCut> {
    for n in 0..2 {
        world.say();
        world.device.until_came("entry", 2 * n + 1).await?;
        world.other_says().await;
        world.device.until_came("entry", 2 * n + 2).await?;
    }
    Ok(())
}

async fn hear(world: &mut World) -> Result<(), WasCut> {
    for _ in 0..3 {
        world.other_says().await;
    }
    world.device.until_came("entry", 3).await
}

async fn react(world: &mut World) -> Result<(), WasCut> {
    let target = world.other_says().await;
    world.device.until_came("entry", 1).await?;
    for is_set in [true, false] {
        let emoji = "!".to_owned();
        world.write(&Draft::Reaction(Reaction {
            target,
            emoji,
            is_set,
        }));
        world.write(&Draft::Pin(Pin { target, is_set }));
    }
    world.device.until_came("entry", 5).await
}

async fn change(world: &mut World) -> Result<(), WasCut> {
    world.say();
    world.say();
    world.device.until_came("entry", 2).await?;
    let target = world.device.tail(world.room);
    world.write(&Draft::Edit(Edit {
        target: target - 1,
        text: "changed".to_owned(),
        mentions: Mentions::default(),
    }));
    world.write(&Draft::Recall(Recall { target }));
    world.forget_last();
    world.device.until_came("entry", 4).await
}

async fn refused(world: &mut World) -> Result<(), WasCut> {
    let target = world.other_says().await;
    world.device.until_came("entry", 1).await?;
    world.write(&Draft::Edit(Edit {
        target,
        text: "not mine".to_owned(),
        mentions: Mentions::default(),
    }));
    world.say();
    world.write(&Draft::Recall(Recall { target }));
    world.say();
    world.device.until_came("entry", 3).await
}

async fn delivered(world: &mut World) -> Result<(), WasCut> {
    for n in 1..=2 {
        world.other_says().await;
        world.device.until_came("entry", n).await?;
        world.device.now_ms += 1_000;
        world.device.work().await;
    }
    Ok(())
}

async fn ping(world: &mut World) -> Result<(), WasCut> {
    world.other_says().await;
    world.device.until_came("entry", 1).await?;
    world.device.now_ms += 1_000;
    world.device.work().await;
    for n in 1..=16 {
        world.device.now_ms += 15_000;
        world.device.until_came("pong", n).await?;
    }
    Ok(())
}

async fn read(world: &mut World) -> Result<(), WasCut> {
    for n in 1..=3 {
        let position = world.other_says().await;
        world.device.until_came("entry", n).await?;
        let room = world.room;
        world
            .device
            .store
            .change(|tx| store::reading::mark_read(tx, room, position))
            .unwrap();
        world.device.until_came("account", n).await?;
    }
    Ok(())
}

async fn other_reads(world: &mut World) -> Result<(), WasCut> {
    world.say();
    world.device.until_came("entry", 1).await?;
    let room = RoomRef::Id(world.room);
    let position = world.device.tail(world.room);
    let logs = world.wharf.logs();
    logs.mark_read(&world.other.by, room, position)
        .await
        .unwrap();
    world.device.until_came("cursor", 1).await
}

async fn types(world: &mut World) -> Result<(), WasCut> {
    for n in 0..10 {
        let stopped = n % 2 == 1;
        let typing = Typing {
            room: world.room,
            account: None,
            stopped,
        };
        let told = world.other.connection.typing(&world.other.by, typing);
        told.await.unwrap();
        world.device.until_came("typing", n + 1).await?;
        world.device.wanted.typing.insert(world.room, !stopped);
        world.device.work().await;
    }
    Ok(())
}

/// Has what was begun end, so that the scene can be played again.
pub(super) async fn tidy_up(world: &mut World) {
    world.device.wanted = Wanted::default();
    let typing = Typing {
        room: world.room,
        account: None,
        stopped: true,
    };
    let told = world.other.connection.typing(&world.other.by, typing);
    told.await.unwrap();
}

async fn presence(world: &mut World) -> Result<(), WasCut> {
    let other = world.other.by.account().unwrap();
    let statuses = [
        Status::Busy,
        Status::Away,
        Status::Invisible,
        Status::Online,
    ];
    for (n, status) in statuses.into_iter().cycle().take(10).enumerate() {
        world.device.wanted.status = Some(status);
        if !world.device.wanted.watch.remove(&other) {
            world.device.wanted.watch.insert(other);
        }
        world.device.until_came("presence", n + 1).await?;
    }
    Ok(())
}

async fn list(world: &mut World) -> Result<(), WasCut> {
    let room = RoomRef::Id(world.room);
    for n in 0..3 {
        let request = EditPreferences {
            is_pinned: Some(n != 1),
            ..EditPreferences::default()
        };
        let by = world.device.caller();
        let edited = world.wharf.rooms().edit_preferences(&by, room, request);
        edited.await.unwrap();
        world.device.until_came("account", n + 1).await?;
    }
    Ok(())
}

async fn drive(world: &mut World) -> Result<(), WasCut> {
    let room = RoomRef::Id(world.room);
    for n in 0..12 {
        let op = Op::MakeFolder {
            path: format!("/{:032x}", rand::random::<u128>()),
            expect: Expect::Absent,
        };
        let commit = Commit {
            id: CommitId::from_bytes(rand::random()),
            ops: vec![op],
        };
        let committed = world.wharf.drive().commit(&world.other.by, room, commit);
        committed.await.unwrap();
        world.device.until_came("drive", n + 1).await?;
    }
    Ok(())
}

async fn missed(world: &mut World) -> Result<(), WasCut> {
    world.device.hang_up();
    for _ in 0..2 {
        world.other_says().await;
        world.say();
    }
    world.device.until_came("entry", 2).await?;
    world.device.until_came("page", 1).await
}

async fn elsewhere(world: &mut World) -> Result<(), WasCut> {
    let room = RoomRef::Id(world.room);
    for n in 1..=2 {
        world.says_elsewhere().await;
        world.device.until_came("entry", 2 * n - 1).await?;
        let position = world.other_says().await;
        world.device.until_came("entry", 2 * n).await?;
        let by = world.device.caller();
        let read = world.wharf.logs().mark_read(&by, room, position).await;
        read.unwrap();
        world.device.until_came("account", n).await?;
    }
    Ok(())
}

async fn renamed(world: &mut World) -> Result<(), WasCut> {
    let name = format!("{:032x}", rand::random::<u128>());
    let remark = EditContact {
        remark: Some(name.clone()),
        ..EditContact::default()
    };
    let by = world.other.by;
    let (me, other) = (world.device.caller(), by.account().unwrap());
    world
        .wharf
        .contacts()
        .edit(&me, other, remark)
        .await
        .unwrap();
    world.device.until_came("account", 1).await?;
    let edit = EditRoom {
        name: Some(name),
        ..EditRoom::default()
    };
    let group = RoomRef::Id(world.group);
    world.wharf.rooms().edit(&by, group, edit).await.unwrap();
    world.device.until_came("entry", 1).await?;
    world.device.until_came("account", 2).await
}
