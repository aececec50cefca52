//! What every filter's configuration has in common: how a `pluginConfig` is read, how what is wrong with it is said, and
//! what its counters are called.
//!
//! A module is paid for by its size as well, and code that is derived for every type of a configuration was a third of
//! it. So JSON is read into a tree ([`hifijson`]), which a type takes apart with a line for each field ([`FromConfig`]).

mod json;
mod metric;
mod object;
mod path;
mod problem;
mod value;
mod whole;

pub use json::read;
pub use metric::{label, metric_name};
pub use object::Object;
pub use problem::{Problem, Refused};
pub use value::{FromConfig, Value};
pub use whole::Whole;
