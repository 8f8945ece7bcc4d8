//! The terminal itself: taking it over and giving it back, reading keys, drawing.

use std::io::{self, Stdout, Write};
use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture, Event as Input, EventStream, KeyboardEnhancementFlags,
    PopKeyboardEnhancementFlags, PushKeyboardEnhancementFlags,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    SetTitle, disable_raw_mode, enable_raw_mode, supports_keyboard_enhancement,
};
use crossterm::{execute, queue};
use futures_util::StreamExt;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};
use wharf_client::Clock;
use wharf_client::chat::{Chat, Events};
use wharf_types::{AccountId, RoomId};

use super::effect::{Effect, Feed};
use super::keymap::Keymap;
use super::model::Model;
use super::notice::{Teller, clipboard};
use super::theme::Theme;
use super::view;
use super::when::Now;
use super::world::{Login, World, link};

/// How often times and bars are drawn again.
const TICK: Duration = Duration::from_millis(250);
/// Times on the screen are to the minute.
const MINUTE_MS: i64 = 60_000;
/// Lists are read again at most this often; what a person types is drawn at once.
const REFRESH: Duration = Duration::from_millis(40);

/// How the screen is to be.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) theme: Theme,
    pub(crate) keys: Keymap,
    pub(crate) teller: Teller,
    pub(crate) has_mouse: bool,
    pub(crate) downloads: PathBuf,
}

/// Shows an account's conversations until the person leaves.
pub(crate) async fn run(chat: Chat, me: AccountId, login: Login, look: Look) -> anyhow::Result<()> {
    let clock = Clock::system();
    let now = Now {
        ms: clock.now_ms(),
        zone: TimeZone::system(),
    };
    let mut model = Model::new(look.theme, now, me);
    model.downloads.clone_from(&look.downloads);
    model.keys = look.keys;
    model.link = link(chat.connection());
    let events = chat.subscribe();
    let (world, feeds) = World::new(chat, login);
    let screen = Screen::take(look.has_mouse)?;
    let mut client = Client {
        model,
        world,
        feeds,
        events,
        screen,
        clock,
        teller: look.teller,
        shown: None,
        title: String::new(),
        is_dirty: true,
    };
    client.run().await
}

struct Client {
    model: Model,
    world: World,
    feeds: mpsc::Receiver<Feed>,
    events: Events,
    screen: Screen,
    clock: Clock,
    teller: Teller,
    /// The room that the chat was told is on the screen.
    shown: Option<RoomId>,
    title: String,
    /// Whether the screen may be another one than the one that was drawn. Nothing is written to a terminal, perhaps a far
    /// one, while nothing happens.
    is_dirty: bool,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    On,
    End,
}

impl Client {
    async fn run(&mut self) -> anyhow::Result<()> {
        let mut inputs = EventStream::new();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let size = self.screen.terminal.size()?;
        self.model.size = (size.width, size.height);
        let mut refreshed = None::<Instant>;
        loop {
            if self.world.is_stale() && refreshed.is_none_or(|at| at.elapsed() >= REFRESH) {
                refreshed = Some(Instant::now());
                if self.refresh()? == Next::End {
                    return Ok(());
                }
            }
            if std::mem::replace(&mut self.is_dirty, true) {
                self.draw()?;
            }
            let wait = async {
                match (self.world.is_stale(), refreshed) {
                    (true, Some(at)) => tokio::time::sleep_until(at + REFRESH).await,
                    _ => std::future::pending().await,
                }
            };
            let effects = tokio::select! {
                input = inputs.next() => match input {
                    Some(input) => self.input(input?)?,
                    None => return Ok(()),
                },
                event = self.events.next() => match event {
                    Some(event) => {
                        let feed = self.world.heard(event);
                        feed.map_or_else(Vec::new, |feed| self.model.feed(feed))
                    }
                    None => return Ok(()),
                },
                Some(feed) = self.feeds.recv() => self.model.feed(feed),
                _ = ticks.tick() => self.tick(),
                () = wait => Vec::new(),
                _ = terminate.recv() => return Ok(()),
                _ = hang_up.recv() => return Ok(()),
            };
            if self.perform(effects)? == Next::End || self.drain()? == Next::End {
                return Ok(());
            }
        }
    }

    /// Takes in what has gathered before anything is drawn.
    fn drain(&mut self) -> anyhow::Result<Next> {
        while let Some(event) = self.events.try_next() {
            self.is_dirty = true;
            if let Some(feed) = self.world.heard(event) {
                let effects = self.model.feed(feed);
                if self.perform(effects)? == Next::End {
                    return Ok(Next::End);
                }
            }
        }
        while let Ok(feed) = self.feeds.try_recv() {
            self.is_dirty = true;
            let effects = self.model.feed(feed);
            if self.perform(effects)? == Next::End {
                return Ok(Next::End);
            }
        }
        Ok(Next::On)
    }

