//! The scenarios, and what was answered to their steps.

use std::fmt::{self, Debug, Display, Formatter, Write};

use wharf_types::api::live::ServerFrame;
use wharf_types::api::log::Body;

use super::{Driver, Outcome, World};

/// One story that every door is asked to take part in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// A file is put and read back.
    PutAndGet,
    /// A part of a file is read.
    Range,
    /// A file is replaced.
    Overwrite,
    /// A file is removed.
    Remove,
    /// A file that is not there is asked for.
    MissingFile,
    /// A file is put into folders that are not there.
    MissingParent,
    /// Somebody else's file is asked for.
    Hidden,
    /// A file is larger than the quota has room for.
    OverQuota,
    /// A path that leads upwards.
    DotDot,
    /// A path with an empty name, as two slashes make it.
    EmptyName,
    /// A name with a NUL.
    Nul,
    /// A name that is too long.
    TooLong,
    /// A name that is not ASCII.
    NonAscii,
    /// A file is put although the connection breaks in the middle.
    Resume,
    /// A file without content.
    EmptyFile,
    /// A folder of 2,500 files is listed.
    List,
    /// What this door puts is told at once to the others.
    SeenByOthers,
    /// What other doors put is read through this one.
    SeesOthers,
    /// A message is sent.
    Say,
    /// A message is received as it is sent.
    Hear,
    /// Messages are received that were sent while nobody listened.
    Offline,
    /// A file is handed over.
    HandOver,
    /// An entry is written into the journal.
    Write,
    /// What this door writes into the journal is told at once to the others.
    WriteSeenByOthers,
    /// The journal is read.
    Read,
    /// What other doors write into the journal is read through this one.
    ReadOthers,
}

/// What was answered to a driver's steps.
#[derive(Debug, Default)]
pub(super) struct Steps(Vec<(&'static str, Outcome<String>)>);

/// How many files the listed folder has.
const FILES: usize = 2_500;
/// The file of the resumed upload: enough for several of every protocol's pieces.
const RESUMED_BYTES: usize = 100_000;

impl Scenario {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 26] = [
        Self::PutAndGet,
        Self::Range,
        Self::Overwrite,
        Self::Remove,
        Self::MissingFile,
        Self::MissingParent,
        Self::Hidden,
        Self::OverQuota,
        Self::DotDot,
        Self::EmptyName,
        Self::Nul,
        Self::TooLong,
        Self::NonAscii,
        Self::Resume,
        Self::EmptyFile,
        Self::List,
        Self::SeenByOthers,
        Self::SeesOthers,
        Self::Say,
        Self::Hear,
        Self::Offline,
        Self::HandOver,
        Self::Write,
        Self::WriteSeenByOthers,
        Self::Read,
        Self::ReadOthers,
    ];

    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::PutAndGet => "a file is put and read back",
            Self::Range => "a part of a file is read",
            Self::Overwrite => "a file is replaced, and the old content stays as a revision",
            Self::Remove => "a file is removed to the trash",
            Self::MissingFile => "a file that is not there is refused",
            Self::MissingParent => "folders on the way to a file are made",
            Self::Hidden => "somebody else's file is not found",
            Self::OverQuota => "what the quota has no room for is refused",
            Self::DotDot => "a path that leads upwards is refused",
            Self::EmptyName => "an empty name in a path is passed over",
            Self::Nul => "a name with a NUL is refused",
            Self::TooLong => "a name that is too long is refused",
            Self::NonAscii => "a name may be in any script",
            Self::Resume => "an upload goes on after a cut, in another connection",
            Self::EmptyFile => "an empty file is put and read back",
            Self::List => "2,500 files are listed",
            Self::SeenByOthers => "a file is told to the other doors at once",
            Self::SeesOthers => "a file of another door is read",
            Self::Say => "a message is sent",
            Self::Hear => "a message is received at once",
            Self::Offline => "messages are received that were sent meanwhile",
            Self::HandOver => "a file is handed over",
            Self::Write => "an entry is written into the journal, with its origin",
            Self::WriteSeenByOthers => "an entry is told to the other doors at once",
            Self::Read => "the journal is read",
            Self::ReadOthers => "an entry of another door is read in the journal",
        }
    }

    /// Plays it; the reason where the protocol has no words for a step.
    #[expect(clippy::cognitive_complexity, reason = "one line for each scenario")]
    pub(super) async fn play<D: Driver>(
        self,
        world: &World<'_>,
        driver: &mut D,
        steps: &mut Steps,
    ) -> Result<(), &'static str> {
        match self {
            Self::PutAndGet => put_and_get("notes.txt", b"what was put", driver, steps).await,
            Self::Range => range(driver, steps).await,
            Self::Overwrite => overwrite(driver, steps).await,
            Self::Remove => remove(driver, steps).await,
            Self::MissingFile => missing_file(driver, steps).await,
            Self::MissingParent => put_and_get("a/b/c.txt", b"deep", driver, steps).await,
            Self::Hidden => hidden(world, driver, steps).await,
            Self::OverQuota => over_quota(world, driver, steps).await,
            Self::DotDot => put("../outside.txt", driver, steps).await,
            Self::EmptyName => put("a//b.txt", driver, steps).await,
            Self::Nul => put("a\0b.txt", driver, steps).await,
            Self::TooLong => put(&"n".repeat(256), driver, steps).await,
            Self::NonAscii => put_and_get("höhe 号.txt", b"any script", driver, steps).await,
            Self::Resume => resume(world, driver, steps).await,
            Self::EmptyFile => put_and_get("empty", b"", driver, steps).await,
            Self::List => list(world, driver, steps).await,
            Self::SeenByOthers => seen_by_others(world, driver, steps).await,
            Self::SeesOthers => sees_others(world, driver, steps).await,
            Self::Say => say(driver, steps).await,
            Self::Hear => hear(world, driver, steps).await,
            Self::Offline => offline(world, driver, steps).await,
            Self::HandOver => hand_over(driver, steps).await,
            Self::Write => write(driver, steps).await,
            Self::WriteSeenByOthers => write_seen_by_others(world, driver, steps).await,
            Self::Read => read(driver, steps).await,
            Self::ReadOthers => read_others(world, driver, steps).await,
        }
    }
}

