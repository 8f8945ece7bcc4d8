//! Background work: the contract that each job can rely on, and what the house's own jobs do.

mod contract;
mod house;
mod reclaim;
mod uploads;
