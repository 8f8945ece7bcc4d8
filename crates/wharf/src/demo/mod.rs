//! A small group of people and what they did, for somebody who wants to see Wharf at work.
//!
//! The house is filled through its own operations, by a clock that is set to when each thing happened, so that all rules hold
//! and history looks like history. Nothing here is data of its own: [`story`] says what happened, [`draw`] makes the files.

mod draw;
mod fill;
mod story;

pub(crate) use fill::{Filled, fill};