type Done = Result<(), &'static str>;

async fn put<D: Driver>(path: &str, driver: &mut D, steps: &mut Steps) -> Done {
    steps.note("put", driver.put(path, b"what was put").await)?;
    Ok(())
}

async fn put_and_get<D: Driver>(
    path: &str,
    bytes: &[u8],
    driver: &mut D,
    steps: &mut Steps,
) -> Done {
    steps.note("put", driver.put(path, bytes).await)?;
    steps.note("get", driver.get(path).await)?;
    Ok(())
}

async fn range<D: Driver>(driver: &mut D, steps: &mut Steps) -> Done {
    let bytes: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    steps.note("put", driver.put("range.bin", &bytes).await)?;
    steps.note("middle", driver.get_range("range.bin", 2_000, 3_000).await)?;
    steps.note("end", driver.get_range("range.bin", 9_000, 1_000).await)?;
    Ok(())
}

async fn overwrite<D: Driver>(driver: &mut D, steps: &mut Steps) -> Done {
    put_and_get("plan.txt", b"the first plan", driver, steps).await?;
    put_and_get("plan.txt", b"a better plan", driver, steps).await
}

async fn remove<D: Driver>(driver: &mut D, steps: &mut Steps) -> Done {
    steps.note("put", driver.put("old.txt", b"old").await)?;
    steps.note("put another", driver.put("new.txt", b"new").await)?;
    steps.note("remove", driver.remove("old.txt").await)?;
    steps.note("get", driver.get("old.txt").await)?;
    steps.note("get another", driver.get("new.txt").await)?;
    Ok(())
}

async fn missing_file<D: Driver>(driver: &mut D, steps: &mut Steps) -> Done {
    steps.note("get", driver.get("nothing.txt").await)?;
    Ok(())
}

async fn hidden<D: Driver>(world: &World<'_>, driver: &mut D, steps: &mut Steps) -> Done {
    let secret = world.secret().await;
    steps.note("get", driver.get_secret(&secret).await)?;
    Ok(())
}

async fn over_quota<D: Driver>(world: &World<'_>, driver: &mut D, steps: &mut Steps) -> Done {
    world.set_quota(10_000).await;
    steps.note("put", driver.put("large.bin", &vec![7; 20_000]).await)?;
    steps.note("put less", driver.put("small.bin", &[7; 9_000]).await)?;
    Ok(())
}

async fn resume<D: Driver>(world: &World<'_>, driver: &mut D, steps: &mut Steps) -> Done {
    let bytes: Vec<u8> = (0..RESUMED_BYTES)
        .map(|at| (at.wrapping_mul(at) >> 3).to_le_bytes()[0])
        .collect();
    steps.note("half", driver.put_half("large.bin", &bytes).await)?;
    let is_there = world.has("large.bin").await;
    steps.note("is it there", Outcome::Done(is_there))?;
    let sent = driver.put_rest("large.bin", &bytes).await;
    let is_less = sent.map(|bytes| bytes < RESUMED_BYTES as u64);
    steps.note("rest, and it is less than the whole", is_less)?;
    Ok(())
}

async fn list<D: Driver>(world: &World<'_>, driver: &mut D, steps: &mut Steps) -> Done {
    world.fill("many", FILES).await;
    let names = driver.list("many").await;
    let names = names.map(|names| (names.len(), names.first().cloned(), names.last().cloned()));
    steps.note("list", names)?;
    Ok(())
}

async fn seen_by_others<D: Driver>(world: &World<'_>, driver: &mut D, steps: &mut Steps) -> Done {
    let mut live = world.server.live(&world.me.token).await;
    live.begin().await;
    let put = driver.put("news.txt", b"news").await;
    let is_done = matches!(put, Outcome::Done(()));
    steps.note("put", put)?;
    if is_done {
        let home = world.me.account.home;
        live.until(|frame| match frame {
            ServerFrame::Drive { room, head } if room == home => Some(head),
            _ => None,
        })
        .await;
        steps.note("get by HTTP", Outcome::Done(world.get("news.txt").await))?;
    }
    Ok(())
}

