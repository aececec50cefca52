//! Whose Gateway API it is.

/// An implementation of Gateway API.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Implementation {
    Istio,
    EnvoyGateway,
    /// What the specification says, and no more.
    Any,
}
