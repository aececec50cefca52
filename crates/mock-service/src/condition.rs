/// How the application is: a version that is slow or broken is started instead of the healthy one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Condition {
    #[default]
    Healthy,
    /// Every answer takes long.
    Slow,
    /// Every answer is a failure, while `/healthz` says that all is well: nobody else takes over.
    Broken,
    /// As broken, but that it says to be tried elsewhere: 503.
    Unavailable,
}

impl Condition {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "healthy" => Some(Self::Healthy),
            "slow" => Some(Self::Slow),
            "broken" => Some(Self::Broken),
            "unavailable" => Some(Self::Unavailable),
            _ => None,
        }
    }
}
