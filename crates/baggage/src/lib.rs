//! W3C baggage over bytes: reads the members of a list, and rewrites a list without touching what is not to be changed.
//!
//! The `baggage` header carries a list of key-value pairs along a chain of calls. This crate works on the header's bytes
//! and never parses and prints a member that it leaves in the list, so whatever another party wrote stays byte for byte.
//! It has no dependencies. "Specification" means W3C Baggage, <https://www.w3.org/TR/baggage/>; several header lines are
//! one list, joined by commas (section 3).
//!
//! ```
//! use baggage::{List, Rewrite, encode};
//!
//! let list = List(b"userId=alice;ttl=30,lane=s1, region = eu");
//! let lane = list.members().filter(|member| member.key() == Some(b"lane")).last();
//! assert_eq!(lane.and_then(|member| member.value()).as_deref(), Some(b"s1".as_slice()));
//!
//! let mut rewrite = Rewrite::default();
//! assert!(rewrite.push_pair(b"lane", &encode(b"s 2")));
//! for member in list.members().filter(|member| member.key() != Some(b"lane")) {
//!     assert!(rewrite.push(member));
//! }
//! assert_eq!(rewrite.finish(), b"lane=s%202,userId=alice;ttl=30, region = eu");
//! ```

mod list;
mod percent;
mod rewrite;

pub use list::{List, Member, Members, is_token};
pub use percent::{decode, encode};
pub use rewrite::{MAX_BYTES, MAX_MEMBERS, Rewrite};
