//! Remembers which lane a trace id came in with, and gives it back to the requests that go out with the same id.
//!
//! The application stands between the two: it forwards a trace id, but not the route header. A [`Propagator`] is a whole,
//! valid configuration. Of an inbound request it keeps id and tags in a [`Store`], which all workers of a proxy share;
//! on an outbound request it says which route headers to set ([`header_edit::Edit`]), and what to count.
//!
//! ```
//! use header_edit::{Directed, Direction, HeaderList};
//! use trace_propagation::{MemoryStore, Propagator};
//!
//! let json = br#"{"traceHeader": "x-user-id", "routeHeaders": ["x-asm-prefer-tag"]}"#;
//! let propagator = Propagator::parse(json, |_label| None)?;
//! let store = MemoryStore::default();
//!
//! let headers = [("x-user-id", "jessie"), ("x-asm-prefer-tag", "s2")].into_iter().collect();
//! propagator.on_request(&Directed::<HeaderList> { headers, direction: Some(Direction::Inbound) }, &store);
//!
//! let headers = [("x-user-id", "jessie")].into_iter().collect();
//! let mut request = Directed::<HeaderList> { headers, direction: Some(Direction::Outbound) };
//! let verdict = propagator.on_request(&request, &store);
//! request.headers.apply(verdict.edits);
//! assert_eq!(request.headers.all("x-asm-prefer-tag").collect::<Vec<_>>(), [b"s2"]);
//! # Ok::<(), trace_propagation::Refused>(())
//! ```

mod compile;
pub mod config;
mod counter;
mod id;
mod memory;
mod propagator;
mod seed;
mod set;
mod store;
mod table;
mod tags;

pub use counter::Counter;
pub use memory::MemoryStore;
pub use plugin_config::{Problem, Refused};
pub use propagator::{Propagation, Propagator};
pub use set::WAYS;
pub use store::{Store, Stored};
