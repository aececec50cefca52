//! One page that shows a running lane group: who is in which lane, why, and what happens when a pod breaks.
//!
//! The page asks, and this server does what it asks for: `group` knows the lane group and how one gets into it, [`world`] is
//! what runs, as processes or as containers, and `guard` sees to it that no other page asks.

mod ask;
mod group;
mod guard;
mod html;
mod page;
mod server;
mod view;
pub mod world;

pub use server::{PORT, Server};
