//! Carries request headers through applications in W3C baggage: header → baggage where a request reaches the
//! application, baggage → header where one leaves it.
//!
//! A [`Propagator`] is a whole, valid configuration. Given a request it says what to change about the headers
//! ([`header_edit::Edit`]) and what there is to count ([`Event`]). It never touches a member of the list that is not its
//! own, but for those that [`config::MalformedConfig::Drop`] removes.
//!
//! ```
//! use header_edit::{Directed, Direction, HeaderList};
//!
//! let propagator = baggage_propagation::Propagator::parse(br#"{"headers": ["version"]}"#)?;
//! let headers: HeaderList = [("version", "v2"), ("baggage", "userId=alice;ttl=30")].into_iter().collect();
//! let mut request = Directed { headers, direction: Some(Direction::Inbound) };
//! let verdict = propagator.on_request(&request);
//! request.headers.apply(verdict.edits);
//! assert_eq!(request.headers.all("baggage").collect::<Vec<_>>(), [b"version=v2,userId=alice;ttl=30"]);
//! # Ok::<(), baggage_propagation::Refused>(())
//! ```

mod carry;
mod compile;
pub mod config;
mod event;
mod mapping;
mod propagator;
mod strip;
mod value;
mod write;

pub use event::{Event, Events};
pub use plugin_config::{Problem, Refused};
pub use propagator::{Propagation, Propagator};
