//! What every filter's configuration has in common: how a `pluginConfig` is read, how what is wrong with it is said, and
//! what its counters are called.

mod metric;
mod problem;
mod read;
mod whole;

pub use metric::{label, metric_name};
pub use problem::{Problem, Refused};
pub use read::read;
pub use whole::WholeNumber;
