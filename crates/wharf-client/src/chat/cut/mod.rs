//! A session is cut after every byte of every frame, in both directions, and in the end everything is there once.
//!
//! The session is a number of scenes, which begin at rest: the device has all that the house has, and the other way round. One
//! scene after the other on one connection is the session; a scene that is cut is what a session is that is cut there, and
//! costs a small part of it. The device's engine and store, the house, its session and the codecs of both ends are the real
//! ones; sockets are not, which `tests/it/chat/cut.rs` cuts.
//!
//! `WHARF_CUT_SQLITE_STEP` (1) and `WHARF_CUT_POSTGRES_STEP` (16) are how many bytes apart the cuts are; with 1, every one.

mod device;
mod line;
mod scene;
mod world;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::task::{JoinSet, unconstrained};
use wharf_core::{HouseConfig, MessageLimits};
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::server::{Setup, TestServer};
use wharf_types::api::account::SignupPolicy;

use self::line::{Cut, Frame, Passed, Way};
use self::scene::Scene;
use self::world::World;

/// Sessions at a time: they wait for the disk and for timers, mostly.
const WORKERS: usize = 24;
/// Cuts that are made one after another before another worker may go on with the frame.
const CHUNK_BYTES: usize = 16;
/// By how much frames get longer while the test runs, since numbers in them do.
const GROWTH_BYTES: usize = 32;
/// How often a scene is played again whose frames came in another order, before that is a failure: something is told within a
/// second, and may come in between.
const TRIES: usize = 200;

