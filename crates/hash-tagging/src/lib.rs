//! Assigns a user to a lane: identity → hash → bucket → tag.
//!
//! A [`Tagger`] is a whole, valid configuration. Given the headers of a request it says, rule by rule, what it decided
//! and why ([`Decision`]), and what to change about the headers ([`header_edit::Edit`]). The gateway's filter, the
//! tools and the tests all ask this one function, so what they say about a user is what the filter does.
//!
//! ```
//! let tagger = hash_tagging::Tagger::parse(br#"{"rules": [{
//!     "header": "x-user-id", "modulo": 100, "tagHeader": "x-asm-prefer-tag",
//!     "policies": [{"range": 20, "tagValue": "s2"}, {"range": 100, "tagValue": "s1"}]
//! }]}"#)?;
//! let mut headers: header_edit::HeaderList = [("x-user-id", "jessie")].into_iter().collect();
//! let verdict = tagger.on_request(&headers);
//! assert_eq!(verdict.decisions[0].bucket, Some(16));
//! let edits = verdict.edits;
//! headers.apply(edits);
//! assert_eq!(headers.all("x-asm-prefer-tag").collect::<Vec<_>>(), [b"s2"]);
//! # Ok::<(), hash_tagging::Refused>(())
//! ```

mod compile;
pub mod config;
mod decision;
mod hash;
mod identity;
mod interned;
mod issue;
mod matching;
mod policies;
mod request;
mod rule;
mod tagger;

pub use decision::{Decision, Reason, Tagging};
pub use hash::{Hash, fnv1a32};
pub use issue::Issued;
pub use plugin_config::{Problem, Refused};
pub use rule::Rule;
pub use tagger::Tagger;
