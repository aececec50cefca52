//! From a lane group to what carries it out.

pub mod istio;
