//! `wharf room`: rooms, who is in them, and how one gets in.

mod enter;
mod links;
mod list;
mod people;
mod save;

pub(super) use list::unread;

use clap::Subcommand;
use wharf_client::Room as Named;
use wharf_types::RoomId;
use wharf_types::api::room::{
    CreateRoom, EditPreferences, EditRoom, History, Notify, Room, RoomKind,
};

use crate::context::Context;
use crate::directory::Where;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::prompt;
use crate::session::{About, Session};

/// List, make and run rooms
///
/// A room has members, a log and a drive. WHERE names one: a group by its name, the room of you and a contact as @USERNAME,
/// your own as `me`, any by its id; `room:NAME` means a group even where a person has the same name. The files of its drive
/// are room:NAME/PATH in every command on files.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wharf room create Team --invite grace --invite ada\n  \
                        wharf room link create Team --expires 2d\n  wharf room join CODE\n  \
                        wharf put plan.pdf room:Team/\n  wharf say Team \"The plan is there\""
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List your rooms, with what is unread (what `wharf room` does by itself)
    List {
        /// Also those that you hid
        #[arg(long, short)]
        all: bool,
    },
    /// Show everything about a room
    Show {
        /// The room
        #[arg(value_name = "WHERE")]
        room: Where,
    },
    /// Make a group
    Create(CreateArgs),
    /// Change a group's name, topic or rules, as its owner
    Edit(EditArgs),
    /// Make a group read-only
    Archive {
        /// The group
        #[arg(value_name = "WHERE")]
        room: Where,
    },
    /// Let a group be written again
    Unarchive {
        /// The group
        #[arg(value_name = "WHERE")]
        room: Where,
    },
    /// Set what a room is to you; nobody else sees it
    Set(SetArgs),
    /// Leave a group
    ///
    /// An owner hands it over first, with `wharf room transfer`, or removes it by leaving as the last one.
    Leave {
        /// The group
        #[arg(value_name = "WHERE")]
        room: Where,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    #[command(flatten)]
    People(people::Action),
    #[command(flatten)]
    Enter(enter::Action),
    /// Links that let people into a group
    Link(links::Args),
    /// Bring files of a room into your own drive; no bytes travel
    Save(save::Args),
}

#[derive(Debug, clap::Args)]
struct CreateArgs {
    /// What to call it
    name: String,
    /// What it is about
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    topic: String,
    /// What who joins later sees of the log before
    #[arg(long, value_name = "WHAT", default_value = "all")]
    history: HistoryWord,
    /// A contact to invite; may be given several times
    #[arg(long, value_name = "WHO")]
    invite: Vec<String>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct EditFlags {
    /// What to call it
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What it is about
    #[arg(long, value_name = "TEXT")]
    topic: Option<String>,
    /// What who joins from now on sees of the log before
    #[arg(long, value_name = "WHAT")]
    history: Option<HistoryWord>,
    /// Days that entries are kept; 0 keeps them all
    #[arg(long, value_name = "DAYS")]
    keep_days: Option<u32>,
}

#[derive(Debug, clap::Args)]
struct EditArgs {
    /// The room
    #[arg(value_name = "WHERE")]
    room: Where,
    #[command(flatten)]
    flags: EditFlags,
    /// Do not ask before entries are deleted that are older than --keep-days
    #[arg(long, short)]
    yes: bool,
}

#[derive(Debug, clap::Args)]
struct SetArgs {
    /// The room
    #[arg(value_name = "WHERE")]
    room: Where,
    #[command(flatten)]
    flags: SetFlags,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct SetFlags {
    /// What makes a noise
    #[arg(long, value_name = "WHAT")]
    notify: Option<NotifyWord>,
    /// Whether it stands at the top
    #[arg(long, value_name = "BOOL")]
    pin: Option<bool>,
    /// Whether it counts as unread whatever was read
    #[arg(long, value_name = "BOOL")]
    mark: Option<bool>,
    /// Whether it is left out of lists
    #[arg(long, value_name = "BOOL")]
    hide: Option<bool>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum HistoryWord {
    /// Everything
    All,
    /// What comes after
    Joined,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum NotifyWord {
    /// Everything
    All,
    /// What mentions you
    Mentions,
    /// Nothing
    Nothing,
}

impl From<HistoryWord> for History {
    fn from(word: HistoryWord) -> Self {
        match word {
            HistoryWord::All => Self::All,
            HistoryWord::Joined => Self::Joined,
        }
    }
}

impl From<NotifyWord> for Notify {
    fn from(word: NotifyWord) -> Self {
        match word {
            NotifyWord::All => Self::All,
            NotifyWord::Mentions => Self::Mentions,
            NotifyWord::Nothing => Self::Nothing,
        }
    }
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        match self.action.unwrap_or(Action::List { all: false }) {
            Action::List { all } => list::list(session.directory().await?, all, &context.output)?,
            Action::Show { room } => list::show(context, &session, &room).await?,
            Action::Create(args) => create(context, &session, args).await?,
            Action::Edit(args) => edit(context, &session, args).await?,
            Action::Archive { room } => archive(context, &session, &room, true).await?,
            Action::Unarchive { room } => archive(context, &session, &room, false).await?,
            Action::Set(args) => set(context, &session, args).await?,
            Action::Leave { room, yes } => leave(context, &session, &room, yes).await?,
            Action::People(action) => action.run(context, &session).await?,
            Action::Enter(action) => action.run(context, &session).await?,
            Action::Link(args) => args.run(context, &session).await?,
            Action::Save(args) => args.run(context, &session).await?,
        }
        Ok(Exit::Done)
    }
}

/// The room that is meant.
async fn find<'a>(session: &'a Session, meant: &Where) -> anyhow::Result<&'a Room> {
    Ok(session.directory().await?.find(meant)?)
}

/// The group that is meant.
async fn group<'a>(session: &'a Session, meant: &Where) -> anyhow::Result<&'a Room> {
    let room = find(session, meant).await?;
    if room.kind == RoomKind::Group {
        return Ok(room);
    }
    let failure = Failure::usage(format!("This is for groups, and {meant} is none"))
        .hint("Your own room and the room of you and a contact have the people that they have. Make a group with `wharf room create`.");
    Err(failure.into())
}