async fn sees_others<D: Driver>(world: &World<'_>, driver: &mut D, steps: &mut Steps) -> Done {
    world.put("shared.txt", b"from HTTP").await;
    steps.note("get", driver.get("shared.txt").await)?;
    Ok(())
}

async fn say<D: Driver>(driver: &mut D, steps: &mut Steps) -> Done {
    steps.note("say", driver.say("good morning, 你好").await)?;
    Ok(())
}

async fn hear<D: Driver>(world: &World<'_>, driver: &mut D, steps: &mut Steps) -> Done {
    steps.note("listen", driver.listen().await)?;
    world.friend_says("are you there?").await;
    steps.note("hear", driver.hear().await)?;
    Ok(())
}

async fn offline<D: Driver>(world: &World<'_>, driver: &mut D, steps: &mut Steps) -> Done {
    steps.note("leave", driver.leave().await)?;
    world.friend_says("one").await;
    world.friend_says("two").await;
    steps.note("missed", driver.missed().await)?;
    Ok(())
}

async fn hand_over<D: Driver>(driver: &mut D, steps: &mut Steps) -> Done {
    steps.note("hand over", driver.hand_over("map.bin", &[3; 1_000]).await)?;
    Ok(())
}

async fn write<D: Driver>(driver: &mut D, steps: &mut Steps) -> Done {
    steps.note("write", driver.write("it rained").await)?;
    Ok(())
}

async fn write_seen_by_others<D: Driver>(
    world: &World<'_>,
    driver: &mut D,
    steps: &mut Steps,
) -> Done {
    let mut live = world.server.live(&world.me.token).await;
    live.begin().await;
    write(driver, steps).await?;
    let home = world.me.account.home;
    let told = live.until(|frame| match frame {
        ServerFrame::Entry { room, entry } if room == home => match entry.body {
            Some(Body::Text(text)) => Some(text.text),
            _ => None,
        },
        _ => None,
    });
    steps.note("told", Outcome::Done(told.await))?;
    Ok(())
}

async fn read<D: Driver>(driver: &mut D, steps: &mut Steps) -> Done {
    write(driver, steps).await?;
    steps.note("read", driver.journal().await)?;
    Ok(())
}

async fn read_others<D: Driver>(world: &World<'_>, driver: &mut D, steps: &mut Steps) -> Done {
    world.write_elsewhere().await;
    steps.note("read", driver.journal().await)?;
    Ok(())
}

impl Steps {
    /// Notes what was answered to a step; the reason where the protocol has no words for it.
    fn note<T: Debug>(&mut self, step: &'static str, outcome: Outcome<T>) -> Done {
        let outcome = outcome.map(|done| format!("{done:?}"));
        if let Outcome::Unsupported(reason) = outcome {
            return Err(reason);
        }
        self.0.push((step, outcome));
        Ok(())
    }

    /// Where these differ from `model`'s, a line each. A refusal without a kind is like any other.
    pub(super) fn differences(&self, model: &Self) -> String {
        let mut out = String::new();
        if self.0.len() != model.0.len() {
            writeln!(out, "  {:?} where HTTP has {:?}", self.0, model.0).expect("text");
            return out;
        }
        for ((step, mine), (_, theirs)) in self.0.iter().zip(&model.0) {
            let is_like = match (mine, theirs) {
                (Outcome::Refused(None), Outcome::Refused(_)) => true,
                (mine, theirs) => mine == theirs,
            };
            if !is_like {
                writeln!(out, "  {step}: {mine:?} where HTTP says {theirs:?}").expect("text");
            }
        }
        out
    }
}

impl Display for Steps {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, (step, outcome)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            match outcome {
                Outcome::Done(_) => write!(f, "{step}")?,
                Outcome::Refused(Some(code)) => write!(f, "{step} is {}", code.as_str())?,
                Outcome::Refused(None) => write!(f, "{step} is refused")?,
                Outcome::Unsupported(reason) => f.write_str(reason)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wharf_types::ErrorCode;

    use super::{Outcome, Steps};

    fn steps(outcome: Outcome<&str>) -> Steps {
        let mut steps = Steps::default();
        steps.note("get", outcome).unwrap();
        steps
    }

    #[test]
    fn another_answer_is_a_difference_and_a_refusal_without_a_kind_is_like_any_other() {
        let refused = |code| steps(Outcome::Refused(code));
        let done = || steps(Outcome::Done("bytes"));
        assert_eq!(done().differences(&done()), "");
        assert_ne!(done().differences(&steps(Outcome::Done("other"))), "");
        assert_ne!(done().differences(&refused(None)), "");
        assert_ne!(refused(None).differences(&done()), "");
        let missing = Some(ErrorCode::NotFound);
        assert_eq!(refused(None).differences(&refused(missing)), "");
        assert_ne!(
            refused(Some(ErrorCode::Denied)).differences(&refused(missing)),
            ""
        );
        assert_ne!(done().differences(&Steps::default()), "");
        assert_eq!(
            Steps::default().note("list", Outcome::<()>::Unsupported("no lists")),
            Err("no lists")
        );
    }
}
