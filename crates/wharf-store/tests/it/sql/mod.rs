//! What every engine must do alike.

mod conform;
mod to_read;
