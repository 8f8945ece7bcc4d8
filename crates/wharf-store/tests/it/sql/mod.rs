//! What every engine must do alike.

mod conform;
