//! `wharf chat`: conversations in a terminal.
//!
//! [`model`] is what is known and shown, and pure: [`update`] changes it by keys and by what the chat tells, and returns
//! [`effect`]s; [`view`] draws it through [`layout`], [`list`] and [`timeline`]. [`world`] does the effects, [`mod@run`] has the
//! terminal. All text of other people reaches the terminal through [`text`], which lets no command of theirs through.

mod composer;
mod effect;
mod keymap;
mod layout;
mod list;
mod markdown;
mod model;
mod notice;
mod overlay;
mod run;
#[cfg(test)]
mod tests;
mod text;
mod theme;
mod timeline;
mod update;
mod view;
mod when;
mod world;

pub(crate) use keymap::Keymap;
pub(crate) use notice::{Notices, Teller};
pub(crate) use run::{Look, run};
pub(crate) use theme::Theme;
pub(crate) use world::Login;
