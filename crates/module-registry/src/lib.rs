//! Images of modules at a registry.
//!
//! [`Remote`] is one image's place. It can be asked what is there, which digest that has, and what Istio makes of it, and
//! an image can be put there. Every call blocks: the asynchronous client, and the runtime that it needs, stay in here.
//!
//! A registry is trusted with the credentials for it, and with nothing else: what is read of its answers is bounded, in size
//! and in time, and what it says is shown on one line.

mod credentials;
mod failure;
mod inspection;
mod push;
mod realm;
mod reference;
mod remote;
mod session;

pub use crate::{
    inspection::Inspection,
    reference::{NotAReference, Reference},
    remote::{Access, Remote},
};