    fn input(&mut self, input: Input) -> io::Result<Vec<Effect>> {
        self.model.now.ms = self.clock.now_ms();
        Ok(match input {
            Input::Key(key) => self.model.key(key),
            Input::Mouse(event) => self.model.mouse(event),
            Input::Paste(text) => self.model.paste(&text),
            Input::Resize(columns, rows) => {
                self.screen.terminal.autoresize()?;
                self.model.resize(columns, rows)
            }
            Input::FocusGained => self.model.attention(true),
            Input::FocusLost => self.model.attention(false),
        })
    }

    fn tick(&mut self) -> Vec<Effect> {
        let told = |model: &Model| {
            (
                model.told.is_some(),
                model.typing.len(),
                model.now.ms / MINUTE_MS,
            )
        };
        let before = told(&self.model);
        let mut effects = self.model.tick(self.clock.now_ms());
        self.is_dirty = told(&self.model) != before;
        let moving = self.world.moving();
        if moving != self.model.moving {
            self.is_dirty = true;
            effects.extend(self.model.feed(Feed::Moving(moving)));
        }
        effects
    }

    fn refresh(&mut self) -> anyhow::Result<Next> {
        self.is_dirty = true;
        let open = self.model.open.as_ref().map(|open| open.room);
        let refreshed = self.world.refresh(open)?;
        for feed in refreshed.feeds {
            let effects = self.model.feed(feed);
            if self.perform(effects)? == Next::End {
                return Ok(Next::End);
            }
        }
        if refreshed.reloads {
            let effects = self.model.reload().into_iter().collect();
            return self.perform(effects);
        }
        Ok(Next::On)
    }

    fn perform(&mut self, effects: Vec<Effect>) -> anyhow::Result<Next> {
        let mut waiting = effects;
        while !waiting.is_empty() {
            let mut more = Vec::new();
            for effect in waiting {
                match effect {
                    Effect::Quit => return Ok(Next::End),
                    Effect::Redraw => self.screen.terminal.clear()?,
                    Effect::Notify { title, text } => {
                        self.screen.write(&self.teller.bytes(&title, &text))?;
                    }
                    Effect::Copy(text) => self.screen.write(&clipboard(&text))?,
                    effect => {
                        let feeds = self.world.act(effect);
                        more.extend(feeds.into_iter().flat_map(|feed| self.model.feed(feed)));
                    }
                }
            }
            waiting = more;
        }
        let open = self.model.open.as_ref().map(|open| open.room);
        if open != self.shown {
            self.shown = open;
            self.world.show(open);
        }
        Ok(Next::On)
    }

    fn draw(&mut self) -> io::Result<()> {
        let title = match self.model.unread_total() {
            0 => "Wharf".to_owned(),
            unread => format!("({unread}) Wharf"),
        };
        let model = &self.model;
        let terminal = &mut self.screen.terminal;
        queue!(terminal.backend_mut(), BeginSynchronizedUpdate)?;
        if title != self.title {
            queue!(terminal.backend_mut(), SetTitle(&title))?;
            self.title = title;
        }
        terminal.draw(|frame| {
            let cursor = view::screen(model, frame.buffer_mut());
            if let Some(cursor) = cursor {
                frame.set_cursor_position(cursor);
            }
        })?;
        execute!(terminal.backend_mut(), EndSynchronizedUpdate)
    }
}

/// The terminal, taken over until this is dropped.
struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    /// Whether the terminal was asked to tell keys apart that send the same byte, such as Shift-Enter and Enter.
    tells_keys_apart: bool,
}

impl Screen {
    fn take(has_mouse: bool) -> io::Result<Self> {
        enable_raw_mode()?;
        // From here on the terminal is given back whatever happens.
        let mut screen = Self {
            terminal: Terminal::new(CrosstermBackend::new(io::stdout()))?,
            tells_keys_apart: false,
        };
        let backend = screen.terminal.backend_mut();
        execute!(
            backend,
            EnterAlternateScreen,
            EnableBracketedPaste,
            EnableFocusChange
        )?;
        if has_mouse {
            execute!(backend, EnableMouseCapture)?;
        }
        // A terminal that does not answer cannot do it.
        if supports_keyboard_enhancement().unwrap_or(false) {
            let flags = KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES
                | KeyboardEnhancementFlags::REPORT_ALTERNATE_KEYS;
            execute!(backend, PushKeyboardEnhancementFlags(flags))?;
            screen.tells_keys_apart = true;
        }
        screen.terminal.clear()?;
        Ok(screen)
    }

    fn write(&mut self, bytes: &str) -> io::Result<()> {
        let backend = self.terminal.backend_mut();
        backend.write_all(bytes.as_bytes())?;
        Write::flush(backend)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.tells_keys_apart {
            drop(execute!(
                self.terminal.backend_mut(),
                PopKeyboardEnhancementFlags
            ));
        }
        // A terminal that is gone needs nothing back.
        drop(execute!(
            self.terminal.backend_mut(),
            DisableMouseCapture,
            DisableFocusChange,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            crossterm::cursor::Show
        ));
        drop(disable_raw_mode());
    }
}
