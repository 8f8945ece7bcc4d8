//! What the terminal client shows and does, without a terminal: a made-up chat, keys and events, and the screen as text.

mod behaviour;
mod fixture;
mod going;
mod screens;