async fn create(context: &Context, session: &Session, args: CreateArgs) -> anyhow::Result<()> {
    let directory = session.directory().await?;
    let mut invite = Vec::with_capacity(args.invite.len());
    for who in &args.invite {
        invite.push(directory.contact(who)?.person.id);
    }
    let now_ms = u64::try_from(wharf_client::Clock::system().now_ms()).unwrap_or(0);
    let create = CreateRoom {
        // An id of our own, so that a cut connection does not make it twice.
        id: Some(RoomId::new(now_ms, &rand::random())),
        name: args.name,
        topic: args.topic,
        history: args.history.into(),
        invite,
    };
    let room = session.api.create_room(&create).await.about(&create.name)?;
    let output = &context.output;
    output.result(&room, |room| {
        let name = output.name(&room.name);
        format!("Made the group {name}. Let people in with `wharf room invite` or `wharf room link create`.")
    })
}

async fn edit(context: &Context, session: &Session, args: EditArgs) -> anyhow::Result<()> {
    let room = find(session, &args.room).await?;
    let flags = args.flags;
    if let Some(days) = flags.keep_days.filter(|days| *days > 0)
        && (room.keep_days == 0 || days < room.keep_days)
    {
        let question = format!(
            "Delete entries of {} for ever when they are older than {days} days?",
            printed(room, session, &context.output).await?
        );
        prompt::consent(&question, args.yes)?;
    }
    let edit = EditRoom {
        name: flags.name,
        topic: flags.topic,
        history: flags.history.map(History::from),
        keep_days: flags.keep_days,
        archived: None,
    };
    change(context, session, room, &args.room, &edit).await
}

async fn archive(
    context: &Context,
    session: &Session,
    meant: &Where,
    archived: bool,
) -> anyhow::Result<()> {
    let room = group(session, meant).await?;
    let edit = EditRoom {
        archived: Some(archived),
        ..EditRoom::default()
    };
    change(context, session, room, meant, &edit).await
}

async fn change(
    context: &Context,
    session: &Session,
    room: &Room,
    meant: &Where,
    edit: &EditRoom,
) -> anyhow::Result<()> {
    let room = session
        .api
        .edit_room(Named::Id(room.id), edit)
        .await
        .about(meant)?;
    let directory = session.directory().await?;
    let output = &context.output;
    output.result(&room, |room| list::described(room, directory, output))
}

async fn set(context: &Context, session: &Session, args: SetArgs) -> anyhow::Result<()> {
    let room = find(session, &args.room).await?;
    let edit = EditPreferences {
        notify: args.flags.notify.map(Notify::from),
        is_pinned: args.flags.pin,
        is_marked: args.flags.mark,
        is_hidden: args.flags.hide,
        draft: None,
    };
    let set = session
        .api
        .edit_preferences(Named::Id(room.id), &edit)
        .await
        .about(&args.room)?;
    context.output.result(&set.preferences, |set| {
        let word = |is: bool| if is { "yes" } else { "no" };
        let notify = match set.notify {
            Notify::All => "everything",
            Notify::Mentions => "mentions",
            Notify::Nothing => "nothing",
        };
        format!(
            "noise     {notify}\npinned    {}\nmarked    {}\nhidden    {}",
            word(set.is_pinned),
            word(set.is_marked),
            word(set.is_hidden),
        )
    })
}

async fn leave(
    context: &Context,
    session: &Session,
    meant: &Where,
    yes: bool,
) -> anyhow::Result<()> {
    let room = group(session, meant).await?;
    let name = printed(room, session, &context.output).await?;
    prompt::consent(&format!("Leave {name}?"), yes)?;
    session
        .api
        .leave_room(Named::Id(room.id))
        .await
        .about(meant)?;
    context.output.note(format_args!("You left {name}."));
    Ok(())
}

/// What the caller calls a room, as it may be shown.
async fn printed(room: &Room, session: &Session, output: &Output) -> anyhow::Result<String> {
    let title = session.directory().await?.title(room);
    Ok(output.name(&title).into_owned())
}
