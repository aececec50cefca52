//! One document describes the lanes.
//!
//! A [`document::LaneGroup`] says which services have which lanes, what enters them, and who. Everything else is derived
//! from it.

mod bounds;
pub mod check;
pub mod describe;
pub mod document;
pub mod edit;
pub mod escape;
pub mod explain;
pub mod file;
pub mod filter;
pub mod finding;
pub mod graph;
pub mod import;
mod json;
mod objects;
mod picture;
pub mod plot;
pub mod preflight;
pub mod render;
pub mod rollout;
pub mod schema;
pub mod spread;
pub mod tagging;
pub mod verify;
pub mod yaml;
