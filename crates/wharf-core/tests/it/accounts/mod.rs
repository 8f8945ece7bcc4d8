//! Accounts: signing up, logging in, sessions, the operator, and everybody who tries more than they may.

mod admin;
mod app_passwords;
mod limits;
mod login;
mod sessions;
mod signup;
mod strangers;
