//! Object stores for tests: one that fails on demand, and the suite that defines what an object store is.

mod faulty;
pub mod suite;

pub use faulty::{Call, FaultyBlob, PutFault};