/// Some of the cuts in one frame.
#[derive(Debug, Clone)]
struct Work {
    scene: Scene,
    way: Way,
    frame: usize,
    bytes: Vec<usize>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_is_cut_after_any_byte_is_whole_in_the_end_on_sqlite() {
    cut_everywhere(Engine::Sqlite, setting("WHARF_CUT_SQLITE_STEP", 1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_is_cut_after_any_byte_is_whole_in_the_end_on_postgres() {
    cut_everywhere(Engine::Postgres, setting("WHARF_CUT_POSTGRES_STEP", 16)).await;
}

async fn cut_everywhere(engine: Engine, step: usize) {
    let server = Arc::new(server(engine).await);
    let session = Arc::new(unconstrained(whole_session(&server)).await);
    let work = Arc::new(Mutex::new(all_work(&session, step)));
    let cuts = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let (server, session) = (Arc::clone(&server), Arc::clone(&session));
        let (work, cuts) = (Arc::clone(&work), Arc::clone(&cuts));
        // In a network, no write has to wait for another task's turn.
        workers.spawn(unconstrained(async move {
            let mut world = World::new(&server, &worker.to_string()).await;
            loop {
                let next = work.lock().pop_front();
                let Some(next) = next else { break };
                cut_frame(&mut world, &session, &next, &cuts).await;
            }
            world.compare_all().await;
        }));
    }
    while let Some(done) = workers.join_next().await {
        done.unwrap();
    }
    println!("{} cuts", cuts.load(Ordering::Relaxed));
}

async fn server(engine: Engine) -> TestServer {
    let unbounded = MessageLimits {
        account_burst: u32::MAX,
        account_per_minute: u32::MAX,
        address_burst: u32::MAX,
        address_per_minute: u32::MAX,
    };
    let house = HouseConfig {
        signup: SignupPolicy::Open,
        messages: unbounded,
        ..HouseConfig::default()
    };
    let db = tokio::task::spawn_blocking(move || TestDb::open(engine));
    let setup = Setup {
        house,
        ..Setup::default()
    };
    TestServer::start_with(db.await.unwrap(), setup).await
}

/// The frames of a scene that is not cut, up and down.
#[derive(Debug)]
struct Reference {
    scene: Scene,
    up: Vec<Frame>,
    down: Vec<Frame>,
}

impl Reference {
    fn of(scene: Scene, passed: &Passed) -> Self {
        Self {
            scene,
            up: passed.frames(Way::Up).to_vec(),
            down: passed.frames(Way::Down).to_vec(),
        }
    }

    fn kinds(&self, way: Way) -> impl Iterator<Item = &str> {
        self.frames(way).iter().map(|frame| frame.kind.as_str())
    }

    fn has_kinds_of(&self, other: &Self) -> bool {
        [Way::Up, Way::Down]
            .iter()
            .all(|way| self.kinds(*way).eq(other.kinds(*way)))
    }

    fn frames(&self, way: Way) -> &[Frame] {
        match way {
            Way::Up => &self.up,
            Way::Down => &self.down,
        }
    }
}

/// Plays every scene without a cut, one after the other, on one connection but for those that begin with another one.
async fn whole_session(server: &TestServer) -> Vec<Reference> {
    let mut world = World::new(server, "whole").await;
    // With it passes what is still asked for about the rooms that the device has just come to know.
    play(&mut world, Scene::Burst, None).await;
    let mut session = Vec::new();
    for scene in Scene::ALL {
        session.push(usual(&mut world, scene).await);
    }
    let kinds = |way| -> BTreeSet<_> {
        let scenes = session.iter();
        scenes.flat_map(|scene| scene.kinds(way)).collect()
    };
    assert_eq!(kinds(Way::Up), UP.into(), "up, every kind of frame");
    assert_eq!(kinds(Way::Down), DOWN.into(), "down, every kind of frame");
    for reference in &session {
        let frames = [Way::Up, Way::Down].map(|way| reference.frames(way));
        let bytes: usize = frames
            .iter()
            .copied()
            .flatten()
            .map(|frame| frame.bytes)
            .sum();
        println!(
            "{:?}: {} frames, {bytes} bytes",
            reference.scene,
            frames.concat().len()
        );
    }
    let mut frame_count = 0;
    for way in [Way::Up, Way::Down] {
        let frames = session.iter().flat_map(|reference| reference.frames(way));
        let lengths: Vec<_> = frames.map(|frame| frame.bytes).collect();
        let bytes: usize = lengths.iter().sum();
        println!("{way:?}: {} frames, {bytes} bytes", lengths.len());
        frame_count += lengths.len();
    }
    assert!(frame_count >= SESSION_FRAMES, "{frame_count} frames");
    session
}

/// The frames of a scene when nothing of the scene before comes late: those that it has twice in a row.
async fn usual(world: &mut World, scene: Scene) -> Reference {
    let mut before = None;
    for _ in 0..TRIES {
        play(world, scene, None).await;
        let now = Reference::of(scene, &world.device.passed().lock());
        if before.is_some_and(|before| now.has_kinds_of(&before)) {
            return now;
        }
        before = Some(now);
    }
    panic!("{scene:?}: never twice the same");
}

/// Every frame that a client sends.
const UP: [&str; 9] = [
    "hello",
    "send",
    "fetch",
    "read",
    "delivered",
    "typing",
    "status",
    "watch",
    "ping",
];
/// Every frame that a server sends, but those that tell a slow connection where it is, of a page that may not be had and of the
/// end of the session.
const DOWN: [&str; 13] = [
    "welcome", "account", "rooms", "ready", "entry", "ack", "nack", "page", "cursor", "presence",
    "typing", "drive", "pong",
];
/// How long the session is at least.
const SESSION_FRAMES: usize = 200;

/// What is to be cut: first where it takes longest.
fn all_work(session: &[Reference], step: usize) -> VecDeque<Work> {
    let mut all = Vec::new();
    for reference in session {
        for way in [Way::Up, Way::Down] {
            for (frame, passed) in reference.frames(way).iter().enumerate() {
                let first = usize::from(frame > 0);
                let bytes = (first..=passed.bytes + GROWTH_BYTES)
                    .filter(|byte| byte.is_multiple_of(step) || *byte + 1 >= passed.bytes);
                for bytes in bytes.collect::<Vec<_>>().chunks(CHUNK_BYTES) {
                    all.push(Work {
                        scene: reference.scene,
                        way,
                        frame,
                        bytes: bytes.to_vec(),
                    });
                }
            }
        }
    }
    all.sort_by_key(|work| !work.scene.waits());
    all.into()
}

/// Makes the cuts in one frame, up to its end.
async fn cut_frame(world: &mut World, session: &[Reference], work: &Work, cuts: &AtomicUsize) {
    let reference = session
        .iter()
        .find(|reference| reference.scene == work.scene);
    let before = &reference.unwrap().frames(work.way)[..work.frame];
    for byte in work.bytes.iter().copied() {
        let cut = Cut {
            way: work.way,
            frame: work.frame,
            byte,
        };
        let mut is_same = false;
        let mut came = Vec::new();
        for _ in 0..TRIES {
            play(world, work.scene, Some(cut)).await;
            let passed = world.device.passed().lock();
            if !passed.is_cut() {
                // The frame is shorter than that.
                return;
            }
            let frames = passed.before_cut().iter().take(work.frame);
            came = frames.map(|frame| frame.kind.clone()).collect();
            is_same = before.iter().map(|frame| &frame.kind).eq(&came);
            if is_same {
                break;
            }
        }
        cuts.fetch_add(1, Ordering::Relaxed);
        assert!(
            is_same,
            "{:?}: never as without a cut: {cut:?}: {came:?}",
            work.scene
        );
    }
}

/// Plays a scene to its end, cut or not, lets everything come to rest and compares.
async fn play(world: &mut World, scene: Scene, cut: Option<Cut>) {
    world.begin(format!("{scene:?}, {cut:?}"));
    world.device.arm(cut);
    let played = scene.play(world).await;
    assert!(played.is_ok() || cut.is_some(), "nobody cut it");
    scene::tidy_up(world).await;
    world.device.passed().lock().disarm();
    let room = world.settle(scene).await;
    world.compare(&room).await;
    if scene.is_in_group() {
        world.compare_group().await;
    }
}

/// The number that a variable of the environment says.
fn setting(name: &str, default: usize) -> usize {
    #[expect(clippy::disallowed_methods, reason = "the long form is asked for so")]
    let value = std::env::var(name);
    value.map_or(default, |value| value.parse().unwrap())
}
